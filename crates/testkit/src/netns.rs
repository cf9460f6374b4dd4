//! A network namespace that a test holds, as a node of a lab would.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::thread;

use sys::netlink::{Link, Socket};
use sys::process::{self, Namespaces};

/// A network namespace; gone when it is dropped. Made by a thread of its own, so that the
/// test stays where it is.
#[derive(Debug)]
pub struct Netns(OwnedFd);

impl Netns {
    /// A new one, with `lo` only.
    pub fn new() -> Self {
        let made = thread::spawn(|| {
            process::unshare(Namespaces::NET).expect("a network namespace");
            File::open("/proc/thread-self/ns/net").expect("its descriptor")
        });
        Self(made.join().expect("the thread ends").into())
    }

    /// Does something inside, on a thread of its own; what it opens there stays usable.
    pub fn run<T: Send>(&self, inside: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let done = scope.spawn(|| {
                process::enter(self.0.as_fd()).expect("the namespace can be entered");
                inside()
            });
            done.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// A netlink socket of this namespace.
    pub fn netlink(&self) -> Socket {
        self.run(|| Socket::open().expect("a netlink socket"))
    }

    /// An interface, which must be there.
    pub fn link(&self, name: &str) -> Link {
        let found = self.netlink().link(name).expect("the interfaces");
        found.unwrap_or_else(|| panic!("there is no interface {name}"))
    }

    /// Sets an interface up or down.
    pub fn set_up(&self, name: &str, up: bool) {
        let index = self.link(name).index;
        self.netlink()
            .set_up(index, up)
            .expect("it goes up or down");
    }

    /// Sets interfaces up and gives them addresses (`10.0.0.1/24`).
    pub fn address(&self, name: &str, address: &str) {
        let index = self.link(name).index;
        let mut socket = self.netlink();
        socket.set_up(index, true).expect("it goes up");
        let address = address.parse().expect("an address with a prefix length");
        socket
            .add_address(index, address)
            .expect("it takes the address");
    }
}

impl Default for Netns {
    fn default() -> Self {
        Self::new()
    }
}

impl AsFd for Netns {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
