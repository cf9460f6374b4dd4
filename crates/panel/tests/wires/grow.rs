//! A segment that grows and shrinks while it is used.

use panel::Wire;
use sys::bpf::Redirect;

use crate::support::{Bench, both, frame, mac, reach, warm_up};

both!(two_three_two, super::grow);
both!(wires_are_switched, super::switch);

fn grow(redirect: Option<Redirect>) {
    let mut bench = Bench::new(redirect, 3);
    bench.all_up();
    let ports = bench.ports();
    let ends = bench.ends.clone();
    bench.panel.join("lan", ends[0]).unwrap();
    bench.panel.join("lan", ends[1]).unwrap();
    warm_up(&ports[..2]);
    ports[0].send(&frame(mac(1), 0, b"two"));
    ports[1].expect(&frame(mac(1), 0, b"two"));

    bench.panel.join("lan", ends[2]).unwrap();
    warm_up(&ports);
    let reports = bench.panel.describe().unwrap();
    assert_eq!(reports[0].kind, plan::WireKind::Bridge);
    assert!(reports[0].bridge.is_some());
    // the two that were there from the beginning are joined by the bridge only: once
    assert!(ports[1].drain().is_empty());
    ports[0].send(&frame(mac(1), 0, b"once"));
    ports[1].expect(&frame(mac(1), 0, b"once"));
    ports[2].expect(&frame(mac(1), 0, b"once"));
    assert!(ports[1].drain().is_empty());

    bench.panel.leave(ends[1]).unwrap();
    reach(
        &ports[0],
        &ports[2],
        &frame(mac(2), 0, b"the two that stay"),
    );
    reach(&ports[2], &ports[0], &frame(mac(0), 2, b"and back"));
    assert!(ports[1].drain().is_empty());
    let reports = bench.panel.describe().unwrap();
    assert_eq!(
        (reports[0].kind, &reports[0].bridge),
        (plan::WireKind::Wire, &None)
    );

    bench.panel.remove_interfaces(&ends[1..2]).unwrap();
    assert!(bench.nodes[1].netlink().link("eth0").unwrap().is_none());
    bench.panel.leave(ends[2]).unwrap();
    assert_eq!(
        bench.panel.describe().unwrap()[0].kind,
        plan::WireKind::Open
    );
}

/// The same far ends, wired otherwise: what one sends arrives at its new partner and no more at
/// its old one.
fn switch(redirect: Option<Redirect>) {
    let mut bench = Bench::new(redirect, 4);
    bench.all_up();
    let ports = bench.ports();
    let ends = bench.ends.clone();
    for round in 0..3u8 {
        for partner in 1..4 {
            let [other, third]: [usize; 2] = match partner {
                1 => [2, 3],
                2 => [1, 3],
                _ => [1, 2],
            };
            let first = Wire {
                segment: "x",
                ends: vec![ends[0], ends[partner]],
                mirror: false,
            };
            let second = Wire {
                segment: "y",
                ends: vec![ends[other], ends[third]],
                mirror: false,
            };
            bench.panel.connect(&[first, second]).unwrap();
            let text = frame(mac(9), 0, &[b'r', round, partner as u8]);
            ports[0].send(&text);
            ports[partner].expect(&text);
            let text = frame(mac(9), other as u8, &[b's', round, partner as u8]);
            ports[other].send(&text);
            ports[third].expect(&text);
            assert!(ports.iter().all(|p| p.drain().is_empty()));
        }
    }
}
