//! Large labs are read in the blink of an eye.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use formats::Options;
use rustix::time::{ClockId, clock_gettime};

/// What this thread has used of a processor: other work on the machine does not count.
fn used() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap()
}

/// The best of three readings.
fn best_time(folder: &std::path::Path) -> (Duration, usize) {
    let mut best = (Duration::MAX, 0);
    for _ in 0..3 {
        let start = used();
        let read = formats::read(folder, &Options::default()).unwrap_or_else(|e| panic!("{e}"));
        best = best.min((used() - start, read.lab.nodes.len()));
    }
    best
}

/// 100 ms when optimized; tests are not.
const MOST: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1500 } else { 100 });

#[test]
fn a_thousand_nodes_as_lab_conf_and_converted() {
    let folder = tempfile::tempdir().unwrap();
    let mut conf = String::from("LAB_NAME=ring\n");
    for i in 0..1000 {
        writeln!(
            conf,
            "r{i}[0]=L{i}\nr{i}[1]=L{}\nr{i}[image]=kathara/base",
            (i + 1) % 1000
        )
        .unwrap();
        let script = format!("ip address add 10.{}.{}.1/24 dev eth0\n", i / 250, i % 250);
        fs::write(folder.path().join(format!("r{i}.startup")), script).unwrap();
    }
    fs::write(folder.path().join("lab.conf"), conf).unwrap();
    let (time, nodes) = best_time(folder.path());
    assert_eq!(nodes, 1000);
    assert!(time < MOST, "lab.conf: {time:?}");

    let read = formats::read(folder.path(), &Options::default()).unwrap();
    let text = formats::to_yaml(&read.lab).unwrap();
    fs::write(folder.path().join("telaio.yaml"), text).unwrap();
    let (time, nodes) = best_time(folder.path());
    assert_eq!(nodes, 1000);
    assert!(time < MOST, "telaio.yaml: {time:?}");
}

#[test]
fn a_thousand_nodes_with_links_and_addresses() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("telaio: 1\nnodes:\n");
    for i in 0..1000 {
        writeln!(text, "  r{i}:\n    interfaces:\n      eth0: 10.{}.{}.1/24\n      eth1: {{addresses: [10.{}.{}.2/24], mtu: 1400}}\n    routes: [default via 10.{}.{}.9]", i / 250, i % 250, i / 250, i % 250, i / 250, i % 250).unwrap();
    }
    text.push_str("links:\n");
    for i in 0..1000 {
        writeln!(text, "  - [r{i}:eth1, r{}:eth0]", (i + 1) % 1000).unwrap();
    }
    fs::write(folder.path().join("telaio.yaml"), text).unwrap();
    let (time, nodes) = best_time(folder.path());
    assert_eq!(nodes, 1000);
    assert!(time < MOST, "telaio.yaml: {time:?}");
}
