//! Systemd's unit files, as far as daemons need them: enough to start what any package brings.
//! The format is that of systemd.syntax(7), systemd.service(5) and systemd.exec(5); what only
//! hardens a daemon (`ProtectSystem=` and the like) means nothing here and is passed over.

use std::path::PathBuf;
use std::time::Duration;

/// How a service says that it is ready (`Type=`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Once its process runs.
    #[default]
    Simple,
    /// When the process that was started ends, leaving a daemon behind.
    Forking,
    /// When its processes have ended.
    Oneshot,
    /// By a message to `$NOTIFY_SOCKET`.
    Notify,
}

/// A command of a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exec {
    /// Program and arguments before variables are put in.
    pub(super) words: Vec<String>,
    /// Its failure is no failure of the service (`-`).
    pub(super) may_fail: bool,
    /// Variables stay as they are (`:`).
    pub(super) verbatim: bool,
    /// Runs as root whatever `User=` says (`+`, `!`, `!!`).
    pub(super) as_root: bool,
    /// The second word is what the program sees as its name (`@`).
    pub(super) own_name: bool,
}

/// A folder that a service wants below `/run`, `/var/lib`, …
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) mode: u32,
}

/// A condition on a path; `wanted` is false for `!`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) path: String,
    pub(super) wanted: bool,
}

/// What to do with a service's processes besides the main one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum KillMode {
    /// All of them end with it.
    #[default]
    All,
    /// They go on.
    Process,
}

/// A service's unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Unit {
    /// Its name without `.service`.
    pub(super) name: String,
    /// Where it was read from.
    pub(super) origin: String,
    pub(super) description: String,
    pub(super) kind: Kind,
    pub(super) pre: Vec<Exec>,
    pub(super) start: Vec<Exec>,
    pub(super) post: Vec<Exec>,
    pub(super) stop: Vec<Exec>,
    pub(super) stop_post: Vec<Exec>,
    pub(super) reload: Vec<Exec>,
    pub(super) pidfile: Option<PathBuf>,
    pub(super) environment: Vec<(String, String)>,
    /// Files of variables; those marked may be missing.
    pub(super) environment_files: Vec<(PathBuf, bool)>,
    pub(super) user: Option<String>,
    pub(super) group: Option<String>,
    /// Capabilities that are kept beyond `User=`, as setpriv(1) names them.
    pub(super) ambient: Vec<String>,
    pub(super) folders: Vec<Folder>,
    pub(super) working_folder: Option<PathBuf>,
    pub(super) umask: Option<u32>,
    /// Units that must be up before.
    pub(super) requires: Vec<String>,
    /// Units with which it ends.
    pub(super) part_of: Vec<String>,
    pub(super) conditions: Vec<Condition>,
    pub(super) kill_mode: KillMode,
    pub(super) kill_signal: Option<i32>,
    pub(super) remain: bool,
    pub(super) good_status: Vec<i32>,
    pub(super) start_timeout: Option<Duration>,
    pub(super) stop_timeout: Option<Duration>,
    /// Sections and settings of the kind that is read.
    pub(super) modes: Modes,
}

/// Modes may stand before or after their folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Modes(Vec<(&'static str, u32)>, Vec<(&'static str, String)>);

/// `Setting=` and where its folders are.
const FOLDERS: &[(&str, &str)] = &[
    ("RuntimeDirectory", "/run"),
    ("StateDirectory", "/var/lib"),
    ("CacheDirectory", "/var/cache"),
    ("LogsDirectory", "/var/log"),
    ("ConfigurationDirectory", "/etc"),
];

impl Unit {
    /// Reads a unit called `name` (without `.service`) from its text. What is not understood is
    /// passed over.
    pub(super) fn parse(name: &str, origin: &str, text: &str) -> Self {
        let mut unit = Self {
            name: name.into(),
            origin: origin.into(),
            ..Self::default()
        };
        unit.add(text);
        unit
    }

