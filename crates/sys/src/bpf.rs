//! One small program for the kernel, made here byte by byte: the quick kind of wire. It runs on
//! every frame that arrives at a far end, looks in a table for where that far end is wired to,
//! and puts the frame into the other node directly (`bpf_redirect_peer`), past one queue that a
//! redirect to the interface in between would take.
//!
//! The kernel lets only the host's root load programs, but whoever has the descriptors of the
//! program and its table may use them: [`Redirect::load`] is done outside the lab,
//! [`Redirect::from_fds`] inside (tried: attaching by descriptor takes CAP_NET_ADMIN in the
//! interface's network namespace only, mapping the table takes nothing). After that, switching
//! a wire is a store to memory.
//!
//! Layouts and numbers: `linux/bpf.h`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

const BPF_MAP_CREATE: libc::c_long = 0;
const BPF_PROG_LOAD: libc::c_long = 5;
const BPF_MAP_TYPE_ARRAY: u32 = 2;
const BPF_PROG_TYPE_SCHED_CLS: u32 = 3;
const BPF_F_MMAPABLE: u32 = 1 << 10;

/// Interface numbers from 0 up to this one, not included, can be wired.
pub const INTERFACES: u32 = 1 << 15;
/// Words of a table entry: the target's number, its address in two words, one unused.
const WORDS: usize = 4;
const TABLE: usize = INTERFACES as usize * WORDS * 4;

/// Where frames of a far end go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Number of the far end on the other side.
    pub index: u32,
    /// Address of that node's interface. Frames to it take the shortest way; all others (groups,
    /// other stations) the one that has the kernel sort them as it does on any Ethernet.
    pub mac: [u8; 6],
}

/// The program and its table.
#[derive(Debug)]
pub struct Redirect {
    program: OwnedFd,
    map: OwnedFd,
    table: Table,
}

impl Redirect {
    /// Loads the program into the kernel; takes CAP_BPF and CAP_NET_ADMIN on the host.
    ///
    /// # Errors
    /// Where that is not allowed, or the kernel is older than 5.10.
    pub fn load() -> io::Result<Self> {
        let map = create_map().map_err(|e| explain("its table", &e))?;
        let program = load_program(&map).map_err(|e| explain("the program", &e))?;
        Self::from_fds(program, map)
    }

    /// From descriptors that came from [`Redirect::into_fds`] in another process.
    pub fn from_fds(program: OwnedFd, map: OwnedFd) -> io::Result<Self> {
        let table = Table::map(map.as_fd())?;
        Ok(Self {
            program,
            map,
            table,
        })
    }

    /// The descriptors of the program and its table, to be passed on.
    pub fn into_fds(self) -> (OwnedFd, OwnedFd) {
        (self.program, self.map)
    }

    /// The program, for [`crate::tc::run_program`].
    pub fn program(&self) -> BorrowedFd<'_> {
        self.program.as_fd()
    }

    /// Whether far ends of this number can be wired with it.
    pub fn covers(&self, index: u32) -> bool {
        index < INTERFACES
    }

    /// Wires what comes from far end number `from`; `None`: the program lets its frames pass on
    /// to what else handles them. Says `false` if the number is too large for the table.
    pub fn wire(&self, from: u32, target: Option<Target>) -> bool {
        let Some([index, high, low, _]) = self.table.entry(from) else {
            return false;
        };
        // at no moment does an entry hold the one target's number with the other's address
        high.store(0, Ordering::Release);
        low.store(0, Ordering::Release);
        index.store(target.map_or(0, |t| t.index), Ordering::Release);
        if let Some(Target {
            mac: [a, b, c, d, e, f],
            ..
        }) = target
        {
            low.store(u32::from_ne_bytes([e, f, 0, 0]), Ordering::Release);
            high.store(u32::from_ne_bytes([a, b, c, d]), Ordering::Release);
        }
        true
    }
}

/// The program's table in this process's memory.
#[derive(Debug)]
struct Table(NonNull<[AtomicU32; WORDS]>);

