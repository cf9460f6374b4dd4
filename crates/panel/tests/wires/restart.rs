//! A node's restart: its interface comes back, its wire stays.

use std::os::fd::AsFd;

use sys::bpf::Redirect;
use sys::netlink::link;
use testkit::{Netns, Port};

use crate::support::{ALL, Bench, both, frame, mac, quiet_node, reach};

both!(an_interface_moves, |r| super::restart(r, 2, |_| ()));
both!(an_interface_moves_at_a_hub, |r| super::restart(
    r,
    3,
    |_| ()
));
both!(a_changed_one_is_put_right, |r| super::restart(
    r,
    2,
    super::change
));
both!(a_removed_one_is_made_anew, |r| super::restart(
    r,
    2,
    super::remove
));
both!(a_hidden_one_is_made_anew, |r| super::restart(
    r,
    3,
    super::hide
));

fn restart(redirect: Option<Redirect>, nodes: usize, spoil: impl Fn(&Netns)) {
    let mut bench = Bench::joined(redirect, nodes, false);
    let ports = bench.ports();
    reach(&ports[0], &ports[1], &frame(mac(1), 0, b"before"));
    for _ in 0..2 {
        spoil(&bench.nodes[1]);
        let new = quiet_node();
        let old = std::mem::replace(&mut bench.nodes[1], new);
        let ends = &bench.ends[1..2];
        bench
            .panel
            .move_interfaces(ends, old.as_fd(), bench.nodes[1].as_fd())
            .unwrap();
        drop(old);
        let link = bench.nodes[1].link("eth0");
        assert_eq!(
            (link.mac, link.mtu, link.is_up()),
            (Some(mac(1)), 1500, false)
        );
        bench.nodes[1].set_up("eth0", true);
        let port = Port::open(&bench.nodes[1], "eth0");
        reach(&ports[0], &port, &frame(mac(1), 0, b"after"));
        reach(&port, &ports[0], &frame(ALL, 1, b"back"));
    }
}

fn change(node: &Netns) {
    let index = node.link("eth0").index;
    let requests = [
        link::set_up(index, false),
        link::rename(index, "wan"),
        link::set_mac(index, mac(77)),
        link::set_mtu(index, 9000),
        link::set_up(index, true),
    ];
    node.netlink().run(&requests).unwrap();
}

fn remove(node: &Netns) {
    let index = node.link("eth0").index;
    node.netlink().run(&[link::delete(index)]).unwrap();
}

/// Moves it into a namespace that nobody else knows, and keeps that open.
fn hide(node: &Netns) {
    let hidden = Netns::new();
    let index = node.link("eth0").index;
    node.netlink()
        .run(&[link::set_netns(index, hidden.as_fd())])
        .unwrap();
    std::mem::forget(hidden);
}
