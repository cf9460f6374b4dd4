//! `telaio` started anew from a sealed copy of itself in memory, before it starts a lab: a node
//! that reaches its maker's executable (through `/proc/PID/exe`) then finds a file that nobody
//! can write, not the program on the host's disk.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// Set for the sealed copy: this process's number and the path of the program on disk.
const MARK: &str = "TELAIO_SEALED";

/// Goes on in the sealed copy; returns in it, or with the reason why there is none.
pub(crate) fn enter(words: &[OsString]) -> Result<(), String> {
    if !starts_labs(words) || original().is_some() {
        return Ok(());
    }
    let say = |e: &io::Error| {
        format!(
            "telaio goes on without a sealed copy of itself: {}",
            crate::failure::reason(e)
        )
    };
    let program = std::env::current_exe().map_err(|e| say(&e))?;
    let copy = copy().map_err(|e| say(&e))?;
    let mark = format!("{}:{}", std::process::id(), program.display());
    let failed = Command::new(format!("/proc/self/fd/{}", copy.as_raw_fd()))
        .arg0(words.first().cloned().unwrap_or_else(|| "telaio".into()))
        .args(words.get(1..).unwrap_or_default())
        .env(MARK, mark)
        .exec();
    Err(say(&failed))
}

/// A copy of this program that nobody can change.
fn copy() -> io::Result<File> {
    let mut program = File::open("/proc/self/exe")?;
    let mut copy = sys::process::memfd("telaio")?;
    io::copy(&mut program, &mut copy)?;
    sys::process::seal(&copy)?;
    Ok(copy)
}

/// The verbs that start labs; options may stand before them.
fn starts_labs(words: &[OsString]) -> bool {
    let mut takes_value = false;
    for word in words.iter().skip(1).filter_map(|w| w.to_str()) {
        if std::mem::take(&mut takes_value) {
            continue;
        }
        match word {
            "-l" | "--lab" => takes_value = true,
            _ if word.starts_with('-') => {}
            verb => return verb == "up" || verb == "check",
        }
    }
    false
}

/// Where the program is on disk, if this process is a sealed copy of it.
fn original() -> Option<PathBuf> {
    let mark = std::env::var_os(MARK)?.into_string().ok()?;
    let (pid, program) = mark.split_once(':')?;
    (pid == std::process::id().to_string()).then(|| program.into())
}

/// Where the program is on disk, for other processes to start.
pub(crate) fn program() -> PathBuf {
    let found = original().or_else(|| std::env::current_exe().ok());
    found.unwrap_or_else(|| "telaio".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_starts_labs_is_sealed() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert!(starts_labs(&words("telaio up")));
        assert!(starts_labs(&words("telaio -v --lab up check x")));
        assert!(!starts_labs(&words("telaio -l up ps")));
        assert!(!starts_labs(&words("telaio exec r1 up")));
        assert!(!starts_labs(&words("telaio")));
    }

    #[test]
    fn the_copy_cannot_be_changed() {
        use std::io::Write;
        let mut copy = copy().unwrap();
        assert!(copy.write_all(b"x").is_err());
        assert!(copy.set_len(0).is_err());
    }
}
