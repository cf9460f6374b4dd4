//! A two-member wire against a bare veth pair: TCP throughput and small packets.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::lab::BenchLab;
use super::{Options, median, report};

const LAB: &str = "\
telaio: 1
name: wire
nodes:
  a: {interfaces: {eth0: {addresses: [10.9.0.1/24]}}}
  b: {interfaces: {eth0: {addresses: [10.9.0.2/24]}}}
links:
  - [a:eth0, b:eth0]
";

/// Where this program is put in the lab's nodes.
const INSIDE: &str = "/tmp/xtask";

pub(super) fn run(options: &Options) -> Result<()> {
    let seconds = options.or("seconds", 2).to_string();
    let user = options.get("user").map(u32::try_from).transpose()?;
    let bare = Bare::new()?;
    let lab = BenchLab::new("wire", LAB, user)?;
    lab.run(&["up"])?;
    let own = std::env::current_exe()?;
    let own = own.to_str().context("this program's path is no text")?;
    for node in ["a", "b"] {
        lab.run(&["cp", own, &format!("{node}:{INSIDE}")])?;
    }
    for kind in ["tcp", "udp"] {
        let (mut bares, mut wires, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let (scale, unit) = if kind == "tcp" {
            (8e-9, "Gb/s")
        } else {
            (1e-3, "kpps")
        };
        for _ in 0..options.or("pairs", 5) {
            let b = measure(kind, &seconds, &|node, args| bare.command(node, own, args))? * scale;
            let w = measure(kind, &seconds, &|node, args| inside(&lab, node, args))? * scale;
            bares.push(b);
            wires.push(w);
            ratios.push(w / b);
        }
        report(&format!("{kind}, bare veth pair"), unit, &bares);
        report(&format!("{kind}, telaio wire"), unit, &wires);
        report(&format!("{kind}, ratio"), "", &ratios);
        println!("{kind}: median ratio {:.3}", median(&ratios));
    }
    Ok(())
}

fn inside(lab: &BenchLab, node: &str, args: &[&str]) -> Command {
    let mut all = vec!["exec", node, "--", INSIDE, "bench"];
    all.extend(args);
    lab.telaio(&all)
}

/// Runs a receiver in `b` and a sender in `a`; what the receiver counted a second.
fn measure(kind: &str, seconds: &str, at: &dyn Fn(&str, &[&str]) -> Command) -> Result<f64> {
    let receiver = format!("receive-{kind}");
    let args: Vec<&str> = if kind == "udp" {
        vec![&receiver, seconds]
    } else {
        vec![&receiver]
    };
    let mut receiver = at("b", &args).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(receiver.stdout.take().context("no output")?).lines();
    if lines.next().transpose()?.as_deref() != Some("ready") {
        bail!("the receiver did not start");
    }
    let sender = format!("send-{kind}");
    let sent = at("a", &[&sender, "10.9.0.2", seconds]).status()?;
    if !sent.success() {
        bail!("the sender failed");
    }
    let count = lines
        .next()
        .transpose()?
        .context("the receiver counted nothing")?;
    receiver.wait()?;
    Ok(count.trim().parse()?)
}

/// Two network namespaces joined by a veth pair, made with `ip`. Removed when dropped.
struct Bare(String);

impl Bare {
    fn new() -> Result<Self> {
        let bare = Self(format!("tlb{}", std::process::id()));
        let (a, b) = (bare.name("a"), bare.name("b"));
        for line in [
            format!("netns add {a}"),
            format!("netns add {b}"),
            format!("-n {a} link add eth0 type veth peer name eth0 netns {b}"),
            format!("-n {a} addr add 10.9.0.1/24 dev eth0"),
            format!("-n {b} addr add 10.9.0.2/24 dev eth0"),
            format!("-n {a} link set eth0 up"),
            format!("-n {b} link set eth0 up"),
        ] {
            ip(&line)?;
        }
        Ok(bare)
    }

    fn name(&self, node: &str) -> String {
        format!("{}{node}", self.0)
    }

    fn command(&self, node: &str, own: &str, args: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.name(node), own, "bench"])
            .args(args);
        command
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        for node in ["a", "b"] {
            let _ = ip(&format!("netns del {}", self.name(node)));
        }
    }
}

/// Runs `ip` with these words.
pub(super) fn ip(words: &str) -> Result<()> {
    let status = Command::new("ip").args(words.split(' ')).status()?;
    if !status.success() {
        bail!("ip {words} failed");
    }
    Ok(())
}
