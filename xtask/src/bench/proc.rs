//! What `/proc` says of a lab's processes and of the machine.

use std::collections::HashMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Kilobytes that `/proc/meminfo` gives for a key.
pub(super) fn meminfo(key: &str) -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with(key));
    line.and_then(|l| l.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

/// Net namespaces that the kernel holds, where it tells (root).
///
/// The kernel counts every object of a slab that a processor keeps for itself as in use, free or
/// not: told to shrink the cache, it gives those slabs back first and then counts right.
pub(super) fn net_namespaces() -> Option<u64> {
    let _ = fs::write("/sys/kernel/slab/net_namespace/shrink", "1");
    let text = fs::read_to_string("/proc/slabinfo").ok()?;
    let line = text.lines().find(|l| l.starts_with("net_namespace "))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// All processes below one, itself included.
pub(super) fn tree(root: i32) -> Vec<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for pid in all() {
        if let Some(parent) = parent(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut list = vec![root];
    let mut next = 0;
    while let Some(pid) = list.get(next) {
        list.extend(children.remove(pid).unwrap_or_default());
        next += 1;
    }
    list
}

fn all() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|e| e.file_name().to_str()?.parse().ok())
}

fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()
}

/// Proportional set size of a process in kilobytes.
pub(super) fn pss(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with("Pss:"));
    line.and_then(|l| l.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

/// Waits until none of these processes is there; seconds that it took.
pub(super) fn wait_gone(pids: &[i32], began: Instant) -> f64 {
    let there = |pid: &i32| {
        // a zombie has ended: its parent is slow, not the lab
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|s| {
            s.rsplit_once(')')
                .is_some_and(|(_, r)| !r.starts_with(" Z"))
        })
    };
    while pids.iter().any(there) {
        std::thread::sleep(Duration::from_millis(2));
    }
    began.elapsed().as_secs_f64()
}

/// Waits until the kernel holds at most `count` net namespaces; seconds that it took.
///
/// Since Linux 6.13 the memory of a namespace that has been taken down is given back when the
/// next one is taken down: the last batch would stay for ever on a machine where nothing happens.
/// So one of ours is made and dropped before each look; it waits its turn behind the lab's.
pub(super) fn wait_namespaces(count: u64, began: Instant) -> f64 {
    let over = || {
        let _ = Command::new("unshare")
            .args(["--net", "true"])
            .stderr(Stdio::null())
            .status();
        net_namespaces().is_some_and(|n| n > count)
    };
    while over() && began.elapsed().as_secs() < 60 {
        std::thread::sleep(Duration::from_millis(20));
    }
    began.elapsed().as_secs_f64()
}
