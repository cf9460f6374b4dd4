//! The `telaio` command: a person's hands. It reads words, asks the crates below to do what they
//! say, and shows what came of it; nothing about labs is decided here.

mod archive;
mod args;
mod choose;
mod doctor;
mod failure;
mod grading;
mod graph;
mod inside;
mod loaded;
mod problems;
mod progress;
mod relay;
mod sealed;
mod setup;
mod span;
mod table;
mod target;
mod terminal;
mod ui;
mod verbs;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use args::{Cli, Common};
use failure::Failure;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    if let Some(status) = inside::run(&words) {
        return ExitCode::from(status);
    }
    let sealed = sealed::enter(&words);
    let cli = Cli::parse_from(words);
    listen(cli.common.verbose);
    if let Err(e) = sealed {
        tracing::info!("{e}");
    }
    match verbs::run(cli.verb, &cli.common) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => report(&failure, &cli.common),
    }
}

/// Says why a verb failed.
fn report(failure: &Failure, common: &Common) -> ExitCode {
    if common.json {
        ui::json(&failure.json());
    } else {
        loaded::tell(&failure.diagnostics, common.verbose > 0);
        ui::error(&failure.message, failure.help.as_deref());
    }
    ExitCode::from(failure.status)
}

/// Has what is logged shown on standard error: warnings, with `-v` what is done, with `-vv` all
/// of it, or what `RUST_LOG` wants.
fn listen(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let filter = EnvFilter::builder().with_default_directive(level.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter.from_env_lossy())
        .with_writer(std::io::stderr)
        .with_ansi(ui::err_color())
        .with_target(false)
        .without_time()
        .init();
}
