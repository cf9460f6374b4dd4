# What a hostile node tries; each attempt prints its name and `refused` or `DONE`.
import ctypes, errno, fcntl, glob, os, platform, stat, subprocess, sys

libc = ctypes.CDLL(None, use_errno=True)
X86 = platform.machine() == "x86_64"


def attempt(name, run):
    try:
        run()
        print(name, "DONE")
    except OSError as error:
        print(name, "refused:", errno.errorcode.get(error.errno, error.errno))
    except subprocess.CalledProcessError as error:
        print(name, "refused: status", error.returncode)


def call(x86, arm, *args):
    """A system call by its number on x86_64 and aarch64."""
    args = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    if libc.syscall(ctypes.c_long(x86 if X86 else arm), *args) < 0:
        raise OSError(ctypes.get_errno(), "")


def write(path):
    os.close(os.open(path, os.O_WRONLY))


def read(path):
    with open(path, "rb") as file:
        if not file.read(1):
            raise OSError(errno.ENODATA, "")


def shell(text):
    subprocess.run(["bash", "-c", text], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def make_device(kind, major, minor):
    path = f"/tmp/device-{major}-{minor}"
    os.mknod(path, kind | 0o666, os.makedev(major, minor))
    os.close(os.open(path, os.O_RDONLY))


def handle():
    """Opens a file by its handle, as the way out of a container was once found."""
    buffer = ctypes.create_string_buffer(b"\x80\0\0\0" + bytes(132))
    mount = ctypes.c_int()
    libc.syscall(ctypes.c_long(303 if X86 else 264), -100, b"/usr", buffer, ctypes.byref(mount), 0)
    fd = os.open("/", os.O_RDONLY)
    call(304, 265, fd, buffer, 0)


def parent_of(kind):
    fd = os.open(f"/proc/self/ns/{kind}", os.O_RDONLY)
    os.close(fcntl.ioctl(fd, 0xB702))


def own(name):
    link = os.readlink(f"/proc/self/ns/{name}")
    for path in glob.glob(f"/proc/[0-9]*/ns/{name}"):
        try:
            if os.readlink(path) != link:
                return
        except PermissionError:
            pass
    raise OSError(errno.ENOENT, "")


def writable_parameters():
    """Kernel parameters that are not this node's own."""
    mine = (
        "/proc/sys/net/", "/proc/sys/user/", "/proc/sys/fs/mqueue/", "/proc/sys/kernel/hostname",
        "/proc/sys/kernel/domainname", "/proc/sys/kernel/shm", "/proc/sys/kernel/msg", "/proc/sys/kernel/sem",
        "/proc/sys/kernel/auto_msgmni", "/proc/sys/kernel/ns_last_pid", "/proc/sys/kernel/pid_max",
        "/proc/sys/kernel/keys",
    )
    found = []
    for folder, _, files in os.walk("/proc/sys"):
        for name in files:
            path = os.path.join(folder, name)
            if not path.startswith(mine) and os.access(path, os.W_OK):
                try:
                    write(path)
                    found.append(path)
                except OSError:
                    pass
    for folder, folders, files in os.walk("/sys"):
        if "/net" in folder or "/virtual/net" in folder:
            folders.clear()
            continue
        for name in files:
            path = os.path.join(folder, name)
            if os.access(path, os.W_OK):
                try:
                    write(path)
                    found.append(path)
                except OSError:
                    pass
    if not found:
        raise OSError(errno.EACCES, "")
    print("# writable:", *found[:20])


def bait():
    """Looks for files of the host by the name that the test gave them."""
    name = os.environ["BAIT"]
    for folder, folders, files in os.walk("/"):
        if folder == "/proc":
            folders.clear()
            continue
        if any(name in entry for entry in files + folders):
            print("# found below", folder)
            return
    for root in glob.glob("/proc/[0-9]*/root") + glob.glob("/proc/[0-9]*/cwd"):
        for path in os.environ["BAITS"].split(":"):
            if os.path.lexists(root + path) or os.path.lexists(root + "/../../../.." + path):
                print("# found by", root)
                return
    raise OSError(errno.ENOENT, "")


def secrets():
    for pattern in ["/etc/ssh/ssh_host_*", "/etc/wireguard/*", "/etc/ssl/private/*", "/home/*", "/root/.ssh/*",
                    "/var/lib/telaio/*", "/etc/sudoers*", "/etc/NetworkManager/*", "/etc/krb5.keytab"]:
        if glob.glob(pattern):
            print("# there:", pattern)
            return
    with open("/etc/shadow") as file:
        if any(len(line.split(":")[1]) > 1 for line in file):
            return
    raise OSError(errno.ENOENT, "")


def program():
    """The program that process 1 runs, on the host's side."""
    fd = os.open("/proc/1/exe", os.O_RDONLY)
    try:
        os.close(os.open(f"/proc/self/fd/{fd}", os.O_RDWR))
    except OSError:
        os.close(os.open("/proc/1/exe", os.O_RDWR))


def signal_host():
    os.kill(int(os.environ["SENTINEL"]), 9)


def trace_host():
    if libc.ptrace(16, int(os.environ["SENTINEL"]), 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "")


def release_agent():
    shell("unshare -C bash -c 'mkdir -p /tmp/cg && mount -t cgroup -o memory c /tmp/cg && "
          "echo /tmp/x > /tmp/cg/release_agent'")


def lock(path):
    """Whether something of the hierarchy of control groups can be changed."""
    shell(f"unshare -C bash -c 'mount -t cgroup2 c /mnt && echo $$ > /mnt/{path}'")


def load_module():
    call(175, 105, b"", 0, b"")


pages = ctypes.create_string_buffer(4096)
attempts = {
    "block device": lambda: make_device(stat.S_IFBLK, 254, 0),
    "kernel log device": lambda: make_device(stat.S_IFCHR, 1, 11),
    "memory device": lambda: make_device(stat.S_IFCHR, 1, 1),
    "mount of a disk": lambda: shell("for d in /dev/[svx]d* /dev/nvme* /dev/vda; do mount $d /mnt && exit 0; done; exit 1"),
    "mount of debugfs": lambda: shell("mount -t debugfs d /mnt"),
    "mount of tracefs": lambda: shell("mount -t tracefs d /mnt"),
    "mount of devtmpfs": lambda: shell("mount -t devtmpfs d /mnt"),
    "mount of cgroup 1": lambda: shell("mount -t cgroup -o memory c /mnt"),
    "mount of cgroup 2": lambda: shell("mount -t cgroup2 c /mnt"),
    "release_agent": release_agent,
    "cgroup of a new namespace": lambda: shell("unshare -C true"),
    "cgroup of a new user namespace": lambda: shell("unshare -U -C true"),
    "cgroup of others": lambda: lock("cgroup.procs"),
    "core_pattern": lambda: write("/proc/sys/kernel/core_pattern"),
    "core_pattern of a new proc": lambda: shell("mount -t proc p /mnt && : >> /mnt/sys/kernel/core_pattern"),
    "swappiness": lambda: write("/proc/sys/vm/swappiness"),
    "modprobe path": lambda: write("/proc/sys/kernel/modprobe"),
    "uevent helper": lambda: write("/sys/kernel/uevent_helper"),
    "sysrq": lambda: write("/proc/sysrq-trigger"),
    "kcore": lambda: read("/proc/kcore"),
    "kernel log": lambda: call(103, 116, 3, pages, 4096),
    "kernel log in proc": lambda: read("/proc/kmsg"),
    "new keyring": lambda: call(250, 219, 1, b"mine", 0, 0, 0),
    "new key": lambda: call(248, 217, b"user", b"x", b"y", 1, -3),
    "module": load_module,
    "new kernel": lambda: call(246, 104, 0, 0, 0, 0),
    "swap": lambda: call(167, 224, b"/tmp/none", 0),
    "counters": lambda: call(298, 241, pages, 0, -1, -1, 0),
    "ring": lambda: call(425, 425, 8, pages),
    "file by handle": handle,
    "parent user namespace": lambda: parent_of("user"),
    "parent pid namespace": lambda: parent_of("pid"),
    "others' network namespace": lambda: own("net"),
    "others' user namespace": lambda: own("user"),
    "time": lambda: call(227, 112, 0, ctypes.create_string_buffer(16)),
    "other parameters": writable_parameters,
    "signal": signal_host,
    "trace": trace_host,
    "bait": bait,
    "secrets": secrets,
    "program": program,
    "host root by chroot": lambda: read("/proc/1/root" + os.environ["BAITS"].split(":")[0]),
}

if __name__ == "__main__":
    for name in sys.argv[1:] or attempts:
        attempt(name, attempts[name])
