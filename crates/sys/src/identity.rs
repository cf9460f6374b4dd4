//! Whose ids a lab's processes have: finding ids that are free, and mapping them into a user
//! namespace.
//!
//! Sources: user_namespaces(7), subuid(5), newuidmap(1), systemd's `UIDS-GIDS` page (which
//! leaves the range used here to nobody).

use std::fs;
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, Namespaces};

/// Ids of a lab when there are enough: 0 to 65535 inside.
const COUNT: u32 = 0x1_0000;
/// Where root's labs take theirs from: above systemd's container range, below 2^31.
const HIGH: Range<u32> = 0x7000_0000..0x7fff_0000;

/// What a lab's users and groups are on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identities {
    /// Made by root: ids 0 up to `count` are `first` and up, which nobody else uses.
    Range {
        /// Id of the lab's root.
        first: u32,
        /// How many there are.
        count: u32,
    },
    /// Made by a user with subordinate ids: 0 is the user, 1 and up are these.
    Subordinate {
        /// First subordinate user and how many.
        users: (u32, u32),
        /// First subordinate group and how many.
        groups: (u32, u32),
    },
    /// Made by a user without: 0 is the user, and there is no other id.
    Single,
}

/// Why ids cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// User namespaces are switched off.
    #[error("this machine allows no user namespaces ({why})")]
    NoNamespaces {
        /// The setting that says so.
        why: String,
        /// How to change it.
        mend: String,
    },
    /// There is no free range for a root's lab.
    #[error("no free range of {COUNT} ids is left between {} and {}", HIGH.start, HIGH.end)]
    NoRange,
    /// `newuidmap` or `newgidmap` did not do its work.
    #[error("{program} refused the ids of this lab: {said}")]
    Helper {
        /// Which one.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// The kernel did not take the maps.
    #[error("{what}: {error}")]
    Map {
        /// What was tried.
        what: String,
        /// What the kernel said.
        error: io::Error,
    },
}

impl Error {
    /// What a person can do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NoNamespaces { mend, .. } => Some(mend.clone()),
            Self::NoRange => Some("end some labs (`telaio ls` lists them)".into()),
            Self::Helper { .. } => Some(
                "give this user a range of its own in /etc/subuid and /etc/subgid \
                 (`sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER`), \
                 or remove its lines there: labs then run with one id"
                    .into(),
            ),
            Self::Map { .. } => restriction().map(|(_, mend)| mend),
        }
    }
}

impl Identities {
    /// Chooses ids for a new lab of this name: for root a range that no entry of `/etc/subuid`
    /// or `/etc/subgid` and no running process uses.
    pub fn for_lab(name: &str) -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::of_user(rustix::process::geteuid().as_raw()));
        }
        let (users, groups) = (own_ids("uid_map"), own_ids("gid_map"));
        if covers(&users, &HIGH) && covers(&groups, &HIGH) {
            let first = free_range(name, &taken()).ok_or(Error::NoRange)?;
            return Ok(Self::Range {
                first,
                count: COUNT,
            });
        }
        // root of a container: what it has of ids, but for its own
        let most = |ids: &[Range<u32>]| {
            let reach = ids.iter().find(|r| r.start <= 1).map_or(1, |r| r.end);
            let reach = ids.iter().fold(reach, |end, r| match r.start == end {
                true => r.end,
                false => end,
            });
            reach.saturating_sub(1).min(COUNT)
        };
        match most(&users).min(most(&groups)) {
            0 => Ok(Self::Single),
            count => Ok(Self::Range { first: 1, count }),
        }
    }

    fn of_user(uid: u32) -> Self {
        let helpers = ["newuidmap", "newgidmap"];
        if !helpers.iter().all(|p| helper(p).is_some()) {
            return Self::Single;
        }
        let login = login_of(uid);
        let largest = |file: &str| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let ranges = subordinate(&text, Some((uid, login.as_deref())));
            let largest = ranges.into_iter().max_by_key(|r| r.end - r.start)?;
            let count = (largest.end - largest.start).min(COUNT - 1);
            (count > 0).then_some((largest.start, count))
        };
        match (largest("/etc/subuid"), largest("/etc/subgid")) {
            (Some(users), Some(groups)) => Self::Subordinate { users, groups },
            _ => Self::Single,
        }
    }

    /// Whether a lab's processes have one id only.
    pub fn is_single(&self) -> bool {
        *self == Self::Single
    }

    /// Whether real root made the lab.
    pub fn is_range(&self) -> bool {
        matches!(self, Self::Range { .. })
    }

    /// Maps these ids into the new user namespace of a child.
    pub fn map(&self, pid: i32) -> Result<(), Error> {
        let write = |file: &str, text: &str| {
            let path = format!("/proc/{pid}/{file}");
            fs::write(&path, text).map_err(|error| Error::Map {
                what: format!("the lab's ids cannot be mapped (writing `{text}` to {path})"),
                error,
            })
        };
        let uid = rustix::process::geteuid().as_raw();
        let gid = rustix::process::getegid().as_raw();
        match *self {
            Self::Range { first, count } => {
                write("uid_map", &format!("0 {first} {count}"))?;
                write("gid_map", &format!("0 {first} {count}"))
            }
            Self::Subordinate { users, groups } => {
                run_helper("newuidmap", pid, uid, users)?;
                run_helper("newgidmap", pid, gid, groups)
            }
            Self::Single => {
                write("setgroups", "deny")?;
                write("uid_map", &format!("0 {uid} 1"))?;
                write("gid_map", &format!("0 {gid} 1"))
            }
        }
    }
}

