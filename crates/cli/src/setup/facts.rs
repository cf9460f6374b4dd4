//! What of the host decides the changes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::process::{Resource, getrlimit};

/// The host, or a copy of it below another root.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// Where `/` is.
    pub(super) root: PathBuf,
    /// The program that AppArmor should allow user namespaces.
    pub(super) program: PathBuf,
    /// Who gets subordinate ids.
    pub(super) user: Option<String>,
    /// Files that a process may open (hard limit), where there is a limit.
    pub(super) open_files: Option<u64>,
}

impl Facts {
    pub(super) fn of_host(user: Option<String>) -> Result<Self> {
        let of_sudo = || std::env::var("SUDO_USER").ok();
        let user = user
            .or_else(of_sudo)
            .filter(|u| u != "root" && !u.is_empty());
        let facts = Self {
            root: "/".into(),
            program: std::env::current_exe().context("this program's own path is not known")?,
            user,
            open_files: getrlimit(Resource::Nofile).maximum,
        };
        match &facts.user {
            Some(user) if !facts.has_user(user) => bail!("there is no user `{user}` on this host"),
            _ => Ok(facts),
        }
    }

    /// A file's text; none when there is no such file.
    pub(super) fn read(&self, path: &str) -> Option<String> {
        let path = self.root.join(path.trim_start_matches('/'));
        fs::read_to_string(path).ok()
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.root.join(path.trim_start_matches('/')).exists()
    }

    /// A kernel parameter's value.
    pub(super) fn sysctl(&self, key: &str) -> Option<u64> {
        let text = self.read(&format!("/proc/sys/{}", key.replace('.', "/")))?;
        text.trim().parse().ok()
    }

    /// Whether the host runs systemd and has only control groups of version 2.
    pub(super) fn delegates(&self) -> bool {
        self.has("/run/systemd/system") && self.has("/sys/fs/cgroup/cgroup.controllers")
    }

    fn has_user(&self, user: &str) -> bool {
        let passwd = self.read("/etc/passwd").unwrap_or_default();
        passwd.lines().any(|l| l.split(':').next() == Some(user))
    }

    /// What setup cannot do itself.
    pub(super) fn hints(&self) -> Vec<String> {
        let mut out = Vec::new();
        let tools = ["/usr/bin/newuidmap", "/usr/bin/newgidmap"];
        if self.user.is_some() && !tools.iter().all(|t| self.has(t)) {
            out.push(
                "subordinate ids are used through `newuidmap`: `sudo apt-get install uidmap`"
                    .into(),
            );
        }
        if self.user.is_none() {
            out.push("nobody to give subordinate ids to: name a user with `--user`".into());
        }
        let home = Path::new("/home");
        if self.program.starts_with(home) && self.has("/sys/module/apparmor") {
            out.push(format!(
                "the AppArmor profile is for {}: run setup again when the program has moved",
                self.program.display()
            ));
        }
        out
    }
}
