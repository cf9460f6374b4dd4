//! `telaio check`.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use check::{Options, Outcome as Checked, Report};
use diag::Source;
use formats::CheckFile;
use lab::{Check, Lab};
use supervisor::client::Client;

use crate::args::Common;
use crate::failure::{FAILED, Failure, Outcome};
use crate::loaded::{self, How};
use crate::verbs::up::Prepared;
use crate::{choose, grading, ui};

const EXAMPLES: &str = "\
Examples:
  telaio check                        the checks that the running lab brings with it
  telaio check my-checks.yaml         checks of a file; `lab:` in it names the lab: it is started
                                      for them and ends with them
  telaio check correction.json        a kathara-lab-checker file, for each lab of its `labs_path`
  telaio check correction.yaml --labs handed-in -j 4 --csv results.csv
  telaio check --junit report.xml     for build servers

A check is tried until it holds or its time (`within`, 60 s by default) is over. Checks that
something is not there come when all others have ended.

Exit status: 0 all passed, 1 a check failed, 2 a file has mistakes.";

/// Look whether a lab shows what it must
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// A file of checks, of Telaio's or kathara-lab-checker's form
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Grade just this lab by a kathara-lab-checker file
    #[arg(long, value_name = "LAB", conflicts_with = "labs")]
    pub(crate) one: Option<PathBuf>,
    /// Where `lab:` and `labs_path` of the file start from (by default the file's folder)
    #[arg(long, value_name = "FOLDER")]
    pub(crate) root: Option<PathBuf>,
    /// The labs that a kathara-lab-checker file is to grade, instead of its `labs_path`
    #[arg(long, value_name = "FOLDER")]
    pub(crate) labs: Option<PathBuf>,
    /// Labs graded at once
    #[arg(short, long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) jobs: u8,
    /// Seconds for checks that name none
    #[arg(long, value_name = "SECONDS")]
    pub(crate) within: Option<f64>,
    /// Also write a JUnit report
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Also write a summary as comma-separated values (kathara-lab-checker files)
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// Start although this is missing, as with `up`
    #[arg(long, value_name = "WHAT")]
    pub(crate) without: Vec<String>,
    #[command(flatten)]
    pub(crate) how: How,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let Some(path) = &args.file else {
        let client = choose::client(common.lab.as_deref())?;
        let lab = client.lab()?;
        return on_running(&client, &lab, &lab.checks, args, common);
    };
    let source =
        Source::read(path).map_err(|e| Failure::io("reading", path.display(), &e).status(2))?;
    if !formats::is_check_file(&source) {
        return grading::run(&source, path, args, common);
    }
    let file = formats::read_checks(&source)
        .map_err(|d| Failure::mistakes(format!("{} has mistakes", path.display()), d))?;
    match &file.lab {
        None => {
            let client = choose::client(common.lab.as_deref())?;
            let lab = client.lab()?;
            on_running(&client, &lab, &file.checks, args, common)
        }
        Some(lab) => {
            let folder = args
                .root
                .as_deref()
                .or(path.parent())
                .unwrap_or(Path::new("."));
            on_own(&folder.join(lab), &file, args, common)
        }
    }
}

fn on_running(
    client: &Client,
    lab: &Lab,
    checks: &[Check],
    args: &Args,
    common: &Common,
) -> Outcome {
    if checks.is_empty() {
        return Err(Failure::usage(format!("the lab `{}` has no checks", client.name()))
            .help("write some under `checks:` in its telaio.yaml, or name a file: `telaio check FILE`"));
    }
    let report = see(client, lab, checks, args.within, common);
    finish(&report, args.junit.as_deref(), common)
}

/// Starts a lab for its checks; it ends with them, whatever comes.
fn on_own(path: &Path, file: &CheckFile, args: &Args, common: &Common) -> Outcome {
    let started = start(path, args, common);
    if let (Some(feature), Err(failure)) = (&file.refused, &started) {
        let told = failure
            .diagnostics
            .iter()
            .any(|d| d.message.contains(feature.as_str()));
        if told {
            ui::err(&format!(
                "refused, as it must be where there is no {feature}\n"
            ));
            return Ok(0);
        }
    }
    let (client, lab, keep) = started?;
    if file.checks.is_empty() {
        ui::err("the lab runs here, and the file has no checks for it\n");
        return Ok(0);
    }
    let report = see(&client, &lab, &file.checks, args.within, common);
    drop(keep);
    finish(&report, args.junit.as_deref(), common)
}

/// Starts a lab that lives as long as what is returned with it.
pub(crate) fn start(
    path: &Path,
    args: &Args,
    common: &Common,
) -> Result<(Client, Lab, supervisor::Keep), Failure> {
    let read = loaded::read(path, &args.how)?;
    let own = supervisor::place::sanitise(&loaded::name(None, &read)?);
    let cut: String = own.chars().take(40).collect();
    let name = format!("{cut}.{}", std::process::id());
    loaded::tell(&read.diagnostics, common.verbose > 0);
    let lab = read.lab.clone();
    let prepared = Prepared::of(read, name, loaded::source(path), &args.without, common)?;
    let (place, keep) = prepared.start()?;
    let client = Client::new(&place);
    wait_built(&client)?;
    Ok((client, lab, keep))
}

/// Waits until nodes can be asked; startup scripts go on.
fn wait_built(client: &Client) -> Result<(), Failure> {
    use supervisor::proto::What;
    for event in client.events(true)? {
        let event = event?;
        match event.what {
            What::Built => return Ok(()),
            What::Broken { message } => {
                let node = event.node.unwrap_or_default();
                return Err(Failure::failed(format!(
                    "the lab cannot be made: {node}: {message}"
                )));
            }
            _ => {}
        }
    }
    Err(Failure::failed("the lab ended while it was coming up"))
}

/// Runs checks, telling each outcome as it comes.
pub(crate) fn see(
    client: &Client,
    lab: &Lab,
    checks: &[Check],
    within: Option<f64>,
    common: &Common,
) -> Report {
    let cancel = AtomicBool::new(false);
    let tell = |outcome: &Checked| {
        if !common.json {
            ui::out(&outcome.line());
        }
    };
    let options = Options {
        jobs: 8,
        within,
        cancel: &cancel,
        progress: &tell,
    };
    let mut report = check::run(lab, checks, client, &options);
    report.lab = client.name().to_string();
    report
}

/// Reports; the exit status.
pub(crate) fn finish(report: &Report, junit: Option<&Path>, common: &Common) -> Outcome {
    if let Some(path) = junit {
        std::fs::write(path, report.junit())
            .map_err(|e| Failure::io("writing", path.display(), &e))?;
    }
    match common.json {
        true => ui::json(report),
        false => ui::out(&report.summary()),
    }
    Ok(if report.passed() { 0 } else { FAILED })
}
