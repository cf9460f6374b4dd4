//! What setup does, and what takes it back.

use std::path::PathBuf;

use super::facts::Facts;
use super::ids;

/// One change of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// What it is for, in a line.
    pub(super) what: String,
    /// What is done.
    pub(super) deed: Deed,
}

/// Something that is done to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Writes a file of our own.
    Write { path: PathBuf, text: String },
    /// Removes one.
    Remove { path: PathBuf },
    /// Sets a kernel parameter now.
    Set { key: String, value: String },
    /// Runs a program; if it is optional, its failure is none.
    Run { argv: Vec<String>, optional: bool },
}

const PROFILE: &str = "/etc/apparmor.d/telaio";
const SYSCTLS: &str = "/etc/sysctl.d/60-telaio.conf";
const LIMITS: &str = "/etc/security/limits.d/60-telaio.conf";
const DELEGATION: &str = "/etc/systemd/system/user@.service.d/60-telaio.conf";
/// Which ids were given to whom, for `--undo`.
const GIVEN: &str = "/etc/telaio/subordinate-ids";

/// Kernel parameters and the least value that large labs want.
const LEAST: &[(&str, u64)] = &[
    ("net.ipv4.neigh.default.gc_thresh1", 8192),
    ("net.ipv4.neigh.default.gc_thresh2", 32768),
    ("net.ipv4.neigh.default.gc_thresh3", 65536),
    ("net.ipv6.neigh.default.gc_thresh1", 8192),
    ("net.ipv6.neigh.default.gc_thresh2", 32768),
    ("net.ipv6.neigh.default.gc_thresh3", 65536),
    ("fs.inotify.max_user_instances", 8192),
    ("fs.inotify.max_user_watches", 524_288),
    ("kernel.pid_max", 4_194_304),
    ("kernel.unprivileged_userns_clone", 1),
];

/// Open files that a user's processes may have.
const OPEN_FILES: u64 = 1_048_576;

/// The changes that this host still wants.
pub(super) fn wanted(facts: &Facts) -> Vec<Change> {
    let mut out = profile(facts);
    out.extend(sysctls(facts));
    out.extend(limits(facts));
    out.extend(delegation(facts));
    out.extend(subordinate(facts));
    out
}

fn change(what: impl Into<String>, deed: Deed) -> Change {
    Change {
        what: what.into(),
        deed,
    }
}

fn run(what: &str, argv: &[&str], optional: bool) -> Change {
    let argv = argv.iter().map(|a| (*a).to_string()).collect();
    change(what, Deed::Run { argv, optional })
}

/// Writes a file unless it is there with that text.
fn file(facts: &Facts, what: &str, path: &str, text: String) -> Option<Change> {
    let path_buf = path.into();
    (facts.read(path).as_deref() != Some(&text)).then(|| {
        let deed = Deed::Write {
            path: path_buf,
            text,
        };
        change(what, deed)
    })
}

/// Where AppArmor takes the rights of user namespaces away, a profile that gives them to this
/// program alone.
fn profile(facts: &Facts) -> Vec<Change> {
    if facts.sysctl("kernel.apparmor_restrict_unprivileged_userns") != Some(1) {
        return Vec::new();
    }
    let program = facts.program.display();
    let text = format!(
        "# written by `telaio setup`; `telaio setup --undo` removes it\n\
         abi <abi/4.0>,\n\
         include <tunables/global>\n\n\
         profile telaio \"{program}\" flags=(unconfined) {{\n  \
           userns,\n  \
           include if exists <local/telaio>\n\
         }}\n"
    );
    let what = "let AppArmor allow user namespaces to telaio";
    let Some(write) = file(facts, what, PROFILE, text) else {
        return Vec::new();
    };
    vec![
        write,
        run(
            "load the profile",
            &["apparmor_parser", "-r", PROFILE],
            false,
        ),
    ]
}

fn sysctls(facts: &Facts) -> Vec<Change> {
    let before = facts.read(SYSCTLS).unwrap_or_default();
    let ours = |key: &str| {
        before
            .lines()
            .any(|l| l.split('=').next().map(str::trim) == Some(key))
    };
    let mut text = String::from("# written by `telaio setup`; `telaio setup --undo` removes it\n");
    let mut out = Vec::new();
    let mut any = false;
    for (key, least) in LEAST {
        let Some(value) = facts.sysctl(key) else {
            continue;
        };
        if value < *least {
            let deed = Deed::Set {
                key: (*key).into(),
                value: least.to_string(),
            };
            out.push(change("raise a limit of the kernel now", deed));
        }
        if value < *least || ours(key) {
            text.push_str(&format!("{key} = {least}\n"));
            any = true;
        }
    }
    let write = file(
        facts,
        "raise limits of the kernel at every start",
        SYSCTLS,
        text,
    );
    write.filter(|_| any).into_iter().chain(out).collect()
}

