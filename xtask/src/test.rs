//! Everything that must hold, in one command: what tests need is installed first, as far as
//! this user may.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Programs that tests with real nodes use, and the Debian packages that have them.
const TOOLS: &[(&str, &str)] = &[
    ("ip", "iproute2"),
    ("ping", "iputils-ping"),
    ("ifconfig", "net-tools"),
    ("tcpdump", "tcpdump"),
    ("setpriv", "util-linux"),
];

const FOLDERS: &[&str] = &["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Runs all steps and stops at the first that fails. `--fast` leaves out the release build and
/// the labs that run on it.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let fast = match arguments {
        [] => false,
        [fast] if fast == "--fast" => true,
        other => bail!("test takes `--fast` or nothing, not {other:?}"),
    };
    install_tools()?;
    crate::tidy::run()?;
    crate::schema::run(&["--check".into()])?;
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])?;
    tests()?;
    cargo(&["test", "--workspace", "--doc"])?;
    step(
        Command::new("cargo")
            .args(["doc", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    if !fast {
        example()?;
    }
    println!("all is well");
    Ok(())
}

/// Installs what is missing where root can; else says what will be skipped.
fn install_tools() -> Result<()> {
    let missing: Vec<&str> = TOOLS
        .iter()
        .filter(|(program, _)| !FOLDERS.iter().any(|f| Path::new(f).join(program).exists()))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    // root's own folder is root's alone
    let root = std::fs::read_dir("/root").is_ok();
    if !root || !Path::new("/usr/bin/apt-get").exists() {
        println!(
            "not installed: {} (tests that use them say `skipped`)",
            missing.join(", ")
        );
        return Ok(());
    }
    let _ = step(Command::new("apt-get").args(["-q", "update"]));
    step(
        Command::new("apt-get")
            .args(["-qy", "--no-install-recommends", "install"])
            .args(&missing),
    )
}

fn tests() -> Result<()> {
    let there = Command::new("cargo")
        .args(["nextest", "--version"])
        .output();
    if !there.is_ok_and(|o| o.status.success()) {
        cargo(&["install", "cargo-nextest", "--locked"])?;
    }
    cargo(&["nextest", "run", "--workspace"])
}

/// The first command of the README, as it stands there; its lab ends whatever came of it.
fn example() -> Result<()> {
    let shown = cargo(&[
        "run",
        "--release",
        "--",
        "up",
        "examples/triangle",
        "--check",
    ]);
    let ended = cargo(&["run", "--release", "--", "down", "-l", "triangle"]);
    shown.and(ended)
}

fn cargo(arguments: &[&str]) -> Result<()> {
    step(Command::new("cargo").args(arguments))
}

fn step(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}").replace('"', "");
    println!("== {shown}");
    let began = Instant::now();
    let status = command
        .current_dir(crate::root())
        .status()
        .with_context(|| format!("`{shown}` cannot be run"))?;
    if !status.success() {
        bail!("`{shown}` failed");
    }
    println!("== {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}
