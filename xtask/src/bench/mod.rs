//! Measurements of the built `telaio`, each against a peer or a bare kernel in the same run.
//!
//! `cargo xtask bench nodes|mininet|ospf|wire [options]`; all print medians and every single
//! figure, so that noise can be seen.

mod lab;
mod mininet;
mod nodes;
mod ospf;
mod proc;
mod traffic;
mod wire;

use anyhow::{Result, bail};

/// What `--help` shows.
const HELP: &str = "\
cargo xtask bench NAME [OPTIONS]

  nodes    [--count 1000] [--runs 3] [--user UID]   a ring of plain nodes: up, memory, down
  mininet  [--hosts 100] [--runs 3]                 against Mininet's linear topology (root)
  ospf     [--routers 20] [--runs 3]                against FRR started by hand (root)
  wire     [--pairs 5] [--seconds 2]                against a bare veth pair (root)

Build first: cargo build --release";

/// Runs a benchmark by name.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let Some((name, rest)) = args.split_first() else {
        bail!("{HELP}");
    };
    match name.as_str() {
        "nodes" => nodes::run(&Options::new(rest)?),
        "mininet" => mininet::run(&Options::new(rest)?),
        "ospf" => ospf::run(&Options::new(rest)?),
        "wire" => wire::run(&Options::new(rest)?),
        // the two ends of `wire`, run in its namespaces
        "send-udp" | "receive-udp" | "send-tcp" | "receive-tcp" => traffic::run(name, rest),
        _ => bail!("there is no benchmark `{name}`\n\n{HELP}"),
    }
}

/// Numbers given as `--name value`.
pub(crate) struct Options(Vec<(String, u64)>);

impl Options {
    fn new(args: &[String]) -> Result<Self> {
        let pairs = args.chunks(2).map(|pair| match pair {
            [name, value] if name.starts_with("--") => Ok((name[2..].to_string(), value.parse()?)),
            other => bail!("expected `--name NUMBER`, found {other:?}\n\n{HELP}"),
        });
        Ok(Self(pairs.collect::<Result<_>>()?))
    }

    fn get(&self, name: &str) -> Option<u64> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| *v)
    }

    fn or(&self, name: &str, default: u64) -> u64 {
        self.get(name).unwrap_or(default)
    }
}

/// The middle one; of an even number, the upper middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// `name  median unit  (each figure)`.
pub(crate) fn report(name: &str, unit: &str, values: &[f64]) {
    let each: Vec<String> = values.iter().map(|v| format!("{v:.2}")).collect();
    println!(
        "{name:<44} {:>9.2} {unit:<6} ({})",
        median(values),
        each.join(", ")
    );
}
