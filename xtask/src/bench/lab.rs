//! A lab for a benchmark: its file, and the `telaio` that runs it.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// A lab in a temporary folder. Taken down and removed when dropped.
pub(super) struct BenchLab {
    folder: PathBuf,
    user: Option<u32>,
}

impl BenchLab {
    /// Writes `telaio.yaml`. With a user, `telaio` runs as that user without any rights of root.
    pub(super) fn new(name: &str, yaml: &str, user: Option<u32>) -> Result<Self> {
        let folder =
            std::env::temp_dir().join(format!("telaio-bench-{}-{name}", std::process::id()));
        fs::create_dir_all(folder.join("run"))?;
        fs::write(folder.join("telaio.yaml"), yaml)?;
        if let Some(user) = user {
            std::os::unix::fs::chown(&folder, Some(user), Some(user))?;
            std::os::unix::fs::chown(folder.join("run"), Some(user), Some(user))?;
        }
        Ok(Self { folder, user })
    }

    /// A `telaio` command in the lab's folder.
    pub(super) fn telaio(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(args).current_dir(&self.folder);
        command
            .env("TELAIO_RUNTIME_DIR", self.folder.join("run"))
            .stdin(Stdio::null());
        if let Some(user) = self.user {
            command.uid(user).gid(user).env("HOME", &self.folder);
        }
        command
    }

    /// Runs it to its end; its output where it fails.
    pub(super) fn run(&self, args: &[&str]) -> Result<Output> {
        let output = self
            .telaio(args)
            .output()
            .with_context(|| "telaio cannot be run")?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            bail!("telaio {} failed:\n{text}", args.join(" "));
        }
        Ok(output)
    }

    /// The broker's process number on this host.
    pub(super) fn broker(&self) -> Result<i32> {
        let run = self.folder.join("run");
        let entry = fs::read_dir(&run)?
            .flatten()
            .find(|e| e.path().join("lab.json").exists());
        let entry = entry.context("the lab does not run")?;
        let text = fs::read(entry.path().join("lab.json"))?;
        let json: serde_json::Value = serde_json::from_slice(&text)?;
        let pid = json["broker"].as_i64().context("lab.json has no broker")?;
        Ok(i32::try_from(pid)?)
    }
}

impl Drop for BenchLab {
    fn drop(&mut self) {
        let _ = self.telaio(&["down", "--now"]).output();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The release build of this workspace.
pub(super) fn binary() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    );
    target.join("release/telaio")
}

/// A ring of plain nodes, each with two addressed interfaces.
pub(super) fn ring(count: u64) -> String {
    let mut text = String::from("telaio: 1\nname: ring\nnodes:\n");
    let address = |k: u64| format!("10.{}.{}.{}", k >> 14 & 255, k >> 6 & 255, (k << 2) & 255);
    let host = |base: String, n: u8| {
        let (head, last) = base.rsplit_once('.').unwrap_or(("10.0.0", "0"));
        format!("{head}.{}", last.parse::<u8>().unwrap_or(0) + n)
    };
    for i in 0..count {
        let (left, right) = (address((i + count - 1) % count), address(i));
        text.push_str(&format!(
            "  n{i}:\n    interfaces:\n      eth0: {{addresses: [{}/30]}}\n      eth1: {{addresses: [{}/30]}}\n",
            host(left, 2),
            host(right, 1)
        ));
    }
    text.push_str("links:\n");
    for i in 0..count {
        text.push_str(&format!("  - [n{i}:eth1, n{}:eth0]\n", (i + 1) % count));
    }
    text
}
