//! Files of kathara-lab-checker: each of their labs is started, checked and ended, several at
//! once, each by a `telaio` of its own.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use check::Report;
use check::kathara::{self, Correction};
use diag::Source;
use lab::Check;

use crate::args::Common;
use crate::failure::{FAILED, Failure, Outcome};
use crate::verbs::check::{Args, finish, see, start};
use crate::{loaded, sealed, ui};

/// Seconds for each check where the file's `convergence_time` is less: here it is a deadline,
/// not a wait.
const WITHIN: f64 = 60.0;

/// Grades the labs of a file.
pub(crate) fn run(source: &Source, path: &Path, args: &Args, common: &Common) -> Outcome {
    if !kathara::is_correction(source) {
        let message = format!("{} is no file of checks", path.display());
        return Err(Failure::usage(message)
            .help("it needs `checks:` (Telaio's own form) or `test:` (kathara-lab-checker's)"));
    }
    let (correction, warnings) = kathara::read(source)
        .map_err(|d| Failure::mistakes(format!("{} has mistakes", path.display()), d))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    if let Some(lab) = &args.one {
        return one(lab, folder, &correction, args, common);
    }
    loaded::tell(&warnings, common.verbose > 0);
    let labs = labs(folder, &correction, args)?;
    let reports = all(&labs, path, args)?;
    tell(&reports, args, common)
}

/// Grades one lab.
fn one(
    lab: &Path,
    folder: &Path,
    correction: &Correction,
    args: &Args,
    common: &Common,
) -> Outcome {
    let mut checks = structure(folder, correction, args)?;
    checks.extend(correction.checks.iter().cloned());
    let (client, model, keep) = start(lab, args, common)?;
    let within = args
        .within
        .or(correction.convergence_time.map(|t| t.max(WITHIN)));
    let mut report = see(&client, &model, &checks, within, common);
    drop(keep);
    report.lab = name(lab);
    finish(&report, args.junit.as_deref(), common)
}

fn name(lab: &Path) -> String {
    lab.file_name().map_or_else(
        || lab.display().to_string(),
        |n| n.to_string_lossy().into_owned(),
    )
}

/// Checks that a lab is built as the file says.
fn structure(folder: &Path, correction: &Correction, args: &Args) -> Result<Vec<Check>, Failure> {
    let root = args.root.as_deref().unwrap_or(folder);
    let text = match (&correction.lab_inline, &correction.structure) {
        (Some(text), _) => text.clone(),
        (None, Some(file)) => {
            // the tool itself looks in the folder that it is called in
            let own = root.join(file);
            let there = if own.exists() {
                own
            } else {
                folder.join("lab").join(file)
            };
            fs::read_to_string(&there)
                .map_err(|e| Failure::io("reading the structure", there.display(), &e).status(2))?
        }
        (None, None) => return Ok(Vec::new()),
    };
    let place = std::env::temp_dir().join(format!("telaio-structure-{}", std::process::id()));
    let io = |e: std::io::Error| Failure::io("writing", place.display(), &e);
    fs::create_dir(&place).map_err(io)?;
    let read = fs::write(place.join("lab.conf"), text)
        .map_err(io)
        .and_then(|()| {
            let mut how = args.how.clone();
            how.dialect = Some(loaded::Language::Kathara);
            loaded::read(&place.join("lab.conf"), &how)
        });
    let _ = fs::remove_dir_all(&place);
    Ok(Correction::structure_checks(&read?.lab))
}

/// The labs to grade: those below the file's folder of labs, or that itself if it is one.
fn labs(folder: &Path, correction: &Correction, args: &Args) -> Result<Vec<PathBuf>, Failure> {
    let root = args.root.as_deref().unwrap_or(folder);
    let place = match (&args.labs, &correction.labs_path) {
        (Some(labs), _) => labs.clone(),
        (None, Some(labs)) => root.join(labs),
        (None, None) => root.join("labs"),
    };
    let is_lab = |p: &PathBuf| p.join("lab.conf").exists() || p.join("telaio.yaml").exists();
    if is_lab(&place) {
        return Ok(vec![place]);
    }
    let entries = fs::read_dir(&place).map_err(|e| {
        Failure::io("reading the folder of labs", place.display(), &e)
            .status(2)
            .help("name it with `--labs FOLDER`")
    })?;
    let mut labs: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(is_lab).collect();
    labs.sort();
    if labs.is_empty() {
        return Err(Failure::usage(format!(
            "there is no lab in {}",
            place.display()
        )));
    }
    Ok(labs)
}

/// What came of each lab, in their order; a lab that could not be started has one failed check.
fn all(labs: &[PathBuf], file: &Path, args: &Args) -> Result<Vec<Report>, Failure> {
    let program = sealed::program();
    let queue = Mutex::new(labs.iter().enumerate().collect::<VecDeque<_>>());
    let done = Mutex::new(Vec::new());
    let next = || {
        queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    };
    std::thread::scope(|scope| {
        for _ in 0..usize::from(args.jobs).min(labs.len()) {
            scope.spawn(|| {
                while let Some((number, lab)) = next() {
                    ui::err(&format!("checking {}\n", lab.display()));
                    let report = grade(&program, file, lab, args);
                    ui::err(&format!("{}: {}", name(lab), report.summary()));
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((number, report));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, report)| report).collect())
}

fn grade(program: &Path, file: &Path, lab: &Path, args: &Args) -> Report {
    let mut command = Command::new(program);
    command
        .arg("check")
        .arg(file)
        .arg("--one")
        .arg(lab)
        .arg("--json");
    if let Some(root) = &args.root {
        command.arg("--root").arg(root);
    }
    if let Some(within) = args.within {
        command.arg("--within").arg(within.to_string());
    }
    for what in &args.without {
        command.arg("--without").arg(what);
    }
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(e) => return unstarted(lab, &e.to_string()),
    };
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| unstarted(lab, String::from_utf8_lossy(&output.stderr).trim()))
}

fn unstarted(lab: &Path, why: &str) -> Report {
    let outcome = check::Outcome {
        name: "the lab can be started".into(),
        node: String::new(),
        passed: false,
        skipped: false,
        message: why.into(),
        unchanged: 0.0,
        findings: Vec::new(),
        attempts: 1,
        seconds: 0.0,
    };
    Report {
        lab: name(lab),
        seconds: 0.0,
        outcomes: vec![outcome],
    }
}

fn tell(reports: &[Report], args: &Args, common: &Common) -> Outcome {
    let write = |path: &Path, text: String| {
        fs::write(path, text).map_err(|e| Failure::io("writing", path.display(), &e))
    };
    if let Some(path) = &args.csv {
        write(path, check::csv_of_labs(reports))?;
    }
    if let Some(path) = &args.junit {
        write(path, check::junit(reports))?;
    }
    if common.json {
        ui::json(&reports);
    } else {
        for report in reports {
            ui::out(&format!("{}\n{}", report.lab, report.text()));
        }
    }
    let passed = reports.iter().all(Report::passed);
    Ok(if passed { 0 } else { FAILED })
}