/// What it means that a process could not be made in a new user namespace.
pub fn explain_clone(error: &io::Error) -> Error {
    if let Some((why, mend)) = restriction() {
        return Error::NoNamespaces { why, mend };
    }
    let (why, mend) = match error.raw_os_error() {
        Some(libc::ENOSPC | libc::EUSERS) => (
            "a limit on the number of namespaces is reached",
            "raise the limits: `sudo sysctl user.max_user_namespaces=65536 \
             user.max_net_namespaces=65536 user.max_mnt_namespaces=65536`",
        ),
        Some(libc::EINVAL) => (
            "the kernel is built without them",
            "use a kernel with CONFIG_USER_NS",
        ),
        _ => (
            "they are forbidden here, perhaps by the container that this runs in",
            "in a container, allow the system calls clone, unshare and mount (for Docker: \
             `--privileged`, or `--security-opt seccomp=unconfined --security-opt \
             systempaths=unconfined`)",
        ),
    };
    Error::NoNamespaces {
        why: format!("{why}: {error}"),
        mend: mend.into(),
    }
}

/// The setting of this machine that keeps user namespaces from being of use, and its mend.
pub fn restriction() -> Option<(String, String)> {
    let number = |path: &str| -> Option<u64> {
        let text = fs::read_to_string(Path::new("/proc/sys").join(path)).ok()?;
        text.trim().parse().ok()
    };
    let say = |why: &str, mend: &str| Some((why.to_string(), mend.to_string()));
    if number("user/max_user_namespaces") == Some(0) {
        return say(
            "user.max_user_namespaces is 0",
            "`sudo sysctl user.max_user_namespaces=65536`",
        );
    }
    if rustix::process::geteuid().is_root() {
        return None;
    }
    if number("kernel/unprivileged_userns_clone") == Some(0) {
        return say(
            "kernel.unprivileged_userns_clone is 0",
            "`sudo sysctl kernel.unprivileged_userns_clone=1`",
        );
    }
    if number("kernel/apparmor_restrict_unprivileged_userns") == Some(1) {
        return say(
            "AppArmor takes their rights away, as on Ubuntu",
            "`sudo telaio setup` installs a profile that allows them to telaio",
        );
    }
    None
}

