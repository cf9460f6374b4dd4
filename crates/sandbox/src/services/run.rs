//! Running a unit's commands: their words and environment, and waiting for them.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sys::epoll::Poller;

use super::unit::{Exec, Unit, assignment, words};
use super::{Failure, users};

/// The environment of a unit's commands.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment(BTreeMap<String, String>);

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Environment {
    /// That of a unit: like systemd's, it holds nothing of the caller's.
    pub(super) fn of(unit: &Unit) -> Result<Self, Failure> {
        let mut map = BTreeMap::from([
            ("PATH".to_owned(), PATH.to_owned()),
            ("LANG".into(), "C.UTF-8".into()),
        ]);
        map.extend(unit.environment.iter().cloned());
        for (file, optional) in &unit.environment_files {
            match std::fs::read(file) {
                Ok(text) => map.extend(variables(&String::from_utf8_lossy(&text))),
                Err(_) if *optional => {}
                Err(e) => return Err(Failure::new(1, format!("{}: {e}", file.display()))),
            }
        }
        Ok(Self(map))
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// `NAME=value` lines of an environment file; quotes are taken off, `export` is passed over.
pub(super) fn variables(text: &str) -> Vec<(String, String)> {
    let joined = text.replace("\\\n", "");
    let lines = joined
        .lines()
        .map(str::trim)
        .filter(|l| !l.starts_with(['#', ';']));
    let one = |line: &str| {
        let (name, value) = assignment(line.strip_prefix("export ").unwrap_or(line).trim())?;
        let value = value.trim();
        let quoted = value.starts_with(['"', '\'']);
        let value = if quoted {
            words(value).into_iter().next()
        } else {
            Some(value.to_owned())
        };
        Some((name, value.unwrap_or_default()))
    };
    lines.filter_map(one).collect()
}

/// A command's words with variables put in: `$X` as a word of its own becomes as many words as
/// it holds, `${X}` is replaced anywhere, `$$` is `$` (systemd.service(5), "Command lines").
pub(super) fn expand(exec: &Exec, environment: &Environment) -> Vec<String> {
    if exec.verbatim {
        return exec.words.clone();
    }
    let mut out = Vec::new();
    for word in &exec.words {
        match word.strip_prefix('$').filter(|n| is_name(n)) {
            Some(name) => out.extend(words(environment.get(name).unwrap_or_default())),
            None => out.push(braces(word, environment)),
        }
    }
    out
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn braces(word: &str, environment: &Environment) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('{').and_then(|r| r.split_once('}')) {
            out.push_str(environment.get(name).unwrap_or_default());
            rest = after;
        } else {
            out.push('$');
        }
    }
    out + rest
}

/// Starts one command of a unit in a session of its own; what it says goes to `log`.
pub(super) fn spawn(
    unit: &Unit,
    exec: &Exec,
    environment: &Environment,
    log: &Path,
) -> Result<Child, Failure> {
    let keep = !exec.as_root && unit.user.is_some() && !unit.ambient.is_empty();
    let prefix = if keep { keeping(unit) } else { Vec::new() };
    let mut words = prefix.into_iter().chain(expand(exec, environment));
    let program = words.next().unwrap_or_default();
    let mut command = Command::new(&program);
    if exec.own_name {
        std::os::unix::process::CommandExt::arg0(&mut command, words.next().unwrap_or_default());
    }
    command.args(words).env_clear().envs(&environment.0);
    command.current_dir(
        unit.working_folder
            .as_deref()
            .filter(|f| f.is_dir())
            .unwrap_or(Path::new("/")),
    );
    let out = log_file(log)?;
    let again = out
        .try_clone()
        .map_err(|e| Failure::new(1, format!("{}: {e}", log.display())))?;
    command.stdin(Stdio::null()).stdout(out).stderr(again);
    if !exec.as_root && !keep {
        identity(unit, &mut command)?;
    }
    sys::process::new_session(&mut command, false);
    let failed = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::NotFound => Failure::new(5, format!("{program} is not there")),
        _ => Failure::new(1, format!("{program} could not be started: {e}")),
    };
    command.spawn().map_err(failed)
}

/// The words that make a command run as the unit's user with some of root's capabilities.
fn keeping(unit: &Unit) -> Vec<String> {
    let user = unit.user.as_deref().unwrap_or("root");
    let group = unit
        .group
        .clone()
        .or_else(|| users::group_of(Path::new("/"), user).map(|g| g.to_string()));
    let set: Vec<_> = unit.ambient.iter().map(|c| format!("+{c}")).collect();
    let set = set.join(",");
    vec![
        "/usr/bin/setpriv".into(),
        format!("--reuid={user}"),
        format!("--regid={}", group.unwrap_or_else(|| "0".into())),
        "--clear-groups".into(),
        format!("--inh-caps={set}"),
        format!("--ambient-caps={set}"),
        "--".into(),
    ]
}