impl Table {
    fn map(map: BorrowedFd<'_>) -> io::Result<Self> {
        // SAFETY: a new mapping at a place that the kernel chooses.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                TABLE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                map.as_raw_fd(),
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(explain(
                "the mapping of its table",
                &io::Error::last_os_error(),
            ));
        }
        NonNull::new(address.cast())
            .map(Self)
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn entry(&self, index: u32) -> Option<&[AtomicU32; WORDS]> {
        // SAFETY: the mapping holds INTERFACES entries (the kernel refuses to map more of a map
        // than there is), lives as long as `self`, and is touched by atomic operations only.
        (index < INTERFACES).then(|| unsafe { self.0.add(index as usize).as_ref() })
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own; no reference outlives it.
        unsafe { libc::munmap(self.0.as_ptr().cast(), TABLE) };
    }
}

fn explain(what: &str, error: &io::Error) -> io::Error {
    let why = match error.kind() {
        io::ErrorKind::PermissionDenied => "only the host's root may load it (CAP_BPF)".into(),
        io::ErrorKind::InvalidInput => "this kernel does not take it (5.10 and later do)".into(),
        _ => error.to_string(),
    };
    io::Error::new(error.kind(), format!("{what}: {why}"))
}

/// Begins of `union bpf_attr`: only as much of it as the two commands here use.
fn bpf(command: libc::c_long, attributes: &mut [u64; 16]) -> io::Result<OwnedFd> {
    let (place, size) = (attributes.as_mut_ptr(), size_of_val(attributes));
    // SAFETY: a valid structure of that size; unused fields are zero as the kernel demands.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, command, place, size) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor (close-on-exec) for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Two numbers of 32 bits, one after the other in memory.
fn pair(first: u32, second: u32) -> u64 {
    let [a, b, c, d] = first.to_ne_bytes();
    let [e, f, g, h] = second.to_ne_bytes();
    u64::from_ne_bytes([a, b, c, d, e, f, g, h])
}

fn create_map() -> io::Result<OwnedFd> {
    let mut attributes = [0; 16];
    // map_type, key_size; value_size, max_entries; map_flags, inner_map_fd
    attributes[0] = pair(BPF_MAP_TYPE_ARRAY, 4);
    attributes[1] = pair(WORDS as u32 * 4, INTERFACES);
    attributes[2] = pair(BPF_F_MMAPABLE, 0);
    bpf(BPF_MAP_CREATE, &mut attributes)
}

fn load_program(map: &OwnedFd) -> io::Result<OwnedFd> {
    let code = program(map.as_raw_fd());
    let license = c"Dual MIT/GPL";
    let mut attributes = [0; 16];
    // prog_type, insn_cnt; insns; license
    attributes[0] = pair(BPF_PROG_TYPE_SCHED_CLS, code.len() as u32);
    attributes[1] = code.as_ptr() as u64;
    attributes[2] = license.as_ptr() as u64;
    bpf(BPF_PROG_LOAD, &mut attributes)
}

/// One instruction: `struct bpf_insn`.
const fn op(code: u8, to: u8, from: u8, offset: i16, value: i32) -> u64 {
    let [o1, o2] = offset.to_ne_bytes();
    let [v1, v2, v3, v4] = value.to_ne_bytes();
    let registers = if cfg!(target_endian = "little") {
        from << 4 | to
    } else {
        to << 4 | from
    };
    u64::from_ne_bytes([code, registers, o1, o2, v1, v2, v3, v4])
}

const LOAD_HALF: u8 = 0x69;
const LOAD_WORD: u8 = 0x61;
const STORE_WORD: u8 = 0x63;
const LOAD_MAP: u8 = 0x18;
const MOVE: u8 = 0xbf;
const SET: u8 = 0xb7;
const ADD: u8 = 0x07;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;
const JUMP_IF_EQUAL: u8 = 0x15;
const JUMP_IF_NOT_EQUAL: u8 = 0x5d;
const JUMP_IF_GREATER: u8 = 0x2d;

const MAP_LOOKUP_ELEM: i32 = 1;
const REDIRECT: i32 = 23;
const REDIRECT_PEER: i32 = 155;
const PSEUDO_MAP_FD: u8 = 1;
/// Go on with the next filter, and with what comes after filters.
const TC_ACT_UNSPEC: i32 = -1;

/// Offsets in `struct __sk_buff`.
const IFINDEX: i16 = 40;
const DATA: i16 = 76;
const DATA_END: i16 = 80;

/// The program. Halves are compared since a frame's beginning is aligned to two bytes only.
fn program(map: i32) -> [u64; 33] {
    [
        op(MOVE, 6, 1, 0, 0), // r6 = the frame
        op(LOAD_WORD, 2, 1, IFINDEX, 0),
        op(STORE_WORD, 10, 2, -4, 0), // the key: where it arrived
        op(MOVE, 2, 10, 0, 0),
        op(ADD, 2, 0, 0, -4),
        op(LOAD_MAP, 1, PSEUDO_MAP_FD, 0, map),
        op(0, 0, 0, 0, 0), // second half of the instruction before
        op(CALL, 0, 0, 0, MAP_LOOKUP_ELEM),
        op(JUMP_IF_EQUAL, 0, 0, 22, 0), // no entry: pass
        op(LOAD_WORD, 1, 0, 0, 0),      // r1 = the target
        op(JUMP_IF_EQUAL, 1, 0, 20, 0), // none: pass
        op(LOAD_WORD, 2, 6, DATA, 0),
        op(LOAD_WORD, 3, 6, DATA_END, 0),
        op(MOVE, 4, 2, 0, 0),
        op(ADD, 4, 0, 0, 6),
        op(JUMP_IF_GREATER, 4, 3, 12, 0), // not even an address: sort
        op(LOAD_HALF, 4, 2, 0, 0),
        op(LOAD_HALF, 5, 0, 4, 0),
        op(JUMP_IF_NOT_EQUAL, 4, 5, 9, 0), // to others: sort
        op(LOAD_HALF, 4, 2, 2, 0),
        op(LOAD_HALF, 5, 0, 6, 0),
        op(JUMP_IF_NOT_EQUAL, 4, 5, 6, 0),
        op(LOAD_HALF, 4, 2, 4, 0),
        op(LOAD_HALF, 5, 0, 8, 0),
        op(JUMP_IF_NOT_EQUAL, 4, 5, 3, 0),
        op(SET, 2, 0, 0, 0),
        op(CALL, 0, 0, 0, REDIRECT_PEER),
        op(EXIT, 0, 0, 0, 0),
        op(SET, 2, 0, 0, 0), // sort:
        op(CALL, 0, 0, 0, REDIRECT),
        op(EXIT, 0, 0, 0, 0),
        op(SET, 0, 0, 0, TC_ACT_UNSPEC), // pass:
        op(EXIT, 0, 0, 0, 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_is_eight_bytes_in_the_kernels_order() {
        let bytes = op(STORE_WORD, 10, 2, -4, 7).to_ne_bytes();
        if cfg!(target_endian = "little") {
            assert_eq!(bytes, [0x63, 0x2a, 0xfc, 0xff, 7, 0, 0, 0]);
        }
    }

    #[test]
    fn the_kernel_takes_the_program() {
        let redirect = match Redirect::load() {
            Ok(redirect) => redirect,
            Err(e) => return eprintln!("skipped: {e}"),
        };
        let target = Target {
            index: 7,
            mac: [1, 2, 3, 4, 5, 6],
        };
        assert!(redirect.wire(3, Some(target)));
        assert!(redirect.wire(INTERFACES - 1, None));
        assert!(!redirect.wire(INTERFACES, Some(target)));
        let (program, map) = redirect.into_fds();
        let again = Redirect::from_fds(program, map).unwrap();
        let entry = again.table.entry(3).unwrap();
        assert_eq!(entry[0].load(Ordering::Acquire), 7);
        assert_eq!(entry[1].load(Ordering::Acquire).to_ne_bytes(), [1, 2, 3, 4]);
    }
}
