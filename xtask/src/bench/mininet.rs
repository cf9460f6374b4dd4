//! Against Mininet's `linear` topology: as many hosts as bridges, the bridges in a row.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::lab::BenchLab;
use super::{Options, median, report};

pub(super) fn run(options: &Options) -> Result<()> {
    let hosts = options.or("hosts", 100);
    let runs = options.or("runs", 3);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        theirs.push(mininet(hosts)?);
        ours.push(telaio(hosts)?);
    }
    report(&format!("Mininet linear,{hosts} up and down"), "s", &theirs);
    report("telaio, the same network up and down", "s", &ours);
    println!("ratio of medians: {:.1}", median(&theirs) / median(&ours));
    Ok(())
}

fn mininet(hosts: u64) -> Result<f64> {
    let began = Instant::now();
    let status = Command::new("mn")
        .args([
            "--topo",
            &format!("linear,{hosts}"),
            "--switch",
            "lxbr",
            "--controller",
            "none",
        ])
        .args(["--test", "none"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("mn cannot be run: install the package mininet")?;
    if !status.success() {
        bail!("mn failed ({status}); try `mn -c`");
    }
    Ok(began.elapsed().as_secs_f64())
}

fn telaio(hosts: u64) -> Result<f64> {
    let lab = BenchLab::new("linear", &linear(hosts), None)?;
    let began = Instant::now();
    lab.run(&["up"])?;
    lab.run(&["down"])?;
    Ok(began.elapsed().as_secs_f64())
}

/// The bridge of a node, for one `ip`: five of them would be half of what is measured.
const BRIDGE: &str = r"link add br0 type bridge\nlink set eth0 master br0\nlink set eth1 master br0\nlink set eth2 master br0\nlink set br0 up\n";

/// Bridges are nodes here, too: each runs a kernel bridge, as Mininet's do.
fn linear(hosts: u64) -> String {
    let mut text = String::from("telaio: 1\nname: linear\nnodes:\n");
    for i in 1..=hosts {
        text.push_str(&format!(
            "  h{i}: {{interfaces: {{eth0: {{addresses: [10.0.{}.{}/8]}}}}}}\n",
            i / 250,
            i % 250 + 1
        ));
        text.push_str(&format!(
            "  s{i}:\n    interfaces: {{eth0: {{}}, eth1: {{}}, eth2: {{}}}}\n"
        ));
        text.push_str(&format!(
            "    startup:\n      - printf '{BRIDGE}' | ip -batch -\n"
        ));
    }
    text.push_str("links:\n");
    for i in 1..=hosts {
        text.push_str(&format!("  - [h{i}:eth0, s{i}:eth0]\n"));
        if i < hosts {
            text.push_str(&format!("  - [s{i}:eth1, s{}:eth2]\n", i + 1));
        }
    }
    text
}