    /// Adds a drop-in's text.
    pub(super) fn add(&mut self, text: &str) {
        for (section, key, value) in settings(text) {
            let value = specifiers(&value, &self.name);
            match section.as_str() {
                "Unit" => self.set_unit(&key, &value),
                "Service" => self.set_service(&key, &value),
                _ => {}
            }
        }
        self.place_folders();
    }

    fn set_unit(&mut self, key: &str, value: &str) {
        match key {
            "Description" => self.description = value.into(),
            "Requires" | "BindsTo" => extend(&mut self.requires, value),
            "PartOf" => extend(&mut self.part_of, value),
            "ConditionPathExists"
            | "ConditionFileIsExecutable"
            | "ConditionPathIsDirectory"
            | "AssertPathExists" => {
                let (wanted, path) = match value.strip_prefix('!') {
                    Some(path) => (false, path),
                    None => (true, value),
                };
                self.conditions.push(Condition {
                    path: path.trim_start_matches('|').into(),
                    wanted,
                });
            }
            _ => {}
        }
    }

    fn set_service(&mut self, key: &str, value: &str) {
        match key {
            "Type" => self.kind = kind(value),
            "ExecStartPre" | "ExecCondition" => exec(&mut self.pre, value),
            "ExecStart" => exec(&mut self.start, value),
            "ExecStartPost" => exec(&mut self.post, value),
            "ExecStop" => exec(&mut self.stop, value),
            "ExecStopPost" => exec(&mut self.stop_post, value),
            "ExecReload" => exec(&mut self.reload, value),
            "PIDFile" => self.pidfile = Some(below_run(value)),
            "RemainAfterExit" => self.remain = truth(value),
            "SuccessExitStatus" => self.good_status.extend(
                value
                    .split_whitespace()
                    .filter_map(|s| s.parse::<i32>().ok()),
            ),
            "KillMode" if ["process", "none"].contains(&value) => {
                self.kill_mode = KillMode::Process
            }
            "KillSignal" => self.kill_signal = signal(value),
            "TimeoutSec" => {
                self.start_timeout = span(value);
                self.stop_timeout = span(value);
            }
            "TimeoutStartSec" => self.start_timeout = span(value),
            "TimeoutStopSec" => self.stop_timeout = span(value),
            _ => self.set_exec(key, value),
        }
    }

    /// The settings of systemd.exec(5).
    fn set_exec(&mut self, key: &str, value: &str) {
        match key {
            "Environment" if value.is_empty() => self.environment.clear(),
            "Environment" => self
                .environment
                .extend(words(value).iter().filter_map(|w| assignment(w))),
            "EnvironmentFile" if value.is_empty() => self.environment_files.clear(),
            "EnvironmentFile" => {
                let optional = value.starts_with('-');
                let path = value.trim_start_matches('-').into();
                self.environment_files.push((path, optional));
            }
            "User" => self.user = some(value),
            "Group" => self.group = some(value),
            "AmbientCapabilities" => self.ambient = capabilities(value),
            "WorkingDirectory" => {
                self.working_folder = some(value.trim_start_matches('-')).map(PathBuf::from)
            }
            "UMask" => self.umask = u32::from_str_radix(value, 8).ok(),
            _ => self.set_folder(key, value),
        }
    }

    fn set_folder(&mut self, key: &str, value: &str) {
        for (setting, _) in FOLDERS {
            if key == *setting {
                self.modes.1.push((setting, value.into()));
            } else if key.strip_suffix("Mode") == Some(setting) {
                let mode = u32::from_str_radix(value, 8).unwrap_or(0o755);
                self.modes.0.push((setting, mode));
            }
        }
    }

    fn place_folders(&mut self) {
        self.folders.clear();
        for (setting, names) in &self.modes.1 {
            let base = FOLDERS
                .iter()
                .find(|(s, _)| s == setting)
                .map_or("/run", |(_, b)| b);
            let mode = self
                .modes
                .0
                .iter()
                .rev()
                .find(|(s, _)| s == setting)
                .map_or(0o755, |(_, m)| *m);
            for name in names
                .split_whitespace()
                .filter(|n| !n.split('/').any(|p| p == ".."))
            {
                self.folders.push(Folder {
                    path: PathBuf::from(base).join(name.trim_start_matches('/')),
                    mode,
                });
            }
        }
    }
}

