//! Many nodes at once: how long their roots take and what they cost. `TELAIO_MANY` says how
//! many (100 by default).
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program without the usual harness"
)]

mod lab;

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::time::Instant;

use sandbox::NodeRoot;

use self::lab::By;

fn main() {
    let count = std::env::var("TELAIO_MANY")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(100);
    if std::env::args().nth(1).as_deref() == Some("as-many") {
        std::process::exit(many(count));
    }
    if testkit::listed(&["many_roots_at_once"]) {
        return;
    }
    for by in By::all() {
        let status = self::lab::again(by, "as-many").status().unwrap();
        assert!(status.success(), "{by:?}: {status}");
    }
}

fn many(count: usize) -> i32 {
    self::lab::make(&[], &[], |base| {
        let free = available();
        let began = Instant::now();
        let (mut told, tell) = io::pipe().unwrap();
        let nodes: Vec<_> = (0..count)
            .map(|i| {
                let name = format!("n{i}");
                let (inside, tell) = (base, &tell);
                self::lab::node_process(base, Some(tell.as_fd()), move || {
                    let root = NodeRoot {
                        name: &name,
                        hostname: &name,
                        hosts: "127.0.0.1\tlocalhost\n",
                        resolv: None,
                        entries: &[],
                        blobs: &[],
                        mounts: &[],
                    };
                    let entered = inside.enter(&root);
                    let mut tell = tell;
                    let _ = tell.write_all(&[u8::from(entered.is_ok())]);
                    loop {
                        std::thread::park();
                    }
                })
            })
            .collect();
        let mut answers = vec![0; count];
        told.read_exact(&mut answers).unwrap();
        let took = began.elapsed();
        assert!(answers.iter().all(|a| *a == 1), "some nodes have no root");
        let cost = (free - available()).max(0) / count as i64;
        let began = Instant::now();
        nodes.iter().for_each(|n| n.signal(9).unwrap());
        nodes
            .iter()
            .for_each(|n| assert_eq!(n.wait().unwrap(), 128 + 9));
        println!(
            "{count} roots in {took:?}, {cost} kB each; gone in {:?}; nodes took {} ms of processor",
            began.elapsed(),
            children_ms()
        );
        0
    })
}

/// Kilobytes of memory that the machine has left.
fn available() -> i64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap();
    let line = text
        .lines()
        .find(|l| l.starts_with("MemAvailable:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Processor time of ended children, in ticks of 10 ms (proc_pid_stat(5), fields 16 and 17).
fn children_ms() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/stat").unwrap();
    let fields = text.rsplit(')').next().unwrap().split_whitespace();
    fields
        .skip(13)
        .take(2)
        .map(|f| f.parse::<u64>().unwrap() * 10)
        .sum()
}
