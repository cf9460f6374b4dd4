//! What apt knows: which packages are missing for a wish, and their download. All of it works
//! without root.

use std::path::Path;
use std::process::{Command, Output};

use super::Error;

/// One version of a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Its name, without an architecture.
    pub name: String,
    /// Its version as Debian writes it.
    pub version: String,
}

/// A command whose messages are in English.
pub(super) fn command(program: &'static str) -> Command {
    let mut command = Command::new(program);
    command.env("LC_ALL", "C").env_remove("LANGUAGE");
    command.stdin(std::process::Stdio::null());
    command
}

pub(super) fn output(mut command: Command, program: &'static str) -> Result<Output, Error> {
    command.output().map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::NotDebian(program),
        _ => Error::io("starting", program)(e),
    })
}

/// The rules of Debian policy 5.6.1, which also keep options and paths out.
pub(super) fn check_name(name: &str) -> Result<(), Error> {
    let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
    let first = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    match name.len() >= 2 && name.starts_with(first) && name.chars().all(ok) {
        true => Ok(()),
        false => Err(Error::Name(name.into())),
    }
}

/// The packages that `name` needs, itself included, and that the host lacks or has in too old a
/// version. Empty when all of it is installed on the host.
pub(super) fn missing(name: &str) -> Result<Vec<Package>, Error> {
    check_name(name)?;
    let mut simulation = command("apt-get");
    simulation.args(["-s", "-q", "--no-install-recommends", "install", name]);
    let out = output(simulation, "apt-get")?;
    let text = String::from_utf8_lossy(&out.stdout);
    match out.status.success() {
        true => Ok(text.lines().filter_map(to_install).collect()),
        false => Err(refusal(name, &text, &String::from_utf8_lossy(&out.stderr))),
    }
}

/// `Inst libyang2 (2.1.30-2 Debian:12/stable [amd64])`, with `[installed version]` after the
/// name for an upgrade.
fn to_install(line: &str) -> Option<Package> {
    let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
    let (_, version) = rest.split_once('(')?;
    let name = name.split(':').next()?;
    Some(Package {
        name: name.into(),
        version: version.split_whitespace().next()?.into(),
    })
}

fn refusal(name: &str, out: &str, err: &str) -> Error {
    let unknown =
        err.contains("Unable to locate package") || err.contains("no installation candidate");
    match unknown {
        true if no_lists() => Error::NoLists,
        true => Error::Unknown {
            name: name.into(),
            similar: similar(name),
        },
        false => Error::Unavailable {
            name: name.into(),
            text: dependencies(out, err),
        },
    }
}

/// The lines in which apt says what does not fit.
fn dependencies(out: &str, err: &str) -> String {
    let unmet = out
        .lines()
        .skip_while(|l| !l.contains("unmet dependencies"));
    let lines = unmet.chain(err.lines()).map(str::trim);
    let lines: Vec<_> = lines.filter(|l| !l.is_empty()).take(12).collect();
    lines.join("; ")
}

/// Whether apt knows no package at all, as in a fresh container.
fn no_lists() -> bool {
    let mut names = command("apt-cache");
    names.args(["pkgnames", "libc6"]);
    output(names, "apt-cache").is_ok_and(|o| o.stdout.is_empty())
}

/// Up to five names that look like `name`: those that a search for its parts finds, the nearest
/// first.
fn similar(name: &str) -> Vec<String> {
    let mut names = command("apt-cache");
    names.arg("pkgnames");
    let Ok(out) = output(names, "apt-cache") else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&out.stdout);
    nearest(name, text.lines())
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut near: Vec<_> = known
        .filter(|k| k.len().abs_diff(name.len()) <= 8)
        .map(|k| (score(name, k), k))
        .filter(|(score, _)| *score <= (name.len() / 3).min(2))
        .collect();
    near.sort_unstable();
    near.iter().take(5).map(|(_, k)| (*k).to_owned()).collect()
}

/// How unlike two names are: one that begins with the other counts as one letter.
fn score(wanted: &str, known: &str) -> usize {
    if wanted.len() >= 4
        && (known.starts_with(wanted) || wanted.starts_with(known) && known.len() >= 3)
    {
        return 1;
    }
    distance(wanted.as_bytes(), known.as_bytes())
}

/// Levenshtein's distance, by the usual two rows.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = before + usize::from(x != y);
            before = row[j + 1];
            row[j + 1] = replaced.min(before + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Downloads packages into `folder`; apt checks their hashes.
pub(super) fn download(packages: &[Package], folder: &Path) -> Result<(), Error> {
    let mut get = command("apt-get");
    get.args(["-q", "-o", "APT::Sandbox::User=", "download"]);
    get.args(packages.iter().map(|p| format!("{}={}", p.name, p.version)));
    get.current_dir(folder);
    let out = output(get, "apt-get")?;
    if out.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&out.stderr);
    let errors: Vec<_> = text.lines().filter(|l| l.starts_with("E: ")).collect();
    Err(Error::Download(match errors.is_empty() {
        true => text.trim().to_owned(),
        false => errors.join("; "),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_simulation_would_install() {
        let package = to_install("Inst libyang2 (2.1.30-2 Debian:12.1/stable [amd64])").unwrap();
        assert_eq!(
            (package.name.as_str(), package.version.as_str()),
            ("libyang2", "2.1.30-2")
        );
        let upgrade =
            to_install("Inst libc6:amd64 [2.36-1] (1:2.36-9 Debian:12/stable [amd64]) []").unwrap();
        assert_eq!(
            (upgrade.name.as_str(), upgrade.version.as_str()),
            ("libc6", "1:2.36-9")
        );
        assert_eq!(
            to_install("Conf libyang2 (2.1.30-2 Debian:12.1/stable [amd64])"),
            None
        );
    }

    #[test]
    fn options_and_paths_are_no_names() {
        for bad in ["-y", "../x", "frr=1", "Frr", "", "a b", "f"] {
            assert!(matches!(check_name(bad), Err(Error::Name(_))), "{bad}");
        }
        for good in ["frr", "libstdc++6", "g++", "php8.2-fpm"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn suggests_near_names() {
        let known = ["apache2", "bind9", "bird2", "nginx", "nginx-light", "frr"];
        assert_eq!(nearest("apche2", known.into_iter()), ["apache2"]);
        assert_eq!(nearest("bind", known.into_iter()), ["bind9"]);
        assert!(nearest("wireshark", known.into_iter()).is_empty());
        assert_eq!(distance(b"kitten", b"sitting"), 3);
    }
}