/// `User=` and `Group=`.
fn identity(unit: &Unit, command: &mut Command) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt;
    let root = Path::new("/");
    let unknown = |kind: &str, name: &str| Failure::new(1, format!("there is no {kind} `{name}`"));
    if let Some(group) = &unit.group {
        command.gid(users::group_id(root, group).ok_or_else(|| unknown("group", group))?);
    } else if let Some(user) = &unit.user {
        command.gid(users::group_of(root, user).unwrap_or(0));
    }
    if let Some(user) = &unit.user {
        command.uid(users::user_id(root, user).ok_or_else(|| unknown("user", user))?);
    }
    Ok(())
}

fn log_file(log: &Path) -> Result<File, Failure> {
    let opened = File::options().append(true).create(true).open(log);
    opened.map_err(|e| Failure::new(1, format!("{} could not be opened: {e}", log.display())))
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With this status, or 128 and a signal's number.
    Status(i32),
    /// It had not by the deadline.
    StillRuns,
}

/// Waits for a child to end.
pub(super) fn wait(child: &mut Child, deadline: Instant) -> End {
    let left = deadline.saturating_duration_since(Instant::now());
    let pid = child.id().cast_signed();
    let ended = sys::process::pidfd_open(pid).and_then(|fd| {
        let mut poller = Poller::new()?;
        poller.add(&fd, 0)?;
        poller.wait(Some(left))
    });
    match (ended, child.try_wait()) {
        (_, Ok(Some(status))) => End::Status(status_of(status)),
        _ => End::StillRuns,
    }
}

fn status_of(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Runs commands one after another to their ends.
pub(super) fn all(
    unit: &Unit,
    list: &[Exec],
    environment: &Environment,
    log: &Path,
    timeout: Duration,
) -> Result<(), Failure> {
    let deadline = Instant::now() + timeout;
    for exec in list {
        let result = one(unit, exec, environment, log, deadline);
        if !exec.may_fail {
            result?;
        }
    }
    Ok(())
}

fn one(
    unit: &Unit,
    exec: &Exec,
    environment: &Environment,
    log: &Path,
    deadline: Instant,
) -> Result<(), Failure> {
    let mut child = spawn(unit, exec, environment, log)?;
    let shown = || {
        PathBuf::from(exec.words.first().map_or("", String::as_str))
            .display()
            .to_string()
    };
    match wait(&mut child, deadline) {
        End::Status(0) => Ok(()),
        End::Status(status) if unit.good_status.contains(&status) => Ok(()),
        End::Status(status) => Err(Failure::new(
            1,
            format!("{} ended with status {status}", shown()),
        )),
        End::StillRuns => {
            drop(child.kill());
            drop(child.wait());
            Err(Failure::new(
                1,
                format!("{} had not ended in time", shown()),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        Environment(BTreeMap::from([
            ("O".into(), "-a 'b c'".into()),
            ("N".into(), "x".into()),
        ]))
    }

    #[test]
    fn variables_become_words_or_parts_of_words() {
        let exec = |words: &[&str]| Exec {
            words: words.iter().map(|w| (*w).to_owned()).collect(),
            ..Exec::default()
        };
        let e = environment();
        assert_eq!(
            expand(&exec(&["p", "$O", "$NONE", "/${N}/y", "$$N", "a$N"]), &e),
            ["p", "-a", "b c", "/x/y", "$N", "a$N"]
        );
        let verbatim = Exec {
            verbatim: true,
            ..exec(&["p", "$O"])
        };
        assert_eq!(expand(&verbatim, &e), ["p", "$O"]);
    }

    #[test]
    fn environment_files_lose_their_quotes() {
        let found = variables("# no\nA=\"one two\"\n export B='x'\nC=plain $A\nnot this\nD=\n");
        let found: Vec<_> = found
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            found,
            [("A", "one two"), ("B", "x"), ("C", "plain $A"), ("D", "")]
        );
    }

    #[test]
    fn a_child_that_goes_on_is_told_from_one_that_ended() {
        let mut child = Command::new("/bin/cat")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        assert_eq!(wait(&mut child, Instant::now()), End::StillRuns);
        drop(child.stdin.take());
        assert_eq!(
            wait(&mut child, Instant::now() + Duration::from_secs(10)),
            End::Status(0)
        );
    }
}
