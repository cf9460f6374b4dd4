//! Kernel features that nodes use, each done once in the scratch process's network.
//!
//! The kernel says that a kind of interface, queue or filter is not there in one way, and that
//! there is something wrong with the request in others: so a refusal of the second sort also
//! shows that the kind is there. Numbers are those of `linux/if_link.h`, `linux/pkt_sched.h`,
//! `linux/pkt_cls.h` and `linux/netfilter/nfnetlink.h`.

use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use super::rtnl::{Message, Netlink};
use super::{Report, Trial};

const NETLINK_ROUTE: isize = 0;
const NETLINK_XFRM: isize = 6;
const NETLINK_NETFILTER: isize = 12;
const CREATE: u16 = 0x400;
const EXCLUSIVE: u16 = 0x200;
const REPLACE: u16 = 0x100;

/// Numbers of interfaces that other trials build on.
const PAIR: i32 = 100;
const BRIDGE: i32 = 101;

/// Kinds of interfaces that need no more than a name, and those that have a parent.
const PLAIN: &[&str] = &[
    "dummy",
    "ifb",
    "bond",
    "team",
    "wireguard",
    "nlmon",
    "ipip",
    "sit",
    "gre",
    "ip6tnl",
    "ip6gre",
    "vti",
    "geneve",
    "hsr",
];
const CHILDREN: &[&str] = &["macvlan", "ipvlan", "macsec"];

const QUEUES: &[&str] = &[
    "netem", "tbf", "htb", "fq_codel", "sfq", "red", "prio", "cake", "codel", "hfsc",
];
const FILTERS: &[(&str, &str)] = &[
    ("u32", "u32"),
    ("matchall", "matchall"),
    ("flower", "flower"),
    ("bpf", "cls_bpf"),
    ("fw", "fw"),
];

pub(super) fn try_all(report: &mut Report) {
    let route = match Netlink::open(NETLINK_ROUTE) {
        Ok(route) => route,
        Err(e) => return report.add("veth", &Trial::of(Err::<(), _>(e))),
    };
    links(&route, report);
    queues(&route, report);
    filters(&route, report);
    packet_filters(report);
    protocols(report);
}

/// Turns an answer into a trial: errors numbered `absent` say that the thing is not there,
/// and those of missing rights that it cannot be had; others are about the request.
fn judged(answer: io::Result<()>, absent: &[i32]) -> Trial {
    match answer {
        Err(e) => match e.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => Trial::fails("not permitted"),
            Some(code) if absent.contains(&code) => Trial::fails("not in this kernel"),
            _ => Trial::works(""),
        },
        Ok(()) => Trial::works(""),
    }
}

fn link(kind: &str, index: i32, parent: Option<i32>, data: &[(u16, &[u8])]) -> Message {
    let mut fixed = [0; 16];
    fixed[4..8].copy_from_slice(&index.to_ne_bytes());
    let message = Message::new(libc::RTM_NEWLINK, CREATE | EXCLUSIVE).fixed(&fixed);
    let message = match parent {
        Some(parent) => message.attribute(libc::IFLA_LINK, &parent.to_ne_bytes()),
        None => message,
    };
    message.nest(libc::IFLA_LINKINFO, |m| {
        let m = m.text(1, kind);
        match data {
            [] => m,
            data => m.nest(2, |m| {
                data.iter()
                    .fold(m, |m, (kind, value)| m.attribute(*kind, value))
            }),
        }
    })
}

fn links(route: &Netlink, report: &mut Report) {
    let absent = &[libc::EOPNOTSUPP];
    let mut add = |name: &str, message| report.add(name, &judged(route.ask(message), absent));
    add("veth", link("veth", PAIR, None, &[]));
    add("bridge", link("bridge", BRIDGE, None, &[]));
    add("vlan-filtering", bridge_vlan());
    add(
        "vlan",
        link("vlan", 0, Some(PAIR), &[(1, &5u16.to_ne_bytes())]),
    );
    add(
        "vxlan",
        link(
            "vxlan",
            0,
            None,
            &[(1, &5u32.to_ne_bytes()), (15, &4789u16.to_be_bytes())],
        ),
    );
    add("vrf", link("vrf", 0, None, &[(1, &10u32.to_ne_bytes())]));
    for kind in PLAIN {
        add(kind, link(kind, 0, None, &[]));
    }
    for kind in CHILDREN {
        add(kind, link(kind, 0, Some(PAIR), &[]));
    }
    report.add("tun", &Trial::of(tap()));
}

/// Lets a bridge itself take part in VLAN 5.
fn bridge_vlan() -> Message {
    let mut fixed = [0; 16];
    fixed[0] = libc::AF_BRIDGE as u8;
    fixed[4..8].copy_from_slice(&BRIDGE.to_ne_bytes());
    Message::new(libc::RTM_SETLINK, 0)
        .fixed(&fixed)
        .nest(libc::IFLA_AF_SPEC, |m| {
            let on_bridge = 2u16.to_ne_bytes();
            let vlan = [0x20u16.to_ne_bytes(), 5u16.to_ne_bytes()].concat();
            m.attribute(0, &on_bridge).attribute(2, &vlan)
        })
}

