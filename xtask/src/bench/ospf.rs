//! A grid of FRR routers speaking OSPF: until every adjacency is full, against the same daemons
//! started by hand in ready namespaces.
//!
//! "By hand" runs in the lab's own nodes, restarted, with the same configuration and wires but
//! nothing started: what is measured is what the daemons need.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::lab::BenchLab;
use super::{Options, median, report};

/// Starts the two daemons as a person would.
const BY_HAND: &str = "mkdir -p /run/frr; chown frr:frr /run/frr; \
    /usr/lib/frr/zebra -d -f /etc/frr/frr.conf && /usr/lib/frr/ospfd -d -f /etc/frr/frr.conf";

pub(super) fn run(options: &Options) -> Result<()> {
    let routers = options.or("routers", 20);
    let (mut ours, mut hands) = (Vec::new(), Vec::new());
    for _ in 0..options.or("runs", 3) {
        hands.push(by_hand(routers)?);
        ours.push(whole(routers)?);
    }
    report(&format!("{routers} routers, daemons by hand"), "s", &hands);
    report(&format!("{routers} routers, telaio up"), "s", &ours);
    println!("ratio of medians: {:.2}", median(&ours) / median(&hands));
    Ok(())
}

fn by_hand(routers: u64) -> Result<f64> {
    let lab = BenchLab::new("hand", &grid(routers, ""), None)?;
    lab.run(&["up"])?;
    let began = Instant::now();
    let mut started = Vec::new();
    for i in 0..routers {
        let node = format!("r{i}");
        started.push(
            lab.telaio(&["exec", &node, "--", "bash", "-c", BY_HAND])
                .stderr(Stdio::null())
                .spawn()?,
        );
    }
    for mut child in started {
        if !child.wait()?.success() {
            bail!("the daemons cannot be started by hand");
        }
    }
    wait_full(&lab, routers)?;
    Ok(began.elapsed().as_secs_f64())
}

fn whole(routers: u64) -> Result<f64> {
    let lab = BenchLab::new(
        "ospf",
        &grid(routers, "    startup: [systemctl start frr]\n"),
        None,
    )?;
    let began = Instant::now();
    lab.run(&["up"])?;
    wait_full(&lab, routers)?;
    Ok(began.elapsed().as_secs_f64())
}

/// Until every router has as many full neighbours as it has wires.
fn wait_full(lab: &BenchLab, routers: u64) -> Result<()> {
    let began = Instant::now();
    for i in 0..routers {
        let node = format!("r{i}");
        loop {
            let args = ["exec", &node, "--", "vtysh", "-c", "show ip ospf neighbor"];
            let output = lab.telaio(&args).output()?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            if text.matches("Full/").count() == neighbours(i, routers).count() {
                break;
            }
            if began.elapsed() > Duration::from_secs(120) {
                return Err(anyhow::anyhow!("{text}")).context("adjacencies do not come up");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(())
}

const WIDTH: u64 = 5;

/// Routers beside and below.
fn forward(i: u64, routers: u64) -> impl Iterator<Item = u64> {
    let right = (i % WIDTH + 1 < WIDTH).then_some(i + 1);
    let below = Some(i + WIDTH);
    right.into_iter().chain(below).filter(move |j| *j < routers)
}

fn neighbours(i: u64, routers: u64) -> impl Iterator<Item = u64> {
    (0..routers).filter(move |j| {
        forward(i, routers).any(|k| k == *j) || forward(*j, routers).any(|k| k == i)
    })
}

/// Routers in rows of five, each joined to the next and to the one below.
fn grid(routers: u64, startup: &str) -> String {
    let wires: Vec<(u64, u64)> = (0..routers)
        .flat_map(|i| forward(i, routers).map(move |j| (i, j)))
        .collect();
    let mut text = String::from("telaio: 1\nname: ospf\nnodes:\n");
    let mut links = String::from("links:\n");
    for (k, (i, j)) in wires.iter().enumerate() {
        links.push_str(&format!("  - [r{i}:w{k}, r{j}:w{k}]\n"));
    }
    for i in 0..routers {
        text.push_str(&format!("  r{i}:\n    interfaces:\n"));
        let mut conf = String::new();
        for (k, (a, b)) in wires
            .iter()
            .enumerate()
            .filter(|(_, (a, b))| *a == i || *b == i)
        {
            let host = if *a == i { 1 } else { 2 };
            debug_assert!(*a == i || *b == i);
            text.push_str(&format!(
                "      w{k}: {{addresses: [10.0.{k}.{host}/24]}}\n"
            ));
            conf.push_str(&format!(
                "interface w{k}\\n ip ospf network point-to-point\\n ip ospf hello-interval 1\\n ip ospf retransmit-interval 1\\n"
            ));
        }
        conf.push_str("router ospf\\n network 10.0.0.0/8 area 0\\n");
        text.push_str("    files:\n");
        text.push_str(&format!(
            "      - {{to: /etc/frr/frr.conf, text: \"{conf}\"}}\n"
        ));
        text.push_str("      - {to: /etc/frr/daemons, text: \"zebra=yes\\nospfd=yes\\n\"}\n");
        text.push_str(startup);
    }
    text + &links
}
