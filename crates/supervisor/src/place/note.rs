//! `lab.json`: what is known of a running lab without asking it.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::Error;

/// Longest note that is read, in bytes.
const LONGEST: u64 = 64 << 10;

/// What is known of a running lab without asking it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Note {
    /// Version of the protocol that its control socket speaks ([`crate::proto::VERSION`]).
    pub protocol: u32,
    /// Version of the Telaio that started it.
    pub version: String,
    /// Its name.
    pub name: String,
    /// The file or folder it was read from.
    pub source: PathBuf,
    /// Its broker's process number, 0 before that is known.
    pub broker: i32,
    /// Seconds since 1970 of its start.
    pub started: f64,
    /// Control groups that must go away with it.
    pub groups: Vec<PathBuf>,
}

impl Note {
    pub(super) fn new(name: &str, source: &Path) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            protocol: crate::proto::VERSION,
            version: env!("CARGO_PKG_VERSION").into(),
            name: name.into(),
            source: source.into(),
            broker: 0,
            started: now.map_or(0.0, |d| d.as_secs_f64()),
            groups: Vec::new(),
        }
    }

    /// Reads a lab's note; `None` where there is none that can be read.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        use rustix::fs::{Mode, OFlags};
        let path = folder.join("lab.json");
        // another user's folder may hold anything under that name
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = rustix::fs::open(path, flags, Mode::empty()).ok()?;
        let file = std::fs::File::from(file);
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Writes it as a whole or not at all.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join("lab.json");
        let new = folder.join("lab.json.new");
        let text = serde_json::to_vec_pretty(self).expect("numbers and strings become JSON");
        std::fs::write(&new, text).map_err(Error::io("writing", &new))?;
        super::set_mode(&new, 0o644)?;
        std::fs::rename(&new, &path).map_err(Error::io("writing", &path))
    }
}
