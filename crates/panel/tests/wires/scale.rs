//! A thousand nodes on a ring: made at once, and quickly.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use panel::{FarEnd, NewInterface, Panel, Wire};
use sys::bpf::Redirect;
use sys::netlink::Socket;
use testkit::Netns;

use crate::support::{Bench, both};

const NODES: usize = 1000;
/// Far more than it takes on any machine that tests run on; far less than one by one would.
const MOST_SECONDS: f64 = 20.0;

both!(a_thousand_nodes_on_a_ring, super::ring);

fn ring(redirect: Option<Redirect>) {
    sys::process::raise_open_files();
    let nodes: Vec<Netns> = (0..NODES).map(|_| Netns::new()).collect();
    let begun = Instant::now();
    let mut panel = Panel::new(redirect).unwrap();
    let list: Vec<NewInterface<'_>> = (0..2 * NODES).map(|i| interface(&nodes, i)).collect();
    let ends = panel.add_interfaces(&list).unwrap();
    let made = begun.elapsed().as_secs_f64();
    connect(&mut panel, &ends);
    let wired = begun.elapsed().as_secs_f64();
    drop(list);
    let mut bench = Bench { panel, nodes, ends };
    bring_up(&bench);
    let up = begun.elapsed().as_secs_f64();
    while bench.pump(Duration::ZERO) {}
    bench.panel.settle().unwrap();
    let settled = begun.elapsed().as_secs_f64();
    testkit::say(&format!(
        "measured: {} interfaces {made:.2} s, wired {wired:.2} s, set up {up:.2} s, carriers \
         settled {settled:.2} s",
        2 * NODES
    ));
    assert!(wired < MOST_SECONDS && settled - up < MOST_SECONDS);
}

fn interface(nodes: &[Netns], i: usize) -> NewInterface<'_> {
    NewInterface {
        node: (i / 2) as u32,
        position: (i % 2) as u32,
        name: ["eth0", "eth1"][i % 2],
        mac: [2, 0, 0, 1, (i >> 8) as u8, i as u8],
        mtu: 1500,
        netns: nodes[i / 2].as_fd(),
    }
}

/// Each node to the next, by mirrored links.
fn connect(panel: &mut Panel, ends: &[FarEnd]) {
    let names: Vec<String> = (0..NODES).map(|i| format!("ring{i}")).collect();
    let wires = names.iter().enumerate().map(|(i, segment)| Wire {
        segment,
        ends: vec![ends[2 * i + 1], ends[(2 * i + 2) % ends.len()]],
        mirror: true,
    });
    panel.connect(&wires.collect::<Vec<_>>()).unwrap();
}

fn bring_up(bench: &Bench) {
    for node in &bench.nodes {
        let mut socket: Socket = node.netlink();
        for link in socket.links().unwrap() {
            socket.set_up(link.index, true).unwrap();
        }
    }
}
