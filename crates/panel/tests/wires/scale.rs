//! A thousand nodes on a ring: made at once, and quickly.

use std::os::fd::AsFd;
use std::time::Instant;

use panel::{FarEnd, NewInterface, Panel, Wire};
use testkit::Netns;

const NODES: usize = 1000;
/// Far more than it takes on any machine that tests run on; far less than one by one would.
const MOST_SECONDS: f64 = 20.0;

#[test]
fn a_thousand_nodes_on_a_ring() {
    testkit::isolated!({
        sys::process::raise_open_files();
        let nodes: Vec<Netns> = (0..NODES).map(|_| Netns::new()).collect();
        let begun = Instant::now();
        let mut panel = Panel::new(None).unwrap();
        let list = (0..2 * NODES).map(|i| NewInterface {
            node: (i / 2) as u32,
            position: (i % 2) as u32,
            name: ["eth0", "eth1"][i % 2],
            mac: [2, 0, 0, 1, (i >> 8) as u8, i as u8],
            mtu: 1500,
            netns: nodes[i / 2].as_fd(),
        });
        let list: Vec<NewInterface<'_>> = list.collect();
        let ends = panel.add_interfaces(&list).unwrap();
        let made = begun.elapsed();
        let names: Vec<String> = (0..NODES).map(|i| format!("ring{i}")).collect();
        let pair =
            |i: usize| -> Vec<FarEnd> { vec![ends[2 * i + 1], ends[(2 * i + 2) % ends.len()]] };
        let wires = names.iter().enumerate().map(|(i, segment)| Wire {
            segment,
            ends: pair(i),
            mirror: false,
        });
        panel.connect(&wires.collect::<Vec<_>>()).unwrap();
        let seconds = begun.elapsed().as_secs_f64();
        testkit::say(&format!(
            "{NODES} nodes, {} interfaces in {:.2} s, wired in {seconds:.2} s altogether",
            2 * NODES,
            made.as_secs_f64()
        ));
        assert!(seconds < MOST_SECONDS);
    });
}
