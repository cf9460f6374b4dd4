//! A packet socket that sees the frames of many interfaces: one receive ring (`TPACKET_V3`), a
//! filter in the kernel that says whose frames go into it, the offload header (`virtio_net_hdr`)
//! of each. See packet(7) and the kernel's `networking/packet_mmap.rst`.
//!
//! The socket is bound to no interface: one does for a whole network namespace, and closing it
//! costs the same however many interfaces it saw.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

mod filter;
mod ring;

pub use ring::Frame;
use ring::Ring;

/// Bytes of the offload header that comes with each frame.
pub const VNET_HEADER: usize = 10;

/// Which frames of an interface are admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admit {
    /// Those that come in on it.
    Ingress,
    /// Those that come in and those that go out.
    Both,
}

/// Which way a frame went through its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It came in.
    Ingress,
    /// It went out.
    Egress,
}

/// How a ring is made.
#[derive(Clone, Copy, Debug)]
pub struct RingSize {
    /// Bytes of a block, a power of two times the page size. Frames that do not fit into one
    /// are cut off.
    pub block: u32,
    /// How many blocks.
    pub blocks: u32,
    /// Milliseconds after which a block that is not full is handed over.
    pub timeout: u32,
}

/// What a socket has counted since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that passed the filter, lost ones included.
    pub admitted: u32,
    /// Frames that were lost since the ring was full.
    pub dropped: u32,
}

/// A packet socket with its ring.
#[derive(Debug)]
pub struct PacketSocket {
    // before the descriptor, so that it is unmapped first
    ring: Ring,
    fd: OwnedFd,
}

impl PacketSocket {
    /// A socket of this thread's network namespace that admits nothing yet. Needs
    /// `CAP_NET_RAW` there; nothing that is done with it later needs any.
    pub fn open(size: RingSize) -> io::Result<Self> {
        let fd = socket()?;
        let version = libc::tpacket_versions::TPACKET_V3 as i32;
        set(&fd, libc::SOL_PACKET, libc::PACKET_VERSION, &version)?;
        set(&fd, libc::SOL_PACKET, libc::PACKET_VNET_HDR, &1_i32)?;
        attach(&fd, &filter::program(&BTreeMap::new()))?;
        let request = libc::tpacket_req3 {
            tp_block_size: size.block,
            tp_block_nr: size.blocks,
            tp_frame_size: ring::FRAME,
            tp_frame_nr: size.block / ring::FRAME * size.blocks,
            tp_retire_blk_tov: size.timeout,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        set(&fd, libc::SOL_PACKET, libc::PACKET_RX_RING, &request)?;
        let ring = Ring::map(fd.as_fd(), size.block as usize, size.blocks as usize)?;
        bind(&fd)?;
        Ok(Self { ring, fd })
    }

    /// Admits from now on the frames of these interfaces, by index. The filter may admit frames
    /// of others where there are too many to tell apart; it never keeps out what it should
    /// admit. Frames that are in the ring already stay.
    pub fn admit(&self, interfaces: &BTreeMap<u32, Admit>) -> io::Result<()> {
        attach(&self.fd, &filter::program(interfaces))
    }

    /// Gives `each` the frames of the next block that the kernel has handed over, oldest first;
    /// how many there were. `None`: there is no such block yet (wait until the socket is
    /// readable).
    pub fn receive(&mut self, each: impl FnMut(Frame<'_>)) -> Option<usize> {
        self.ring.receive(each)
    }

    /// What was counted since the last call.
    pub fn counts(&self) -> io::Result<Counts> {
        let mut stats = libc::tpacket_stats_v3 {
            tp_packets: 0,
            tp_drops: 0,
            tp_freeze_q_cnt: 0,
        };
        let mut length = size_of_val(&stats) as libc::socklen_t;
        // SAFETY: a valid place for the answer and its length.
        let done = unsafe {
            libc::getsockopt(
                self.fd.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut stats).cast(),
                &raw mut length,
            )
        };
        check(done)?;
        Ok(Counts {
            admitted: stats.tp_packets,
            dropped: stats.tp_drops,
        })
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A socket that receives nothing, since it asks for no protocol.
fn socket() -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: plain numbers.
    let fd = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
    check(fd.min(0))?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Begins to receive every protocol on every interface.
fn bind(fd: &OwnedFd) -> io::Result<()> {
    // SAFETY: all fields of the address may be zero.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    let length = size_of_val(&address) as libc::socklen_t;
    // SAFETY: a valid address of the given length.
    check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length) })
}

fn attach(fd: &OwnedFd, program: &[libc::sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: program.len() as u16,
        // the kernel only reads through this pointer
        filter: program.as_ptr().cast_mut(),
    };
    set(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

fn set<T>(fd: &OwnedFd, level: i32, name: i32, value: &T) -> io::Result<()> {
    let length = size_of::<T>() as libc::socklen_t;
    let value: *const T = value;
    // SAFETY: a valid place of the given length, which the call only reads; the one option with
    // a pointer in it (a filter) is set while what that points to lives.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value.cast(), length) })
}

fn check(returned: i32) -> io::Result<()> {
    if returned < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
