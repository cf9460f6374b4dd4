//! Processes: clone with namespaces, pidfds, death signals, what a child inherits.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Namespaces that a clone makes anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Namespaces(u64);

impl Namespaces {
    /// None.
    pub const NONE: Self = Self(0);
    /// User identities.
    pub const USER: Self = Self(libc::CLONE_NEWUSER as u64);
    /// Process numbers.
    pub const PID: Self = Self(libc::CLONE_NEWPID as u64);
    /// Mounts.
    pub const MOUNT: Self = Self(libc::CLONE_NEWNS as u64);
    /// Network.
    pub const NET: Self = Self(libc::CLONE_NEWNET as u64);
    /// Host name.
    pub const UTS: Self = Self(libc::CLONE_NEWUTS as u64);
    /// System V IPC and POSIX queues.
    pub const IPC: Self = Self(libc::CLONE_NEWIPC as u64);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A child made by [`clone`]. Dropping it neither waits nor kills.
#[derive(Debug)]
pub struct Child {
    /// Its process number in this process's pid namespace.
    pub pid: i32,
    /// A descriptor of it, readable once it has ended.
    pub pidfd: OwnedFd,
}

impl Child {
    /// Sends it a signal. A child that has ended is no error.
    pub fn signal(&self, signal: i32) -> io::Result<()> {
        signal_pidfd(self.pidfd.as_fd(), signal)
    }

    /// Waits for its end: its exit status, or 128 and the number of the signal that ended it.
    pub fn wait(&self) -> io::Result<i32> {
        let mut status = 0;
        loop {
            // SAFETY: `status` is a valid place for the answer.
            let got = unsafe { libc::waitpid(self.pid, &raw mut status, libc::__WALL) };
            if got == self.pid {
                return Ok(exit_status(status));
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}

/// Makes a child process in new namespaces, as `fork` does: it goes on with `run` on a copy of
/// this process's memory and ends with the status that `run` returns. Only a process with one
/// thread may call it, since locks held by other threads would stay locked in the child.
pub fn clone(namespaces: Namespaces, run: impl FnOnce() -> i32) -> io::Result<Child> {
    let mut pidfd: RawFd = -1;
    // SAFETY: all fields of `clone_args` may be zero.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = namespaces.0 | libc::CLONE_PIDFD as u64;
    args.pidfd = &raw mut pidfd as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: `args` is a valid structure of the given size; without a stack and CLONE_VM the
    // child runs on a copy of this memory, as after fork.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of_val(&args)) };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let status = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_or(101);
            // SAFETY: ends the child without running the parent's exit handlers.
            unsafe { libc::_exit(status) }
        }
        pid => Ok(Child {
            pid: pid as i32,
            // SAFETY: the kernel has just made this descriptor for us.
            pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) },
        }),
    }
}

/// One ended child: its process number and exit status (128 and the signal's number if a signal
/// ended it). `None` when no child has ended.
pub fn reap() -> Option<(i32, i32)> {
    let mut status = 0;
    // SAFETY: `status` is a valid place for the answer.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG | libc::__WALL) };
    (pid > 0).then(|| (pid, exit_status(status)))
}

fn exit_status(raw: i32) -> i32 {
    if libc::WIFSIGNALED(raw) {
        128 + libc::WTERMSIG(raw)
    } else {
        libc::WEXITSTATUS(raw)
    }
}

/// Sends a signal through a pidfd. A process that has ended is no error.
pub fn signal_pidfd(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    // SAFETY: plain numbers and a null pointer, which the call allows.
    let done = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal,
            0usize,
            0u32,
        )
    };
    match done {
        0 => Ok(()),
        _ => match io::Error::last_os_error() {
            e if e.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            e => Err(e),
        },
    }
}

/// Sends a signal to a process, or to a process group if `pid` is negative.
pub fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: plain numbers.
    check(unsafe { libc::kill(pid, signal) })
}

/// A descriptor of a running process.
pub fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: plain numbers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// The process number behind a pidfd, as this process's `/proc` counts; `None` once it has been
/// waited for.
pub fn pid_of(pidfd: BorrowedFd<'_>) -> io::Result<Option<i32>> {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()))?;
    let pid = info.lines().find_map(|l| l.strip_prefix("Pid:"));
    Ok(pid.and_then(|p| p.trim().parse().ok()).filter(|p| *p > 0))
}

