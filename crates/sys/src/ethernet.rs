//! A packet socket at one interface: whole frames out and in, a system call for each. For tests
//! and for talking to a node now and then; see [`crate::packet_socket`] for many interfaces.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// `ETH_P_ALL` in network byte order.
const ALL: u16 = 0x0003u16.to_be();
const VLAN_VALID: u32 = 1 << 4;
const VLAN_TPID_VALID: u32 = 1 << 6;

/// Frames in and out at one interface. What the interface itself sends is not seen.
#[derive(Debug)]
pub struct EthernetSocket(OwnedFd);

impl EthernetSocket {
    /// Opens one at the interface of a number, in this thread's network namespace.
    pub fn open(index: u32) -> io::Result<Self> {
        let flags = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: plain numbers. Without a protocol it hears nothing until it is bound.
        let fd = unsafe { libc::socket(libc::AF_PACKET, flags, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just made this descriptor for us.
        let socket = Self(unsafe { OwnedFd::from_raw_fd(fd) });
        socket.set(libc::PACKET_IGNORE_OUTGOING)?;
        socket.set(libc::PACKET_AUXDATA)?;
        socket.bind(index)?;
        Ok(socket)
    }

    fn set(&self, option: i32) -> io::Result<()> {
        let (on, fd) = (1i32, self.0.as_raw_fd());
        let size = size_of_val(&on) as u32;
        // SAFETY: a number and its size.
        let done =
            unsafe { libc::setsockopt(fd, libc::SOL_PACKET, option, (&raw const on).cast(), size) };
        check(done as isize).map(drop)
    }

    fn bind(&self, index: u32) -> io::Result<()> {
        // SAFETY: all bytes of the structure may be zero.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = ALL;
        address.sll_ifindex = index.cast_signed();
        let size = size_of_val(&address) as u32;
        // SAFETY: a valid address of that size.
        let done = unsafe { libc::bind(self.0.as_raw_fd(), (&raw const address).cast(), size) };
        check(done as isize).map(drop)
    }

    /// Sends one frame, from its destination address on, without a checksum at its end.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        let (place, size) = (frame.as_ptr().cast(), frame.len());
        // SAFETY: the place and size of one slice.
        check(unsafe { libc::send(self.0.as_raw_fd(), place, size, 0) }).map(drop)
    }

    /// The next frame that comes in, with its VLAN tag put back in its place; `None` if there
    /// is none within the time.
    pub fn receive(&self, timeout: Duration) -> io::Result<Option<Vec<u8>>> {
        let time = Timespec {
            tv_sec: timeout.as_secs().min(1 << 30) as i64,
            tv_nsec: timeout.subsec_nanos().into(),
        };
        if poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&time))? == 0 {
            return Ok(None);
        }
        let mut frame = vec![0; 1 << 16];
        let (size, tag) = match self.read(&mut frame) {
            // that it was down for a while is told once, instead of a frame
            Err(e) if e.raw_os_error() == Some(libc::ENETDOWN) => {
                return self.receive(timeout);
            }
            other => other?,
        };
        frame.truncate(size);
        if let (Some(tag), true) = (tag, size >= 12) {
            frame.splice(12..12, tag);
        }
        Ok(Some(frame))
    }

    fn read(&self, frame: &mut [u8]) -> io::Result<(usize, Option<[u8; 4]>)> {
        let mut part = libc::iovec {
            iov_base: frame.as_mut_ptr().cast(),
            iov_len: frame.len(),
        };
        let mut control = [0u64; 16];
        // SAFETY: all bytes of the structure may be zero.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&control) as _;
        // SAFETY: all places are valid, with their sizes, through the call.
        let size = check(unsafe { libc::recvmsg(self.0.as_raw_fd(), &raw mut message, 0) })?;
        // SAFETY: the kernel has filled `message`, whose control part still stands.
        Ok((size.cast_unsigned(), unsafe { tag(&message) }))
    }
}

/// The VLAN tag that the kernel took out of a frame.
///
/// # Safety
/// `message` was filled by `recvmsg`, and its control part still stands.
unsafe fn tag(message: &libc::msghdr) -> Option<[u8; 4]> {
    // SAFETY: as the caller says.
    let first = unsafe { libc::CMSG_FIRSTHDR(message).as_ref() }?;
    if (first.cmsg_level, first.cmsg_type) != (libc::SOL_PACKET, libc::PACKET_AUXDATA) {
        return None;
    }
    // SAFETY: behind such a header the kernel puts this structure, perhaps not aligned for it.
    let aux: libc::tpacket_auxdata =
        unsafe { std::ptr::read_unaligned(libc::CMSG_DATA(first).cast()) };
    if aux.tp_status & VLAN_VALID == 0 {
        return None;
    }
    let known = aux.tp_status & VLAN_TPID_VALID != 0;
    let [a, b] = if known { aux.tp_vlan_tpid } else { 0x8100 }.to_be_bytes();
    let [c, d] = aux.tp_vlan_tci.to_be_bytes();
    Some([a, b, c, d])
}

impl AsFd for EthernetSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn check(returned: isize) -> io::Result<isize> {
    if returned < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(returned)
}

/// The speed in Mbit/s that the driver of an interface of this thread's network namespace
/// reports; `None` if it knows none. (`/sys` would show another namespace's interfaces.)
pub fn speed(interface: &str) -> io::Result<Option<u32>> {
    const ETHTOOL_GSET: u32 = 1;
    const SPEED: std::ops::Range<usize> = 12..14;
    const SPEED_HIGH: std::ops::Range<usize> = 28..30;
    // struct ethtool_cmd: 44 bytes, speed in two halves
    let mut command = [0u32; 11];
    command[0] = ETHTOOL_GSET;
    // SAFETY: all bytes of the structure may be zero.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if interface.len() >= request.ifr_name.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (place, byte) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *place = byte.cast_signed();
    }
    request.ifr_ifru.ifru_data = command.as_mut_ptr().cast();
    let socket = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::DGRAM,
        None,
    )?;
    // SAFETY: a valid request whose data is as large as that command's structure.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut request) };
    check(done as isize)?;
    let bytes: Vec<u8> = command.into_iter().flat_map(u32::to_ne_bytes).collect();
    let half = |range: std::ops::Range<usize>| {
        u32::from(u16::from_ne_bytes([
            bytes[range.start],
            bytes[range.start + 1],
        ]))
    };
    let speed = half(SPEED) | half(SPEED_HIGH) << 16;
    Ok((speed != 0 && speed != u32::MAX && speed != 0xffff).then_some(speed))
}
