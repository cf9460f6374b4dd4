//! Nothing of the panel ever speaks into a node.

use std::time::{Duration, Instant};

use panel::Wire;
use sys::bpf::Redirect;

use crate::support::{ALL, Bench, both, frame};

both!(nothing_arrives_by_itself, super::idle);
both!(nobody_answers, super::answers);

/// A wire, a hub and an open end, listened to for two seconds from the moment they are made.
fn idle(redirect: Option<Redirect>) {
    let mut bench = Bench::new(redirect, 6);
    let ports = bench.ports();
    let ends = bench.ends.clone();
    let wire = |segment, ends: &[panel::FarEnd]| Wire {
        segment,
        ends: ends.to_vec(),
        mirror: true,
    };
    let wires = [
        wire("wire", &ends[..2]),
        wire("hub", &ends[2..5]),
        wire("open", &ends[5..]),
    ];
    bench.panel.connect(&wires).unwrap();
    bench.all_up();
    let end = Instant::now() + Duration::from_secs(2);
    while Instant::now() < end {
        bench.pump(Duration::from_millis(100));
    }
    for (node, port) in ports.iter().enumerate() {
        assert_eq!(port.drain(), Vec::<Vec<u8>>::new(), "at node {node}");
    }
}

/// An ARP request for an address that nobody has, and a frame to an open end: no answer.
fn answers(redirect: Option<Redirect>) {
    let bench = Bench::joined(redirect, 1, false);
    let port = &bench.ports()[0];
    for target in [[127, 0, 0, 1], [10, 0, 0, 1]] {
        let mut arp = [&ALL[..], &[2, 0, 0, 0, 0, 0, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1]].concat();
        arp.extend([2, 0, 0, 0, 0, 0, 10, 0, 0, 9, 0, 0, 0, 0, 0, 0]);
        arp.extend(target);
        port.send(&arp);
    }
    port.send(&frame(ALL, 0, b"anybody?"));
    assert_eq!(port.receive_within(Duration::from_secs(1)), None);
}
