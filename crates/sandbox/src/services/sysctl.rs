//! `sysctl` for hosts that have none: `sysctl [-w] KEY=VALUE…`, `KEY…`, `-p [FILE]`, `--system`,
//! `-a` for the network's.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Failure, say, say_err};

pub(super) fn main(args: &[&str]) -> Result<i32, Failure> {
    let flag = |long: &str, short: char| {
        args.iter().any(|a| {
            *a == long
                || a.strip_prefix('-')
                    .is_some_and(|s| !s.starts_with('-') && s.contains(short))
        })
    };
    let words: Vec<_> = args
        .iter()
        .copied()
        .filter(|a| !a.starts_with('-'))
        .collect();
    let (quiet, ignore, bare) = (
        flag("--quiet", 'q'),
        flag("--ignore", 'e'),
        flag("--values", 'n'),
    );
    if flag("--system", '\0') {
        return Ok(system(quiet));
    }
    if flag("--load", 'p') || flag("--load", 'f') {
        let files = if words.is_empty() {
            vec!["/etc/sysctl.conf"]
        } else {
            words
        };
        return Ok(files
            .iter()
            .map(|f| load(Path::new(f), quiet))
            .max()
            .unwrap_or(0));
    }
    if flag("--all", 'a') {
        list(Path::new("/proc/sys/net"));
        return Ok(0);
    }
    let status = words.iter().map(|w| told(one(w, quiet, bare), ignore));
    Ok(status.max().unwrap_or(0))
}

fn told(result: Result<(), String>, ignore: bool) -> i32 {
    match result {
        Ok(()) => 0,
        Err(_) if ignore => 0,
        Err(text) => {
            say_err(&format!("sysctl: {text}"));
            1
        }
    }
}

fn one(word: &str, quiet: bool, bare: bool) -> Result<(), String> {
    let (key, value) = match word.split_once('=') {
        Some((key, value)) => (key.trim(), Some(value.trim())),
        None => (word, None),
    };
    let path = path_of(key).ok_or_else(|| format!("`{key}` is no key"))?;
    let shown = match value {
        Some(value) => {
            fs::write(&path, value)
                .map_err(|e| format!("{key} cannot be set to `{value}`: {e}"))?;
            value.to_owned()
        }
        None => {
            let text = fs::read_to_string(&path).map_err(|_| {
                format!("cannot stat {}: No such file or directory", path.display())
            })?;
            text.trim().to_owned()
        }
    };
    match (quiet && value.is_some(), bare) {
        (true, _) => {}
        (_, true) => say(&shown),
        _ => say(&format!("{} = {shown}", key.replace('/', "."))),
    }
    Ok(())
}

/// `net.ipv4.ip_forward` and `net/ipv4/conf/eth0.1/forwarding`: the first separator that occurs
/// is the separator; the other one stands for it in a name.
fn path_of(key: &str) -> Option<PathBuf> {
    let slash = key.find('/').unwrap_or(usize::MAX) < key.find('.').unwrap_or(usize::MAX);
    let path = match slash {
        true => key.to_owned(),
        false => key
            .chars()
            .map(|c| match c {
                '.' => '/',
                '/' => '.',
                other => other,
            })
            .collect(),
    };
    let whole = path
        .split('/')
        .all(|part| !part.is_empty() && part != "." && part != "..");
    whole.then(|| Path::new("/proc/sys").join(path))
}

fn load(file: &Path, quiet: bool) -> i32 {
    let Ok(text) = fs::read_to_string(file) else {
        say_err(&format!("sysctl: cannot open \"{}\"", file.display()));
        return 1;
    };
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.starts_with(['#', ';']));
    let set = |line: &str| match line.strip_prefix('-') {
        Some(line) => told(one(line.trim(), quiet, false), true),
        None => told(one(line, quiet, false), false),
    };
    lines.map(set).max().unwrap_or(0)
}

fn system(quiet: bool) -> i32 {
    let entries = fs::read_dir("/etc/sysctl.d")
        .into_iter()
        .flatten()
        .flatten();
    let mut files: Vec<_> = entries
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "conf"))
        .collect();
    files.sort();
    files.push("/etc/sysctl.conf".into());
    files.retain(|f| f.exists());
    files.iter().map(|f| load(f, quiet)).max().unwrap_or(0)
}

fn list(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(&path);
        } else if let Ok(value) = fs::read_to_string(&path) {
            let key = path
                .strip_prefix("/proc/sys")
                .unwrap_or(&path)
                .display()
                .to_string();
            say(&format!("{} = {}", swapped(&key), value.trim()));
        }
    }
}

/// A path as a key: the inverse of [`path_of`].
fn swapped(path: &str) -> String {
    let swap = |c| match c {
        '/' => '.',
        '.' => '/',
        other => other,
    };
    path.chars().map(swap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lead_below_proc_sys_only() {
        let of = |k| path_of(k).map(|p| p.display().to_string());
        assert_eq!(
            of("net.ipv4.ip_forward").as_deref(),
            Some("/proc/sys/net/ipv4/ip_forward")
        );
        assert_eq!(
            of("net/ipv4/conf/eth0.1/mtu").as_deref(),
            Some("/proc/sys/net/ipv4/conf/eth0.1/mtu")
        );
        assert_eq!(
            of("net.ipv4.conf.eth0/1.mtu").as_deref(),
            Some("/proc/sys/net/ipv4/conf/eth0.1/mtu")
        );
        assert_eq!(of("/../../etc/passwd"), None);
        assert_eq!(of("net//x"), None);
        assert_eq!(
            swapped("net/ipv4/conf/eth0.1/mtu"),
            "net.ipv4.conf.eth0/1.mtu"
        );
    }
}
