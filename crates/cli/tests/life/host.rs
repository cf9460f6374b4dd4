//! A place for one test's labs: runtime folder, home and temporary files of its own, and a look
//! at what of them is still on the host.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A user without a name, a home or subordinate ids.
const SOMEBODY: u32 = 57_131;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// One test's place on this host.
pub(crate) struct Host {
    dir: TempDir,
    user: Option<u32>,
    number: u32,
    interfaces: BTreeSet<String>,
    binary: PathBuf,
}

impl Host {
    /// Labs of whoever runs the test.
    pub(crate) fn of_caller() -> Self {
        Self::new(None)
    }

    /// Labs of an ordinary user, which only root can try.
    pub(crate) fn of_user() -> Option<Self> {
        let root = rustix::process::geteuid().is_root();
        root.then(|| Self::new(Some(SOMEBODY)))
    }

    fn new(user: Option<u32>) -> Self {
        let dir = tempfile::Builder::new().prefix("tl").tempdir().unwrap();
        // where the build is an ordinary user may have no way to it
        let binary = dir.path().join("telaio");
        // by a process of its own: a copy that this one still wrote could not be run
        let mut copy = Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_telaio")).arg(&binary);
        assert!(copy.status().unwrap().success());
        for name in ["run", "home", "tmp", "lab"] {
            fs::create_dir(dir.path().join(name)).unwrap();
            chown(dir.path().join(name), user, user).unwrap();
        }
        chown(dir.path(), user, user).unwrap();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let interfaces = interfaces();
        Self {
            dir,
            user,
            number,
            interfaces,
            binary,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A name that no other test's labs have.
    pub(crate) fn name(&self, of: &str) -> String {
        format!("{of}-{}-{}", std::process::id(), self.number)
    }

    /// Writes `telaio.yaml` into a folder of this name.
    pub(crate) fn lab(&self, folder: &str, yaml: &str) -> PathBuf {
        let path = self.path(folder);
        fs::create_dir_all(&path).unwrap();
        let name = self.name(folder);
        let text = format!("telaio: 1\nname: {name}\n{yaml}");
        fs::write(path.join("telaio.yaml"), text).unwrap();
        path
    }

    /// A `telaio` command.
    pub(crate) fn telaio(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(words)
            .current_dir(self.path("lab"))
            .env("TELAIO_RUNTIME_DIR", self.path("run"))
            .env("TELAIO_DATA_DIR", self.path("home").join("data"))
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .env_remove("XDG_RUNTIME_DIR")
            .env_remove("XDG_DATA_HOME")
            .stdin(Stdio::null());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    /// Runs it to its end.
    pub(crate) fn output(&self, words: &[&str]) -> Output {
        self.telaio(words).output().unwrap()
    }

    /// Runs it; its standard output. It must succeed.
    #[track_caller]
    pub(crate) fn run(&self, words: &[&str]) -> String {
        let output = self.output(words);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{words:?}: {}\n{text}",
            output.status
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts the lab of a folder.
    #[track_caller]
    pub(crate) fn up(&self, folder: &str) {
        let path = self.path(folder);
        self.run(&["up", path.to_str().unwrap()]);
    }

    /// Runs a shell command in a node of a folder's lab.
    #[track_caller]
    pub(crate) fn sh(&self, folder: &str, node: &str, script: &str) -> String {
        let lab = self.name(folder);
        self.run(&["exec", "-l", &lab, node, "--", "bash", "-c", script])
    }

    /// The broker of a running lab, as it is noted.
    pub(crate) fn broker(&self, folder: &str) -> Option<i32> {
        let note = self.path("run").join(self.name(folder)).join("lab.json");
        let note: serde_json::Value = serde_json::from_slice(&fs::read(note).ok()?).ok()?;
        let pid = i32::try_from(note["broker"].as_i64()?).ok()?;
        (pid > 0).then_some(pid)
    }

    /// What of this test's labs is on the host, in words.
    pub(crate) fn remains(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        all.extend(self.processes().iter().map(|p| format!("process {p}")));
        let place = self.dir.path().to_string_lossy().into_owned();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mounts = mounts.lines().filter(|l| l.contains(&place));
        all.extend(mounts.map(|l| format!("mount {l}")));
        let new = interfaces();
        let new = new.difference(&self.interfaces);
        all.extend(new.map(|i| format!("interface {i}")));
        all.extend(self.groups(Path::new("/sys/fs/cgroup"), 6));
        for folder in ["run", "tmp"] {
            let entries = fs::read_dir(self.path(folder)).unwrap().flatten();
            all.extend(entries.map(|e| format!("file {}", e.path().display())));
        }
        all
    }

    /// Waits until nothing is left; fails after `patience`.
    #[track_caller]
    pub(crate) fn wait_clean(&self, patience: Duration) {
        let mut left = Vec::new();
        let clean = until(patience, || {
            left = self.remains();
            left.is_empty()
        });
        assert!(clean, "left behind: {left:#?}");
    }

    /// Processes that have this test's runtime folder in their environment.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let mark = format!("TELAIO_RUNTIME_DIR={}", self.path("run").display());
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let pids = entries.filter_map(|e| e.file_name().to_str()?.parse().ok());
        pids.filter(|pid: &i32| {
            let text = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            text.split(|b| *b == 0).any(|v| v == mark.as_bytes())
        })
        .collect()
    }

    /// Control groups whose names have the labs' number.
    fn groups(&self, folder: &Path, depth: usize) -> Vec<String> {
        let mark = format!("-{}-{}-", std::process::id(), self.number);
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|t| t.is_dir()) {
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.contains(&mark) {
                found.push(format!("group {}", entry.path().display()));
            } else if depth > 0 {
                found.extend(self.groups(&entry.path(), depth - 1));
            }
        }
        found
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.output(&["down", "--all", "--now"]);
    }
}

fn interfaces() -> BTreeSet<String> {
    let entries = fs::read_dir("/sys/class/net").unwrap().flatten();
    entries
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Asks again until it holds, for at most `patience`.
pub(crate) fn until(patience: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    loop {
        if holds() {
            return true;
        }
        if began.elapsed() > patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The first child of a process.
pub(crate) fn child_of(pid: i32) -> Option<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// Ends a process at once.
pub(crate) fn kill_9(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    // it may have ended by itself
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}
