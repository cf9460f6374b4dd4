//! What can be tried on the host's side only.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Command, Stdio};

use super::{Trial, reason};
use crate::cgroup::Groups;
use crate::process::{self, Namespaces};

/// Ids that daemons' users and groups need.
const WANTED_IDS: u32 = 65535;

/// Mounts `/usr` with the id map of a process's user namespace, attached nowhere.
pub(super) fn idmapped(pid: i32) -> Trial {
    Trial::of(try_idmapped(pid))
}

fn try_idmapped(pid: i32) -> io::Result<()> {
    /// `struct mount_attr` of `linux/mount.h`.
    #[repr(C)]
    struct MountAttr {
        set: u64,
        clear: u64,
        propagation: u64,
        userns: u64,
    }
    const MOUNT_ATTR_IDMAP: u64 = 0x0010_0000;
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC;
    // SAFETY: a string that lives through the call, and plain numbers.
    let tree = unsafe { libc::syscall(libc::SYS_open_tree, -1, c"/usr".as_ptr(), flags) };
    if tree < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us.
    let tree = unsafe { OwnedFd::from_raw_fd(tree as i32) };
    let userns = fs::File::open(format!("/proc/{pid}/ns/user"))?;
    let attr = MountAttr {
        set: MOUNT_ATTR_IDMAP,
        clear: 0,
        propagation: 0,
        userns: u64::from(userns.as_raw_fd().cast_unsigned()),
    };
    // SAFETY: open descriptors, an empty path, and a valid structure of the given size.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &raw const attr,
            size_of_val(&attr),
        )
    };
    match done {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Loads a traffic filter that does nothing: `r0 = 0; exit`.
pub(super) fn ebpf() -> Trial {
    const BPF_PROG_LOAD: i32 = 5;
    const BPF_PROG_TYPE_SCHED_CLS: u32 = 3;
    let program: [u64; 2] = [0x0000_0000_0000_00b7, 0x0000_0000_0000_0095];
    let licence = c"GPL";
    // the first fields of `union bpf_attr`, the rest zero
    let mut attr = [0u64; 16];
    attr[0] = u64::from(BPF_PROG_TYPE_SCHED_CLS) | ((program.len() as u64) << 32);
    attr[1] = program.as_ptr() as u64;
    attr[2] = licence.as_ptr() as u64;
    if cfg!(target_endian = "big") {
        return Trial::fails("not tried on this machine");
    }
    // SAFETY: a valid attribute block of the given size; what it points to lives through the
    // call.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            BPF_PROG_LOAD,
            attr.as_ptr(),
            size_of_val(&attr),
        )
    };
    if fd < 0 {
        return Trial::fails(reason(&io::Error::last_os_error()));
    }
    // SAFETY: the kernel has just made this descriptor for us.
    drop(unsafe { OwnedFd::from_raw_fd(fd as i32) });
    Trial::works("")
}

/// Opens a device to read and write.
pub(super) fn device(path: &str) -> Trial {
    Trial::of(fs::File::options().read(true).write(true).open(path))
}

/// Makes a control group and removes it again.
pub(super) fn cgroups() -> Trial {
    match Groups::try_out(&format!("telaio-trial-{}", std::process::id())) {
        Ok(()) => Trial::works(""),
        Err(e) => Trial::fails(reason(&e)),
    }
}

/// Maps a user's subordinate ids by `newuidmap`, in a process that waits for it.
pub(super) fn subordinate_ids(root: bool) -> Trial {
    if root {
        return Trial::works("root needs none");
    }
    for (file, tool, id) in [
        (
            "/etc/subuid",
            "newuidmap",
            rustix::process::getuid().as_raw(),
        ),
        (
            "/etc/subgid",
            "newgidmap",
            rustix::process::getgid().as_raw(),
        ),
    ] {
        let (start, count) = match range(file) {
            Some(range) => range,
            None => return Trial::fails(format!("no range in {file}")),
        };
        if count < WANTED_IDS {
            return Trial::fails(format!("{file} gives {count} ids, {WANTED_IDS} are needed"));
        }
        if let Err(e) = try_map(tool, id, start, count) {
            return Trial::fails(e);
        }
    }
    Trial::works("")
}

/// The first range of this user: first id and how many.
fn range(file: &str) -> Option<(u32, u32)> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let own = passwd.lines().find(|l| l.split(':').nth(2) == Some(&uid));
    let name = own.and_then(|l| l.split(':').next()).unwrap_or(&uid);
    range_in(&fs::read_to_string(file).ok()?, name, &uid)
}

fn range_in(text: &str, name: &str, uid: &str) -> Option<(u32, u32)> {
    text.lines().find_map(|line| {
        let mut parts = line.trim().split(':');
        let owner = parts.next()?;
        let start = parts.next()?.parse().ok()?;
        let count = parts.next()?.parse().ok()?;
        (owner == name || owner == uid).then_some((start, count))
    })
}

fn try_map(tool: &str, id: u32, start: u32, count: u32) -> Result<(), String> {
    let child = process::clone(Namespaces::USER, || {
        // until the parent, which kills it, is done
        let patience = std::time::Duration::from_secs(10);
        let _ = process::die_with_parent(libc::SIGKILL);
        std::thread::sleep(patience);
        0
    })
    .map_err(|e| reason(&e))?;
    let output = Command::new(tool)
        .arg(child.pid.to_string())
        .args([
            "0",
            &id.to_string(),
            "1",
            "1",
            &start.to_string(),
            &count.to_string(),
        ])
        .stdin(Stdio::null())
        .output();
    let _ = child.signal(libc::SIGKILL);
    let _ = child.wait();
    match output {
        Err(e) => Err(format!("{tool} cannot be run: {}", reason(&e))),
        Ok(out) if out.status.success() => Ok(()),
        Ok(out) => Err(String::from_utf8_lossy(&out.stderr)
            .trim()
            .replace('\n', "; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_by_name_and_number() {
        let text = "# x\nana:100000:65536\n1001:200000:10\n";
        assert_eq!(range_in(text, "ana", "1000"), Some((100_000, 65536)));
        assert_eq!(range_in(text, "bob", "1001"), Some((200_000, 10)));
        assert_eq!(range_in(text, "eve", "1002"), None);
    }
}
