//! Cables out and in, and what the nodes see of it.

use std::time::Duration;

use sys::bpf::Redirect;

use crate::support::{ALL, Bench, both, frame, reach};

both!(unplugged_on_a_segment, super::segment);
both!(unplugged_on_a_hub, super::hub);
both!(mirrored_on_a_link, super::link);
both!(mirrored_when_a_node_sets_it_down, super::node);

fn segment(redirect: Option<Redirect>) {
    let mut bench = Bench::joined(redirect, 2, false);
    let ports = bench.ports();
    reach(&ports[0], &ports[1], &frame(ALL, 0, b"before"));
    bench.panel.set_plugged(bench.ends[0], false).unwrap();
    assert!(!bench.panel.is_plugged(bench.ends[0]).unwrap());
    assert!(!bench.nodes[0].link("eth0").carrier);
    assert!(
        bench.nodes[1].link("eth0").carrier,
        "on a segment the others keep theirs"
    );
    // neither side's frames go anywhere
    let _ = ports[0].try_send(&frame(ALL, 0, b"lost"));
    let _ = ports[1].try_send(&frame(ALL, 1, b"lost"));
    bench.panel.set_plugged(bench.ends[0], true).unwrap();
    assert!(bench.nodes[0].link("eth0").carrier);
    let (there, back) = (frame(ALL, 0, b"after"), frame(ALL, 1, b"after"));
    reach(&ports[0], &ports[1], &there);
    reach(&ports[1], &ports[0], &back);
    let lost = |f: &Vec<u8>| f[14..].starts_with(b"lost");
    assert!(
        !ports
            .iter()
            .flat_map(testkit::Port::drain)
            .any(|f| lost(&f))
    );
}

fn hub(redirect: Option<Redirect>) {
    let mut bench = Bench::joined(redirect, 3, false);
    let ports = bench.ports();
    crate::support::warm_up(&ports);
    bench.panel.set_plugged(bench.ends[2], false).unwrap();
    assert!(!bench.nodes[2].link("eth0").carrier);
    reach(&ports[0], &ports[1], &frame(ALL, 0, b"the others go on"));
    assert!(ports[2].drain().is_empty());
    bench.panel.set_plugged(bench.ends[2], true).unwrap();
    reach(&ports[0], &ports[2], &frame(ALL, 0, b"back"));
}

fn link(redirect: Option<Redirect>) {
    let mut bench = Bench::joined(redirect, 2, true);
    bench.await_carrier(0, true);
    bench.await_carrier(1, true);
    let ends = bench.ends.clone();
    bench.panel.set_plugged(ends[0], false).unwrap();
    assert!(!bench.nodes[0].link("eth0").carrier);
    assert!(
        !bench.nodes[1].link("eth0").carrier,
        "a link's other end loses it too"
    );
    // that one's cable out as well; the first one back: still no link
    bench.panel.set_plugged(ends[1], false).unwrap();
    bench.panel.set_plugged(ends[0], true).unwrap();
    while bench.pump(Duration::from_millis(50)) {}
    assert!(!bench.nodes[0].link("eth0").carrier);
    bench.panel.set_plugged(ends[1], true).unwrap();
    bench.await_carrier(1, true);
    bench.await_carrier(0, true);
    let ports = bench.ports();
    reach(&ports[0], &ports[1], &frame(ALL, 0, b"there"));
    reach(&ports[1], &ports[0], &frame(ALL, 1, b"back"));
}

fn node(redirect: Option<Redirect>) {
    let mut bench = Bench::joined(redirect, 2, true);
    // first the events that tell that both are up
    while bench.pump(Duration::from_millis(50)) {}
    for (down, other) in [(0, 1), (1, 0)] {
        bench.nodes[down].set_up("eth0", false);
        bench.await_carrier(other, false);
        bench.nodes[down].set_up("eth0", true);
        bench.await_carrier(other, true);
        bench.await_carrier(down, true);
    }
    // both down, then up again in either order
    for order in [[0, 1], [1, 0]] {
        bench.nodes[0].set_up("eth0", false);
        bench.await_carrier(1, false);
        bench.nodes[1].set_up("eth0", false);
        while bench.pump(Duration::from_millis(50)) {}
        for node in order {
            bench.nodes[node].set_up("eth0", true);
            while bench.pump(Duration::from_millis(50)) {}
        }
        bench.await_carrier(0, true);
        bench.await_carrier(1, true);
    }
}