/// Has the kernel send this process a signal when its parent dies. Cleared by a change of
/// identity and by running a set-id program.
pub fn die_with_parent(signal: i32) -> io::Result<()> {
    // SAFETY: plain numbers.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal) })
}

/// Names this process, as `ps` and `/proc/*/comm` show it (15 bytes).
pub fn set_name(name: &str) {
    if let Ok(name) = CString::new(name) {
        // SAFETY: a string that lives through the call.
        unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
    }
}

/// Whether others of this identity may look into this process.
pub fn set_dumpable(on: bool) -> io::Result<()> {
    // SAFETY: plain numbers.
    check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, i32::from(on)) })
}

/// Takes on user and group 0 of its user namespace, all three of each; drops other groups where
/// that is allowed.
pub fn become_root() -> io::Result<()> {
    // SAFETY: plain numbers; the group list is empty. Refused with a single id: then there are
    // no other groups that could be dropped either way.
    unsafe { libc::syscall(libc::SYS_setgroups, 0, 0usize) };
    // SAFETY: plain numbers.
    check(unsafe { libc::setresgid(0, 0, 0) })?;
    // SAFETY: plain numbers.
    check(unsafe { libc::setresuid(0, 0, 0) })
}

/// Sets the host name of this UTS namespace.
pub fn set_hostname(name: &str) -> io::Result<()> {
    // SAFETY: pointer and length of one string.
    check(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) })
}

/// Sets a resource limit of this process by its name in `limits.conf` (`nofile`, `nproc`, …);
/// -1 is unlimited. `Ok(false)`: there is no such limit.
pub fn set_limit(name: &str, soft: i64, hard: i64) -> io::Result<bool> {
    let resource = match name {
        "core" => libc::RLIMIT_CORE,
        "cpu" => libc::RLIMIT_CPU,
        "data" => libc::RLIMIT_DATA,
        "fsize" => libc::RLIMIT_FSIZE,
        "locks" => libc::RLIMIT_LOCKS,
        "memlock" => libc::RLIMIT_MEMLOCK,
        "msgqueue" => libc::RLIMIT_MSGQUEUE,
        "nice" => libc::RLIMIT_NICE,
        "nofile" => libc::RLIMIT_NOFILE,
        "nproc" => libc::RLIMIT_NPROC,
        "rss" => libc::RLIMIT_RSS,
        "rtprio" => libc::RLIMIT_RTPRIO,
        "rttime" => libc::RLIMIT_RTTIME,
        "sigpending" => libc::RLIMIT_SIGPENDING,
        "stack" => libc::RLIMIT_STACK,
        _ => return Ok(false),
    };
    let value = |v: i64| u64::try_from(v).unwrap_or(libc::RLIM_INFINITY);
    let limit = libc::rlimit {
        rlim_cur: value(soft),
        rlim_max: value(hard),
    };
    // SAFETY: a valid structure that lives through the call.
    check(unsafe { libc::setrlimit(resource, &raw const limit) }).map(|()| true)
}

/// Raises the soft limit of open files to the hard one.
pub fn raise_open_files() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: a valid place for the answer.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } == 0 {
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: a valid structure that lives through the call.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    }
}

/// Moves this thread into the namespace of a descriptor (`/proc/PID/ns/*`).
pub fn enter(namespace: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: plain numbers.
    check(unsafe { libc::setns(namespace.as_raw_fd(), 0) })
}

/// Makes new namespaces for this process.
pub fn unshare(namespaces: Namespaces) -> io::Result<()> {
    // SAFETY: plain numbers.
    check(unsafe { libc::unshare(namespaces.0 as i32) })
}

/// Starts `command` as the leader of a session of its own, with no signal blocked, and, if asked,
/// with its standard input as the controlling terminal.
pub fn new_session(command: &mut Command, terminal: bool) {
    let setup = move || {
        // SAFETY: all bytes of a signal set may be zero; the calls may be made between fork and
        // exec and get a valid place.
        unsafe {
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        }
        // SAFETY: as above.
        check(unsafe { libc::setsid() }.min(0))?;
        if terminal {
            // SAFETY: as above; standard input is the terminal's slave.
            check(unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) })?;
        }
        Ok(())
    };
    // SAFETY: the closure makes system calls only.
    unsafe { command.pre_exec(setup) };
}