/// `(section, key, value)` of each setting, in order; lines that end in `\` go on.
fn settings(text: &str) -> Vec<(String, String, String)> {
    let mut out = Vec::new();
    let mut section = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.trim().to_owned();
        if line.starts_with(['#', ';']) || line.is_empty() {
            continue;
        }
        while let Some(start) = line.strip_suffix('\\') {
            let next = lines
                .by_ref()
                .map(str::trim)
                .find(|l| !l.starts_with(['#', ';']));
            line = format!("{} {}", start.trim_end(), next.unwrap_or_default());
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name.into();
        } else if let Some((key, value)) = line.split_once('=') {
            out.push((section.clone(), key.trim().into(), value.trim().into()));
        }
    }
    out
}

/// Puts in `%i` and its like (systemd.unit(5), "Specifiers"), for a system's units.
fn specifiers(value: &str, name: &str) -> String {
    let (prefix, instance) = name.split_once('@').unwrap_or((name, ""));
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('i') => out.push_str(instance),
            Some('I') => out.push_str(&unescaped(instance)),
            Some('n') => out.push_str(&format!("{name}.service")),
            Some('N') => out.push_str(name),
            Some('p' | 'P') => out.push_str(prefix),
            Some('t') => out.push_str("/run"),
            Some('S') => out.push_str("/var/lib"),
            Some('C') => out.push_str("/var/cache"),
            Some('L') => out.push_str("/var/log"),
            Some('E') => out.push_str("/etc"),
            Some('h') => out.push_str("/root"),
            Some('u' | 'U') => out.push_str("root"),
            Some('%') => out.push('%'),
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
    }
    out
}

/// An instance's name as systemd-escape(1) undoes it: `-` stands for `/`.
fn unescaped(instance: &str) -> String {
    instance.replace('-', "/").replace("\\x2d", "-")
}

fn kind(value: &str) -> Kind {
    match value {
        "forking" => Kind::Forking,
        "oneshot" => Kind::Oneshot,
        "notify" | "notify-reload" => Kind::Notify,
        _ => Kind::Simple,
    }
}

fn exec(list: &mut Vec<Exec>, value: &str) {
    if value.is_empty() {
        return list.clear();
    }
    let rest = value.trim_start_matches(['-', '@', ':', '+', '!', '|']);
    let marks = &value[..value.len() - rest.len()];
    list.push(Exec {
        words: words(rest),
        may_fail: marks.contains('-'),
        verbatim: marks.contains(':'),
        as_root: marks.contains(['+', '!']),
        own_name: marks.contains('@'),
    });
}

/// Words, with single and double quotes and backslashes as systemd.syntax(7) has them.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (_, '\\') => word.get_or_insert_default().extend(escape(&mut chars)),
            (None, c) if c.is_whitespace() => out.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word);
    out
}

fn escape(chars: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match chars.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        's' => ' ',
        'x' => {
            let digits: String = chars.by_ref().take(2).collect();
            u8::from_str_radix(&digits, 16).map_or('?', char::from)
        }
        other => other,
    })
}

/// `NAME=value`.
pub(super) fn assignment(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    let ok = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(ok)).then(|| (name.into(), value.into()))
}

fn extend(list: &mut Vec<String>, value: &str) {
    let names = value
        .split_whitespace()
        .filter_map(|w| w.strip_suffix(".service"));
    list.extend(names.map(str::to_owned));
}