/// A user namespace, for id-mapped mounts, in which the id that a file has shows as another
/// one: `(on the file system, shown)`, for users and groups.
pub fn namespace_showing(user: (u32, u32), group: (u32, u32)) -> io::Result<OwnedFd> {
    let (gate, held) = io::pipe()?;
    let child = process::clone(Namespaces::USER, || {
        drop(held);
        // ends when the parent lets go of its end
        let _ = io::Read::read(&mut &gate, &mut [0]);
        0
    })?;
    let made = (|| {
        let dir = PathBuf::from(format!("/proc/{}", child.pid));
        fs::write(dir.join("uid_map"), format!("{} {} 1", user.0, user.1))?;
        fs::write(dir.join("gid_map"), format!("{} {} 1", group.0, group.1))?;
        fs::File::open(dir.join("ns/user")).map(OwnedFd::from)
    })();
    child.signal(libc::SIGKILL)?;
    child.wait()?;
    made
}

/// Ids on the host of root and its main group in the user namespace of a process that
/// [`Identities::map`] has mapped.
pub fn root_of(pid: i32) -> io::Result<(u32, u32)> {
    let read = |file: &str| -> io::Result<u32> {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}"))?;
        let entry = parse_map(&text).find(|(inside, _, _)| *inside == 0);
        entry
            .map(|(_, outside, _)| outside)
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "its user 0 is not mapped"))
    };
    Ok((read("uid_map")?, read("gid_map")?))
}

/// Entries `(inside, outside, count)` of an id map.
fn parse_map(text: &str) -> impl Iterator<Item = (u32, u32, u32)> + '_ {
    text.lines().filter_map(|line| {
        let mut words = line.split_whitespace().map(str::parse);
        match (words.next(), words.next(), words.next()) {
            (Some(Ok(a)), Some(Ok(b)), Some(Ok(n))) => Some((a, b, n)),
            _ => None,
        }
    })
}

/// Ids that exist in this process's own user namespace, in ascending order.
fn own_ids(file: &str) -> Vec<Range<u32>> {
    let text = fs::read_to_string(Path::new("/proc/self").join(file)).unwrap_or_default();
    let mut ids: Vec<_> = parse_map(&text)
        .map(|(inside, _, count)| inside..inside.saturating_add(count))
        .collect();
    ids.sort_by_key(|r| r.start);
    ids
}

fn covers(ids: &[Range<u32>], wanted: &Range<u32>) -> bool {
    ids.iter()
        .any(|r| r.start <= wanted.start && wanted.end <= r.end)
}

/// Ranges that somebody uses: given to users in `/etc/subuid` and `/etc/subgid`, or mapped by a
/// running process, which every running lab has.
fn taken() -> Vec<Range<u32>> {
    let mut taken = Vec::new();
    for file in ["/etc/subuid", "/etc/subgid"] {
        let text = fs::read_to_string(file).unwrap_or_default();
        taken.extend(subordinate(&text, None));
    }
    let Ok(processes) = fs::read_dir("/proc") else {
        return taken;
    };
    for process in processes.flatten() {
        let number = process.file_name();
        if !number.to_string_lossy().bytes().all(|b| b.is_ascii_digit()) {
            continue;
        }
        for file in ["uid_map", "gid_map"] {
            let text = fs::read_to_string(process.path().join(file)).unwrap_or_default();
            let high = parse_map(&text).filter(|(_, outside, n)| *outside > 0 && *n > 0);
            for (_, outside, count) in high {
                let range = outside..outside.saturating_add(count);
                if !taken.contains(&range) {
                    taken.push(range);
                }
            }
        }
    }
    taken
}

/// The first of 65536 ids for a lab of this name: the same at every start unless something in
/// `taken` is in the way. `None`: all are taken.
pub fn free_range(name: &str, taken: &[Range<u32>]) -> Option<u32> {
    let slots = (HIGH.end - HIGH.start) / COUNT;
    // FNV-1a
    let hash = name.bytes().fold(0x811c_9dc5_u32, |h, b| {
        (h ^ u32::from(b)).wrapping_mul(0x0100_0193)
    });
    (0..slots)
        .map(|i| HIGH.start + (hash.wrapping_add(i) % slots) * COUNT)
        .find(|first| {
            let end = first + COUNT;
            !taken.iter().any(|t| t.start < end && *first < t.end)
        })
}