/// Starts `command` with these descriptors at these numbers (3 and above); all others are
/// closed by it as they are marked.
pub fn pass_fds(command: &mut Command, fds: Vec<(OwnedFd, RawFd)>) {
    let setup = move || {
        // first out of the way of all targets, then to them: a target may be another's source
        let above = fds.iter().map(|(_, to)| *to).max().unwrap_or(2) + 1;
        let mut moved = [-1; 8];
        for (slot, (fd, _)) in moved.iter_mut().zip(&fds) {
            // SAFETY: plain numbers, allowed between fork and exec.
            *slot = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, above) };
            check((*slot).min(0))?;
        }
        for (slot, (_, to)) in moved.iter().zip(&fds) {
            // SAFETY: as above; the copy has no close-on-exec mark.
            check(unsafe { libc::dup2(*slot, *to) }.min(0))?;
        }
        Ok(())
    };
    // SAFETY: the closure makes system calls only, and owns what it touches.
    unsafe { command.pre_exec(setup) };
}

/// Takes a descriptor over that [`pass_fds`] put at a number of this process. Fails when
/// nothing is open there.
pub fn take_fd(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: plain numbers; also marks it to be closed on exec.
    check(unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    // SAFETY: it is open (else the call above fails) and, by the contract between the two
    // processes, nobody else's in this one.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Closes every descriptor from 3 up but those in `keep`. For a child made by [`clone`], whose
/// copies of its parent's descriptors would otherwise live on in it.
pub fn close_all_but(keep: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut numbers: Vec<u32> = keep
        .iter()
        .map(|fd| fd.as_raw_fd().cast_unsigned())
        .collect();
    numbers.sort_unstable();
    let mut from = 3;
    for number in numbers.into_iter().filter(|n| *n >= 3) {
        if from < number {
            close_range(from, number - 1)?;
        }
        from = number + 1;
    }
    close_range(from, u32::MAX)
}

fn close_range(from: u32, to: u32) -> io::Result<()> {
    // SAFETY: plain numbers. Whoever owned those descriptors was the parent: what this process
    // has of them are copies that nothing here will use.
    check(unsafe { libc::syscall(libc::SYS_close_range, from, to, 0) } as i32)
}

/// Connects standard input, output and error to these.
pub fn redirect_stdio(
    input: BorrowedFd<'_>,
    output: BorrowedFd<'_>,
    error: BorrowedFd<'_>,
) -> io::Result<()> {
    for (from, to) in [(input, 0), (output, 1), (error, 2)] {
        // SAFETY: plain numbers; 0, 1 and 2 belong to nobody but the process as a whole.
        check(unsafe { libc::dup2(from.as_raw_fd(), to) }.min(0))?;
    }
    Ok(())
}

/// Makes this process the leader of a session of its own, away from any terminal.
pub fn leave_session() -> io::Result<()> {
    // SAFETY: no arguments.
    check(unsafe { libc::setsid() }.min(0))
}

/// An anonymous file in memory.
pub fn memfd(name: &str) -> io::Result<std::fs::File> {
    let name = CString::new(name)?;
    // SAFETY: a string that lives through the call.
    let fd =
        unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    check(fd.min(0))?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { std::fs::File::from_raw_fd(fd) })
}

/// Forbids any further change of a [`memfd`].
pub fn seal(file: &std::fs::File) -> io::Result<()> {
    let seals = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
    // SAFETY: plain numbers.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) })
}

fn check(returned: i32) -> io::Result<()> {
    if returned < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_ends_with_its_status() {
        // the test harness has threads: the child makes no allocation
        let child = clone(Namespaces::NONE, || 7).unwrap();
        assert_eq!(child.wait().unwrap(), 7);
        assert!(child.signal(libc::SIGTERM).is_ok());
    }

    #[test]
    fn descriptors_arrive_at_their_numbers() {
        use std::io::{Read, Seek, Write};
        let mut files = Vec::new();
        for text in ["three", "four"] {
            let mut file = memfd("t").unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file.rewind().unwrap();
            files.push(file);
        }
        let four = files.pop().unwrap();
        let three = files.pop().unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "cat <&3; cat <&4"]);
        command.stdout(std::process::Stdio::piped());
        pass_fds(&mut command, vec![(four.into(), 4), (three.into(), 3)]);
        let mut child = command.spawn().unwrap();
        let mut text = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        child.wait().unwrap();
        assert_eq!(text, "threefour");
    }
}