fn some(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

/// `CAP_NET_RAW` is `net_raw` in other places.
fn capabilities(value: &str) -> Vec<String> {
    let names = value
        .split_whitespace()
        .filter_map(|c| c.strip_prefix("CAP_"));
    names.map(str::to_lowercase).collect()
}

fn below_run(value: &str) -> PathBuf {
    PathBuf::from("/run").join(value)
}

fn truth(value: &str) -> bool {
    ["1", "yes", "true", "on", "y", "t"].contains(&value.to_ascii_lowercase().as_str())
}

fn signal(value: &str) -> Option<i32> {
    let number = match value.strip_prefix("SIG").unwrap_or(value) {
        "HUP" => 1,
        "INT" => 2,
        "QUIT" => 3,
        "KILL" => 9,
        "USR1" => 10,
        "USR2" => 12,
        "TERM" => 15,
        "WINCH" => 28,
        other => other.parse().ok()?,
    };
    Some(number)
}

/// `90`, `5min 20s`, `500ms`; none for `infinity`.
fn span(value: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    for word in value.split_whitespace() {
        let digits = word
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(word.len());
        let number: u32 = word[..digits].parse().ok()?;
        let unit = match &word[digits..] {
            "ms" => Duration::from_millis(1),
            "" | "s" | "sec" => Duration::from_secs(1),
            "m" | "min" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            _ => return None,
        };
        total = total.saturating_add(unit.saturating_mul(number));
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# a comment\n[Unit]\nDescription=Own daemon\nRequires=base.service x.socket\n\
        ConditionPathExists=!/etc/own/off\n\n[Service]\nType=notify\nRuntimeDirectoryMode=0700\n\
        RuntimeDirectory=own own/sub ../bad\nPIDFile=own.pid\nEnvironment=A=1 \"B=two words\"\n\
        EnvironmentFile=-/etc/default/own\nExecStartPre=-/usr/bin/test -e %t/%p\n\
        ExecStart=/usr/sbin/own --name '%i' \\\n  # in between\n  -f $OPTS\nTimeoutSec=1min 30s\n\
        KillSignal=SIGQUIT\nProtectSystem=full\n[Install]\nWantedBy=multi-user.target\n";

    #[test]
    fn reads_a_unit() {
        let unit = Unit::parse("own@a", "own@.service", TEXT);
        assert_eq!(unit.description, "Own daemon");
        assert_eq!(unit.kind, Kind::Notify);
        assert_eq!(unit.requires, ["base"]);
        assert!(!unit.conditions[0].wanted);
        assert_eq!(unit.pidfile.as_deref(), Some("/run/own.pid".as_ref()));
        assert_eq!(unit.environment[1], ("B".into(), "two words".into()));
        assert_eq!(unit.environment_files, [("/etc/default/own".into(), true)]);
        assert!(unit.pre[0].may_fail);
        assert_eq!(unit.pre[0].words, ["/usr/bin/test", "-e", "/run/own"]);
        assert_eq!(
            unit.start[0].words,
            ["/usr/sbin/own", "--name", "a", "-f", "$OPTS"]
        );
        assert_eq!(unit.start_timeout, Some(Duration::from_secs(90)));
        assert_eq!(unit.kill_signal, Some(3));
        let folders: Vec<_> = unit
            .folders
            .iter()
            .map(|f| (f.path.to_str().unwrap(), f.mode))
            .collect();
        assert_eq!(folders, [("/run/own", 0o700), ("/run/own/sub", 0o700)]);
    }

    #[test]
    fn an_empty_command_takes_back_what_was_said() {
        let mut unit = Unit::parse("own", "", "[Service]\nExecStart=/a\n");
        unit.add("[Service]\nExecStart=\nExecStart=@/b own-name x\n");
        assert_eq!(unit.start.len(), 1);
        assert!(unit.start[0].own_name);
        assert_eq!(unit.start[0].words[0], "/b");
    }

    #[test]
    fn words_have_quotes_and_escapes() {
        assert_eq!(
            words(r#"a "b c" 'd "e' f\x20g "" h\\"#),
            ["a", "b c", "d \"e", "f g", "", "h\\"]
        );
        assert_eq!(words("open \"end"), ["open", "end"]);
    }

    #[test]
    fn times() {
        assert_eq!(span("infinity"), None);
        assert_eq!(span("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(span("5"), Some(Duration::from_secs(5)));
    }
}