/// Ranges in a text like `/etc/subuid`: of one user by number or name, else of all.
fn subordinate(text: &str, whose: Option<(u32, Option<&str>)>) -> Vec<Range<u32>> {
    text.lines()
        .filter_map(|line| {
            let mut parts = line.trim().split(':');
            let (user, first, count) = (parts.next()?, parts.next()?, parts.next()?);
            let fits =
                whose.is_none_or(|(uid, login)| Some(user) == login || user.parse() == Ok(uid));
            let (first, count): (u32, u32) = (first.parse().ok()?, count.parse().ok()?);
            fits.then(|| first..first.saturating_add(count))
        })
        .collect()
}

fn login_of(uid: u32) -> Option<String> {
    let text = fs::read_to_string("/etc/passwd").ok()?;
    text.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)?.parse() == Ok(uid)).then(|| name.to_string())
    })
}

/// A helper program that has the rights for its work: set-id, or with capabilities of its own.
fn helper(name: &str) -> Option<PathBuf> {
    let candidates = ["/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin"];
    let found = candidates.iter().map(|dir| Path::new(dir).join(name));
    found.into_iter().find(|path| {
        let set_id = fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o4000 != 0);
        set_id || rustix::fs::getxattr(path, "security.capability", &mut [0_u8; 64]).is_ok()
    })
}

fn run_helper(
    program: &'static str,
    pid: i32,
    own: u32,
    (first, count): (u32, u32),
) -> Result<(), Error> {
    let failed = |said: String| Error::Helper { program, said };
    let path = helper(program).ok_or_else(|| failed("it is not installed".into()))?;
    let numbers = [pid as u32, 0, own, 1, 1, first, count];
    let output = Command::new(path)
        .args(numbers.map(|n| n.to_string()))
        .output()
        .map_err(|e| failed(e.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(
        String::from_utf8_lossy(&output.stderr).trim().into(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_stable_and_apart() {
        let first = free_range("two-computers", &[]).unwrap();
        assert_eq!(free_range("two-computers", &[]), Some(first));
        assert_eq!((first - HIGH.start) % COUNT, 0);
        let inside = first + 5..first + 6;
        let other = free_range("two-computers", std::slice::from_ref(&inside)).unwrap();
        assert!(other >= first + COUNT || other + COUNT <= first);
        assert_eq!(free_range("x", std::slice::from_ref(&HIGH)), None);
    }

    #[test]
    fn subordinate_ids_by_name_and_number() {
        let text = "ann:100000:65536\n# comment\nbob:165536:65536\n1002:300000:1000\nbad:x:1\n";
        let ranges = |uid, login| subordinate(text, Some((uid, login)));
        assert_eq!(ranges(1, Some("bob")).first(), Some(&(165_536..231_072)));
        assert_eq!(ranges(1002, Some("eve")).first(), Some(&(300_000..301_000)));
        assert!(ranges(1, None).is_empty());
        assert_eq!(subordinate(text, None).len(), 3);
    }

    #[test]
    fn a_child_gets_its_ids() {
        let root = rustix::process::geteuid().is_root();
        let identities = Identities::for_lab("a test of ids").unwrap();
        assert_eq!(identities.is_range(), root);
        let (gate, held) = io::pipe().unwrap();
        let child = process::clone(Namespaces::USER, || {
            drop(held);
            let _ = io::Read::read(&mut &gate, &mut [0]);
            0
        });
        let child = match child {
            Ok(child) => child,
            Err(e) => return eprintln!("skipped: {}", explain_clone(&e)),
        };
        identities.map(child.pid).unwrap();
        let (uid, _) = root_of(child.pid).unwrap();
        match identities {
            Identities::Range { first, .. } => assert_eq!(uid, first),
            _ => assert_eq!(uid, rustix::process::geteuid().as_raw()),
        }
        child.signal(libc::SIGKILL).unwrap();
        child.wait().unwrap();
    }
}