fn limits(facts: &Facts) -> Option<Change> {
    let enough = facts.open_files.is_none_or(|n| n >= OPEN_FILES);
    if !facts.has("/etc/security") || (enough && !facts.has(LIMITS)) {
        return None;
    }
    let text = format!(
        "# written by `telaio setup`; `telaio setup --undo` removes it\n\
         *  hard  nofile  {OPEN_FILES}\n"
    );
    file(
        facts,
        "let users' processes open more files (from their next login)",
        LIMITS,
        text,
    )
}

fn delegation(facts: &Facts) -> Vec<Change> {
    if !facts.delegates() {
        return Vec::new();
    }
    let text = "# written by `telaio setup`; `telaio setup --undo` removes it\n\
                [Service]\n\
                Delegate=cpu cpuset io memory pids\n";
    let what = "let users limit memory and processors of their nodes (from their next login)";
    match file(facts, what, DELEGATION, text.into()) {
        None => Vec::new(),
        Some(write) => vec![write, reload()],
    }
}

fn reload() -> Change {
    run(
        "have systemd read it",
        &["systemctl", "daemon-reload"],
        true,
    )
}

fn subordinate(facts: &Facts) -> Vec<Change> {
    let Some(user) = &facts.user else {
        return Vec::new();
    };
    let files = [
        ("/etc/subuid", "--add-subuids"),
        ("/etc/subgid", "--add-subgids"),
    ];
    let missing: Vec<&str> = files
        .iter()
        .filter(|(file, _)| !ids::has(facts, file, user))
        .map(|(_, option)| *option)
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let first = ids::free(facts);
    let range = format!("{first}-{}", first + ids::COUNT - 1);
    let mut argv = vec!["usermod"];
    for option in &missing {
        argv.extend([*option, range.as_str()]);
    }
    argv.push(user);
    let what = format!("give {user} subordinate ids, so that nodes have users of their own");
    let mut note = facts.read(GIVEN).unwrap_or_default();
    note.push_str(&format!("{user} {range} {}\n", missing.join(" ")));
    let noted = Deed::Write {
        path: GIVEN.into(),
        text: note,
    };
    vec![
        Change {
            what,
            ..run("", &argv, false)
        },
        change("note which, for `--undo`", noted),
    ]
}

/// What takes back what was done here.
pub(super) fn undo(facts: &Facts) -> Vec<Change> {
    let mut out = Vec::new();
    if facts.has(PROFILE) {
        out.push(run(
            "unload the AppArmor profile",
            &["apparmor_parser", "-R", PROFILE],
            true,
        ));
    }
    let files = [
        (PROFILE, "remove the AppArmor profile"),
        (
            SYSCTLS,
            "let limits of the kernel be as they were (from the next start)",
        ),
        (
            LIMITS,
            "let the limit of open files be as it was (from the next login)",
        ),
        (
            DELEGATION,
            "let control groups be as they were (from the next login)",
        ),
    ];
    for (path, what) in files.into_iter().filter(|(path, _)| facts.has(path)) {
        out.push(change(what, Deed::Remove { path: path.into() }));
        if path == DELEGATION {
            out.push(reload());
        }
    }
    out.extend(take_back(facts));
    out
}

/// Takes subordinate ids back.
fn take_back(facts: &Facts) -> Vec<Change> {
    let Some(given) = facts.read(GIVEN) else {
        return Vec::new();
    };
    let mut out: Vec<Change> = given.lines().filter_map(taken).collect();
    out.push(change(
        "forget which ids were given",
        Deed::Remove { path: GIVEN.into() },
    ));
    out
}

fn taken(line: &str) -> Option<Change> {
    let mut words = line.split_whitespace();
    let (user, range) = (words.next()?, words.next()?);
    let mut argv = vec!["usermod".to_string()];
    for option in words {
        argv.extend([option.replace("--add-", "--del-"), range.to_string()]);
    }
    argv.push(user.to_string());
    let deed = Deed::Run {
        argv,
        optional: true,
    };
    Some(change(
        format!("take subordinate ids back from {user}"),
        deed,
    ))
}
