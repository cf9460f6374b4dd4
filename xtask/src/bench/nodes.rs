//! A ring of plain nodes: how fast it is up and gone, and what it weighs.

use std::time::Instant;

use anyhow::Result;

use super::lab::{BenchLab, ring};
use super::{Options, proc, report};

pub(super) fn run(options: &Options) -> Result<()> {
    let count = options.or("count", 1000);
    let user = options.get("user").map(u32::try_from).transpose()?;
    let who = user.map_or("as this user".into(), |u| format!("as user {u}"));
    println!("{count} nodes in a ring, {who}");
    let mut figures: [Vec<f64>; 7] = Default::default();
    for round in 0..options.or("runs", 3) {
        let figures_of_round = measure(count, user, round % 2 == 1)?;
        for (list, value) in figures.iter_mut().zip(figures_of_round) {
            list.push(value);
        }
    }
    let names = [
        ("up", "s"),
        ("MemAvailable lost per node", "MB"),
        ("PSS of all processes per node", "MB"),
        ("down returns after", "s"),
        ("processes gone after", "s"),
        ("kernel's namespaces gone after", "s"),
        ("reaches across the ring (1: yes)", ""),
    ];
    for ((name, unit), values) in names.iter().zip(&figures) {
        report(name, unit, values);
    }
    println!("(every second run ends by SIGKILL to the supervisor instead of `down`)");
    Ok(())
}

fn measure(count: u64, user: Option<u32>, kill: bool) -> Result<[f64; 7]> {
    let lab = BenchLab::new("ring", &ring(count), user)?;
    let before = proc::meminfo("MemAvailable:");
    let namespaces = proc::net_namespaces().unwrap_or(0);
    let began = Instant::now();
    lab.run(&["up"])?;
    let up = began.elapsed().as_secs_f64();
    let memory = before.saturating_sub(proc::meminfo("MemAvailable:"));
    let pids = proc::tree(lab.broker()?);
    let pss: u64 = pids.iter().map(|p| proc::pss(*p)).sum();
    let reached = f64::from(u8::from(reaches(&lab)));
    let began = Instant::now();
    if kill {
        let supervisor = pids.get(1).copied().unwrap_or(0).to_string();
        std::process::Command::new("kill")
            .args(["-9", &supervisor])
            .status()?;
    } else {
        lab.run(&["down"])?;
    }
    let returned = began.elapsed().as_secs_f64();
    let gone = proc::wait_gone(&pids, began);
    // others on this machine make namespaces, too
    let namespaces_gone = proc::wait_namespaces(namespaces + count / 50, began);
    let per_node = |kb: u64| kb as f64 / 1024.0 / count as f64;
    Ok([
        up,
        per_node(memory),
        per_node(pss),
        returned,
        gone,
        namespaces_gone,
        reached,
    ])
}

/// Whether the second node hears the third, whose address is the second one of the second wire.
fn reaches(lab: &BenchLab) -> bool {
    let probe = ["/usr/lib/telaio/telaio", "__probe", "ping", "10.0.0.6"];
    let output = lab.run(&[["exec", "n1", "--"].as_slice(), &probe].concat());
    output.is_ok_and(|o| String::from_utf8_lossy(&o.stdout).contains("\"reached\":true"))
}
