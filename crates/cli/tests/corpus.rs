//! Real labs, written for other tools, with the built `telaio`: each file of `tests/corpus` names
//! a lab and what it must show. Skips, visibly, where the labs are not at hand.
//!
//! `TELAIO_CORPUS_ONLY=ospf cargo nextest run -p cli --test corpus` runs those with that in
//! their names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::Instant;

/// Labs at once: most of their time they wait for routing protocols' timers.
const AT_ONCE: usize = 8;
/// An ordinary user without a name.
const USER: u32 = 65_531;

/// A lab's file of checks.
struct Case {
    name: String,
    file: PathBuf,
    checks: formats::CheckFile,
}

fn cases() -> Vec<Case> {
    let only = std::env::var("TELAIO_CORPUS_ONLY").unwrap_or_default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
        .collect();
    files.sort();
    let case = |file: PathBuf| {
        let name = file.file_stem()?.to_str()?.to_string();
        let source = diag::Source::read(&file).unwrap();
        let checks = formats::read_checks(&source).unwrap_or_else(|d| panic!("{d}"));
        name.contains(&only).then_some(Case { name, file, checks })
    };
    files.into_iter().filter_map(case).collect()
}

/// Where a run of all labs keeps its things; gone with it.
struct Run {
    folder: tempfile::TempDir,
    data: PathBuf,
    user: Option<u32>,
}

impl Run {
    fn new(user: Option<u32>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("run")).unwrap();
        if let Some(user) = user {
            for path in [folder.path().to_path_buf(), folder.path().join("run")] {
                std::os::unix::fs::chown(path, Some(user), Some(user)).unwrap();
            }
        }
        // where an ordinary user can read it, too; kept, since filling it takes a while
        let data = std::env::temp_dir().join("telaio-corpus-tools");
        let run = Self { folder, data, user };
        if user.is_some() {
            // by another process: a program that is open for writing in this one cannot be run
            let copied = Command::new("cp")
                .args([
                    env!("CARGO_BIN_EXE_telaio").as_ref(),
                    run.program().as_path(),
                ])
                .status();
            assert!(copied.unwrap().success());
        }
        run
    }

    fn telaio(&self, words: &[&str]) -> Output {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(self.program());
        command
            .args(words)
            .stdin(Stdio::null())
            .env("TELAIO_RUNTIME_DIR", self.folder.path().join("run"))
            .env("TELAIO_DATA_DIR", &self.data);
        if let Some(user) = self.user {
            command
                .uid(user)
                .gid(user)
                .env("HOME", self.folder.path())
                .current_dir("/");
        }
        command.output().unwrap()
    }

    /// Where an ordinary user finds the program, too.
    fn program(&self) -> PathBuf {
        match self.user {
            None => PathBuf::from(env!("CARGO_BIN_EXE_telaio")),
            Some(_) => self.folder.path().join("telaio"),
        }
    }

    /// The packages that these labs need, in a layer that no other test uses.
    fn add_tools(&self, cases: &[Case]) -> Result<(), String> {
        let packages: BTreeSet<&str> = cases
            .iter()
            .flat_map(|c| &c.checks.tools)
            .map(String::as_str)
            .collect();
        let mut words = vec!["tools", "add"];
        words.extend(packages);
        if words.len() == 2 {
            return Ok(());
        }
        // the other test wants them, too
        let turn = fs::File::create(self.data.with_extension("lock")).unwrap();
        turn.lock().unwrap();
        let by_root = Run {
            user: None,
            data: self.data.clone(),
            folder: tempfile::tempdir().unwrap(),
        };
        let output = by_root.telaio(&words);
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }
}

/// Runs all cases, several at once; panics with what failed.
fn run_all(user: Option<u32>, test: impl Fn(&Run, &Case, &Path) -> Result<(), String> + Sync) {
    let Some(corpus) = testkit::corpus("") else {
        testkit::skip!("the real labs are not at hand (TELAIO_CORPUS)");
    };
    if user.is_some() && !rustix::process::geteuid().is_root() {
        testkit::skip!("only root can run labs as another user");
    }
    let all = cases();
    assert!(!all.is_empty(), "tests/corpus has no file for this");
    let run = Run::new(user);
    if let Err(why) = run.add_tools(&all) {
        testkit::skip!("the labs' programs cannot be had here: {why}");
    }
    let run = &run;
    let queue = Mutex::new(all.iter());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(case) = queue.lock().unwrap().next() else {
                        return;
                    };
                    let began = Instant::now();
                    let result = test(run, case, &corpus);
                    let time = began.elapsed().as_secs_f64();
                    let word = if result.is_ok() { "passed" } else { "FAILED" };
                    testkit::say(&format!("{word} {} ({time:.1} s)", case.name));
                    if let Err(why) = result {
                        failed
                            .lock()
                            .unwrap()
                            .push(format!("--- {}\n{why}", case.name));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "{} labs failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

fn verdict(output: &Output) -> Result<(), String> {
    if output.status.success() {
        return Ok(());
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let lines = text(&output.stdout);
    let failed: Vec<&str> = lines.lines().filter(|l| !l.starts_with("passed")).collect();
    Err(format!(
        "{}\n{}\n{}",
        output.status,
        failed.join("\n"),
        text(&output.stderr)
    ))
}

#[test]
fn labs_show_what_they_must() {
    run_all(None, |run, case, corpus| {
        let root = corpus.to_str().unwrap();
        verdict(&run.telaio(&["check", case.file.to_str().unwrap(), "--root", root]))
    });
}

/// Converted to the native language and run by an ordinary user, they show the same.
#[test]
fn converted_labs_show_the_same_to_an_ordinary_user() {
    run_all(Some(USER), |run, case, corpus| {
        let original = corpus.join(case.checks.lab.as_ref().ok_or("it names no lab")?);
        let folder = run.folder.path().join(&case.name);
        copy(&original, &folder).map_err(|e| format!("copying the lab: {e}"))?;
        let native = folder.join("telaio.yaml");
        let native = native.to_str().unwrap();
        let converted = run.telaio(&["convert", folder.to_str().unwrap(), "-o", native]);
        verdict(&converted)?;
        // what the checks find must come from the native file
        for old in ["lab.conf", "lab.dep"] {
            let _ = fs::remove_file(folder.join(old));
        }
        let text = fs::read_to_string(&case.file).map_err(|e| e.to_string())?;
        let line = text
            .lines()
            .find(|l| l.starts_with("lab:"))
            .ok_or("no lab")?;
        let checks = run.folder.path().join(format!("{}.yaml", case.name));
        let own = format!("lab: {native}");
        fs::write(&checks, text.replacen(line, &own, 1)).map_err(|e| e.to_string())?;
        verdict(&run.telaio(&["check", checks.to_str().unwrap()]))
    });
}

/// Copies a lab's folder for [`USER`].
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    std::os::unix::fs::chown(to, Some(USER), Some(USER))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&from, &to)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&from)?, &to)?;
        } else {
            fs::copy(&from, &to)?;
            std::os::unix::fs::chown(&to, Some(USER), Some(USER))?;
        }
    }
    Ok(())
}
