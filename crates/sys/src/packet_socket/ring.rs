//! The receive ring: memory that the kernel fills block by block and this process reads.

use std::io;
use std::mem::offset_of;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{sockaddr_ll, tpacket3_hdr};

use super::{Direction, VNET_HEADER};

/// Frame size that the kernel is told; with this version of the ring it only has to divide the
/// block's.
pub(super) const FRAME: u32 = 2048;

/// Where a block's status stands: behind the version and an offset.
const STATUS: usize = 8;
const FIRST_FRAME: usize = 16;
const FRAMES: usize = 12;
/// Where a frame's address stands, from its header.
const ADDRESS: usize = size_of::<tpacket3_hdr>().next_multiple_of(16);

/// A frame as the kernel passed it.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its interface's index.
    pub interface: u32,
    /// Which way it went.
    pub direction: Direction,
    /// When, in nanoseconds since 1970.
    pub time: u64,
    /// Its bytes from the Ethernet header on, without the VLAN tag that is in `tag`.
    pub bytes: &'a [u8],
    /// How long it is; more than `bytes` when it did not fit into a block.
    pub length: u32,
    /// EtherType and control word of its outermost VLAN tag, which the kernel keeps beside it.
    pub tag: Option<(u16, u16)>,
    /// Its offload header, in this machine's byte order.
    pub vnet: [u8; VNET_HEADER],
}

/// The mapped memory of a ring.
#[derive(Debug)]
pub(super) struct Ring {
    memory: NonNull<u8>,
    block: usize,
    blocks: usize,
    next: usize,
}

impl Ring {
    /// Maps the ring of a socket that has one of this size.
    pub(super) fn map(socket: BorrowedFd<'_>, block: usize, blocks: usize) -> io::Result<Self> {
        // SAFETY: a new mapping at a place that the kernel chooses touches no memory of ours.
        let memory = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                block * blocks,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                socket.as_raw_fd(),
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self {
            memory,
            block,
            blocks,
            next: 0,
        })
    }

    pub(super) fn receive(&mut self, mut each: impl FnMut(Frame<'_>)) -> Option<usize> {
        // SAFETY: `next` is below `blocks`, so the block lies within the mapping.
        let start = unsafe { self.memory.add(self.next * self.block) };
        // SAFETY: the status is an aligned word of the block, and both sides use it atomically.
        let status = unsafe { AtomicU32::from_ptr(start.add(STATUS).cast().as_ptr()) };
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: the block lies within the mapping, and while its status is "user" the kernel
        // leaves it alone. The slice is gone before the status changes.
        let bytes = unsafe { std::slice::from_raw_parts(start.as_ptr(), self.block) };
        let mut count = 0;
        for frame in frames(bytes) {
            each(frame);
            count += 1;
        }
        status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.next = (self.next + 1) % self.blocks;
        Some(count)
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping that `map` made; no borrow of it outlives this value.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.block * self.blocks) };
    }
}

/// The frames of a block. Every offset in it is checked, though only the kernel writes them.
fn frames(block: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    let count = word(block, FRAMES).unwrap_or(0);
    let mut at = word(block, FIRST_FRAME).map_or(0, |offset| offset as usize);
    let headers = (0..count).map_while(move |_| {
        let header = block.get(at..)?;
        at += word(header, offset_of!(tpacket3_hdr, tp_next_offset))? as usize;
        Some(header)
    });
    headers.filter_map(frame)
}

fn frame(header: &[u8]) -> Option<Frame<'_>> {
    let seconds = word(header, offset_of!(tpacket3_hdr, tp_sec))?;
    let nanoseconds = word(header, offset_of!(tpacket3_hdr, tp_nsec))?;
    let start = usize::from(half(header, offset_of!(tpacket3_hdr, tp_mac))?);
    let kept = word(header, offset_of!(tpacket3_hdr, tp_snaplen))? as usize;
    let outgoing =
        header.get(ADDRESS + offset_of!(sockaddr_ll, sll_pkttype))? == &libc::PACKET_OUTGOING;
    let vnet = header.get(start.checked_sub(VNET_HEADER)?..)?;
    Some(Frame {
        interface: word(header, ADDRESS + offset_of!(sockaddr_ll, sll_ifindex))?,
        direction: if outgoing {
            Direction::Egress
        } else {
            Direction::Ingress
        },
        time: u64::from(seconds) * 1_000_000_000 + u64::from(nanoseconds),
        bytes: header.get(start..start + kept)?,
        length: word(header, offset_of!(tpacket3_hdr, tp_len))?,
        tag: tag(header),
        vnet: *vnet.first_chunk()?,
    })
}

fn tag(header: &[u8]) -> Option<(u16, u16)> {
    let status = word(header, offset_of!(tpacket3_hdr, tp_status))?;
    let variant = offset_of!(tpacket3_hdr, hv1);
    let control = word(
        header,
        variant + offset_of!(libc::tpacket_hdr_variant1, tp_vlan_tci),
    )?;
    let protocol = half(
        header,
        variant + offset_of!(libc::tpacket_hdr_variant1, tp_vlan_tpid),
    )?;
    let known = status & libc::TP_STATUS_VLAN_TPID_VALID != 0;
    let protocol = if known {
        protocol
    } else {
        libc::ETH_P_8021Q as u16
    };
    (status & libc::TP_STATUS_VLAN_VALID != 0).then_some((protocol, control as u16))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|b| u32::from_ne_bytes(*b))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|b| u16::from_ne_bytes(*b))
}