fn tap() -> io::Result<()> {
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/net/tun")?;
    // SAFETY: all fields of `ifreq` may be zero.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_ifru.ifru_flags = (libc::IFF_TAP | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: an open device and a valid structure, which the call reads and writes.
    let done = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    match done {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The fixed part of traffic control messages, `struct tcmsg`.
fn traffic(index: i32, handle: u32, parent: u32, info: u32) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.extend_from_slice(&index.to_ne_bytes());
    for number in [handle, parent, info] {
        out.extend_from_slice(&number.to_ne_bytes());
    }
    out
}

fn queues(route: &Netlink, report: &mut Report) {
    let mut add = |name: &str, kind: &str, handle, parent| {
        let message = Message::new(libc::RTM_NEWQDISC, CREATE | REPLACE)
            .fixed(&traffic(PAIR, handle, parent, 0))
            .text(1, kind);
        report.add(name, &judged(route.ask(message), &[libc::ENOENT]));
    };
    for kind in QUEUES {
        add(kind, kind, 0, u32::MAX);
    }
    add("ingress", "clsact", 0xffff_0000, 0xffff_fff1);
}

fn filters(route: &Netlink, report: &mut Report) {
    let absent = &[libc::ENOENT];
    for (priority, (kind, name)) in (1..).zip(FILTERS) {
        report.add(name, &judged(route.ask(filter(kind, priority)), absent));
    }
    // all packets, sent out again: by u32 without a key, or by matchall
    let by_u32 = filter("u32", 20).nest(2, |m| {
        let selector: [u8; 16] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        m.attribute(5, &selector).nest(7, redirect)
    });
    let by_matchall = filter("matchall", 21).nest(2, |m| m.nest(2, redirect));
    let tried = judged(route.ask(by_u32), absent);
    let trial = match tried.works {
        true => tried,
        false => judged(route.ask(by_matchall), absent),
    };
    report.add("mirred", &trial);
}

/// A filter of a kind for all packets, at a priority of its own: kinds cannot share one.
fn filter(kind: &str, priority: u32) -> Message {
    let all_protocols = u32::from(3u16.to_be());
    Message::new(libc::RTM_NEWTFILTER, CREATE)
        .fixed(&traffic(
            PAIR,
            0,
            0xffff_fff2,
            all_protocols | (priority << 16),
        ))
        .text(1, kind)
}

/// One action: `struct tc_mirred`, stolen and redirected to the pair itself.
fn redirect(message: Message) -> Message {
    let numbers: [i32; 7] = [0, 0, 4, 0, 0, 1, PAIR];
    let parameters: Vec<u8> = numbers.iter().flat_map(|n| n.to_ne_bytes()).collect();
    message.nest(1, |m| {
        m.text(1, "mirred").nest(2, |m| m.attribute(2, &parameters))
    })
}

fn packet_filters(report: &mut Report) {
    let absent = &[libc::EINVAL, libc::EOPNOTSUPP, libc::EPROTONOSUPPORT];
    let ask = |subsystem: u16, kind: u16, attributes: fn(Message) -> Message| {
        let message = Message::new((subsystem << 8) | kind, 0).fixed(&[2, 0, 0, 0]);
        let answer = Netlink::open(NETLINK_NETFILTER).and_then(|n| n.ask(attributes(message)));
        judged(answer, absent)
    };
    report.add("nftables", &ask(10, 16, |m| m));
    let compat = ask(11, 0, |m| {
        let zero = 0u32.to_be_bytes();
        m.text(1, "comment").attribute(2, &zero).attribute(3, &zero)
    });
    let legacy = legacy_tables();
    report.add("iptables", if compat.works { &compat } else { &legacy });
    report.add("iptables-legacy", &legacy);
}

/// Asks for the `filter` table as old `iptables` does: `struct ipt_getinfo` of
/// `linux/netfilter_ipv4/ip_tables.h`.
fn legacy_tables() -> Trial {
    const IPT_SO_GET_INFO: i32 = 64;
    let mut info = [0u8; 84];
    info[..6].copy_from_slice(b"filter");
    let mut length = info.len() as libc::socklen_t;
    let answer = raw_socket(libc::IPPROTO_RAW).and_then(|socket| {
        // SAFETY: an open socket, and a buffer of the given length.
        let done = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::IPPROTO_IP,
                IPT_SO_GET_INFO,
                info.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        if done == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    });
    judged(answer, &[libc::ENOPROTOOPT, libc::ENOENT])
}

fn raw_socket(protocol: i32) -> io::Result<std::os::fd::OwnedFd> {
    let protocol = u32::try_from(protocol)
        .ok()
        .and_then(std::num::NonZero::new);
    let protocol = protocol.map(rustix::net::Protocol::from_raw);
    Ok(rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::RAW,
        protocol,
    )?)
}

fn protocols(report: &mut Report) {
    // these files show the network of whoever looks
    let shown = |path: &str| match Path::new(path).exists() {
        true => Trial::works(""),
        false => Trial::fails("not in this kernel"),
    };
    report.add("ipv6", &shown("/proc/sys/net/ipv6/conf/all/forwarding"));
    report.add("mpls", &shown("/proc/sys/net/mpls/platform_labels"));
    report.add("srv6", &shown("/proc/sys/net/ipv6/conf/all/seg6_enabled"));
    let xfrm = Netlink::open(NETLINK_XFRM).map(drop);
    report.add("xfrm", &judged(xfrm, &[libc::EPROTONOSUPPORT]));
    report.add(
        "mroute",
        &judged(multicast_router(), &[libc::ENOPROTOOPT, libc::EOPNOTSUPP]),
    );
}

/// Becomes the multicast router of this network (`MRT_INIT`, `linux/mroute.h`).
fn multicast_router() -> io::Result<()> {
    const MRT_INIT: i32 = 200;
    let socket = raw_socket(libc::IPPROTO_IGMP)?;
    let on = 1i32;
    // SAFETY: an open socket, and a pointer to a number of the given length.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            MRT_INIT,
            (&raw const on).cast(),
            size_of_val(&on) as libc::socklen_t,
        )
    };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
