//! Waiting for several descriptors at once, and for signals as a descriptor.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll as raw;
pub use rustix::event::epoll::EventFlags;

/// Waits for several descriptors at once; each has a number of the caller's.
pub struct Poller {
    fd: OwnedFd,
    events: Vec<raw::Event>,
}

/// A descriptor's number and what it is ready for.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// The number given to [`Poller::add`].
    pub token: u64,
    /// What it is ready for.
    pub flags: EventFlags,
}

impl Poller {
    /// A poller of nothing yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            fd: raw::create(raw::CreateFlags::CLOEXEC)?,
            events: Vec::with_capacity(64),
        })
    }

    /// Waits for `fd` to be readable (or closed), too.
    pub fn add(&self, fd: impl AsFd, token: u64) -> io::Result<()> {
        Ok(raw::add(
            &self.fd,
            fd,
            raw::EventData::new_u64(token),
            EventFlags::IN,
        )?)
    }

    /// Waits for other things than reading.
    pub fn change(&self, fd: impl AsFd, token: u64, flags: EventFlags) -> io::Result<()> {
        Ok(raw::modify(
            &self.fd,
            fd,
            raw::EventData::new_u64(token),
            flags,
        )?)
    }

    /// No longer waits for `fd`.
    pub fn remove(&self, fd: impl AsFd) -> io::Result<()> {
        Ok(raw::delete(&self.fd, fd)?)
    }

    /// Waits until something is ready or the time is over; at most 64 at once.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<Vec<Ready>> {
        let timeout = timeout.map(|t| rustix::time::Timespec {
            tv_sec: t.as_secs().min(1 << 30) as i64,
            tv_nsec: i64::from(t.subsec_nanos()),
        });
        self.events.clear();
        match raw::wait(
            &self.fd,
            rustix::buffer::spare_capacity(&mut self.events),
            timeout.as_ref(),
        ) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        let ready = self.events.iter().map(|e| Ready {
            token: e.data.u64(),
            flags: e.flags,
        });
        Ok(ready.collect())
    }
}

/// Signals as a descriptor. Making one blocks those signals for this thread and all processes
/// that it makes, programs too (but for those of [`crate::process::new_session`]).
#[derive(Debug)]
pub struct Signals(OwnedFd);

impl Signals {
    /// Takes these signals.
    pub fn new(signals: &[i32]) -> io::Result<Self> {
        // SAFETY: `set` is a valid place; all calls take valid signal numbers or fail.
        let fd = unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            for signal in signals {
                libc::sigaddset(&raw mut set, *signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
            libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just made this descriptor for us.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The number of the next signal that came, if one has.
    pub fn take(&self) -> Option<i32> {
        // SAFETY: all bytes of the structure may be zero.
        let mut info: libc::signalfd_siginfo = unsafe { std::mem::zeroed() };
        let size = size_of_val(&info);
        // SAFETY: a valid place of that size.
        let got = unsafe { libc::read(self.0.as_raw_fd(), (&raw mut info).cast(), size) };
        (got == size as isize).then_some(info.ssi_signo as i32)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
