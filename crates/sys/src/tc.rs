//! Traffic control, as far as wires need it: what arrives at an interface is sent out of
//! another one, by a catch-all filter with a `mirred` action. An interface has room for two such
//! filters: to switch a wire the new one is added beside the old one, which is then removed; at
//! no moment is there none. (Actions that are shared by filters could be replaced in place, but
//! the kernel lets only the host's root do that.)
//!
//! Layouts: `linux/pkt_cls.h`, `linux/pkt_sched.h`, `linux/tc_act/tc_mirred.h`.

use std::os::fd::{AsRawFd, BorrowedFd};

use crate::netlink::{Error, Request, Socket, Subject};

const RTM_NEWQDISC: u16 = 36;
const RTM_DELQDISC: u16 = 37;
const RTM_NEWTFILTER: u16 = 44;
const RTM_DELTFILTER: u16 = 45;

const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;

const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_ACT_KIND: u16 = 1;
const TCA_ACT_OPTIONS: u16 = 2;
const TCA_MIRRED_PARMS: u16 = 2;
const TCA_MATCHALL_ACT: u16 = 2;
const TCA_U32_SEL: u16 = 5;
const TCA_U32_ACT: u16 = 7;
const TCA_BPF_FD: u16 = 6;
const TCA_BPF_NAME: u16 = 7;
const TCA_BPF_FLAGS: u16 = 8;

const TCA_BPF_FLAG_ACT_DIRECT: u32 = 1;
const TCA_EGRESS_REDIR: u32 = 1;
const TC_ACT_STOLEN: u32 = 4;

/// `TC_H_CLSACT`, the parent of the queueing discipline itself.
const CLSACT: u32 = 0xffff_fff1;
/// Its handle.
const CLSACT_HANDLE: u32 = 0xffff_0000;
/// The parent of filters on what arrives.
const INGRESS: u32 = 0xffff_fff2;
/// `ETH_P_ALL` in network byte order, as the low half of `tcm_info`.
const ALL_PROTOCOLS: u32 = 0x0003u16.to_be() as u32;

/// One of the two places for a wire's filter; what stands in the first is heeded first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Heeded first.
    First,
    /// Heeded where the first is empty.
    Second,
}

impl Place {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// Priority and protocol, as `tcm_info` has them.
    fn info(self) -> u32 {
        let priority = match self {
            Self::First => 1,
            Self::Second => 2,
        };
        priority << 16 | ALL_PROTOCOLS
    }
}

/// A kind of filter that lets everything match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatchAll {
    /// The kernel's own catch-all.
    Matchall,
    /// Older and found nearly everywhere: compares no bits of the packet.
    U32,
}

impl CatchAll {
    /// Both, the quicker one first.
    pub const ALL: [Self; 2] = [Self::Matchall, Self::U32];

    fn name(self) -> &'static str {
        match self {
            Self::Matchall => "matchall",
            Self::U32 => "u32",
        }
    }

    /// Which of them this kernel has, tried at an interface that has [`hook`] and nothing in the
    /// second place; `None`: neither, or no `mirred`.
    pub fn find(socket: &mut Socket, index: u32) -> Result<Option<Self>, Error> {
        for kind in Self::ALL {
            match socket.run(&[redirect(kind, index, Place::Second, index)]) {
                Ok(()) => {
                    return socket
                        .run(&[cut(index, Place::Second)])
                        .map(|()| Some(kind));
                }
                Err(e) if e.is_unsupported() => {}
                Err(e) => return Err(e),
            }
        }
        Ok(None)
    }
}

/// Makes an interface able to have filters (the `clsact` queueing discipline).
pub fn hook(index: u32) -> Request {
    let kind = (RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
    let header = header(index, CLSACT_HANDLE, CLSACT, 0);
    let mut request = Request::new(kind, &header, "prepare for filters", Subject::Index(index));
    request.text(TCA_KIND, "clsact");
    request
}

/// Takes back [`hook`] and all filters with it.
pub fn unhook(index: u32) -> Request {
    let header = header(index, CLSACT_HANDLE, CLSACT, 0);
    Request::new(
        (RTM_DELQDISC, 0),
        &header,
        "remove filters from",
        Subject::Index(index),
    )
}

/// Sends everything that arrives at `from`, which has [`hook`], out of `to`.
pub fn redirect(kind: CatchAll, from: u32, place: Place, to: u32) -> Request {
    let mut request = filter(from, place, kind.name());
    request.nest(TCA_OPTIONS, &[], |r| match kind {
        CatchAll::Matchall => {
            r.nest(TCA_MATCHALL_ACT, &[], |r| r.nest(1, &[], |r| mirred(r, to)));
        }
        CatchAll::U32 => {
            r.attribute(TCA_U32_SEL, &u32_of_nothing());
            r.nest(TCA_U32_ACT, &[], |r| r.nest(1, &[], |r| mirred(r, to)));
        }
    });
    request
}

/// Lets a program decide about everything that arrives at `from`, which has [`hook`]: what it
/// returns is done (`direct-action`).
pub fn run_program(from: u32, place: Place, program: BorrowedFd<'_>) -> Request {
    let mut request = filter(from, place, "bpf");
    request.nest(TCA_OPTIONS, &[], |r| {
        r.attribute(TCA_BPF_FD, &program.as_raw_fd().to_ne_bytes());
        r.text(TCA_BPF_NAME, "telaio");
        r.number(TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
    });
    request
}

/// Removes the filter of [`redirect`] or [`run_program`].
pub fn cut(from: u32, place: Place) -> Request {
    let header = header(from, 0, INGRESS, place.info());
    Request::new(
        (RTM_DELTFILTER, 0),
        &header,
        "cut the wire at",
        Subject::Index(from),
    )
}

fn filter(from: u32, place: Place, kind: &str) -> Request {
    let flags = (RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL);
    let header = header(from, 0, INGRESS, place.info());
    let mut request = Request::new(flags, &header, "wire", Subject::Index(from));
    request.text(TCA_KIND, kind);
    request
}

/// One action: `struct tc_mirred` with the fields of `tc_gen`: index (chosen by the kernel),
/// capabilities, verdict, two counts of the kernel's; then what to do and where to send to.
fn mirred(request: &mut Request, to: u32) {
    request.text(TCA_ACT_KIND, "mirred");
    let words = [0, 0, TC_ACT_STOLEN, 0, 0, TCA_EGRESS_REDIR, to];
    let parameters: Vec<u8> = words.into_iter().flat_map(u32::to_ne_bytes).collect();
    request.nest(TCA_ACT_OPTIONS, &[], |r| {
        r.attribute(TCA_MIRRED_PARMS, &parameters)
    });
}

/// `struct tc_u32_sel` with one key whose mask has no bits.
fn u32_of_nothing() -> [u8; 32] {
    const TERMINAL: u8 = 1;
    let mut bytes = [0; 32];
    bytes[0] = TERMINAL;
    bytes[2] = 1;
    bytes
}

/// `struct tcmsg`.
fn header(index: u32, handle: u32, parent: u32, info: u32) -> [u8; 20] {
    let mut bytes = [0; 20];
    for (place, word) in bytes
        .chunks_exact_mut(4)
        .skip(1)
        .zip([index, handle, parent, info])
    {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}
