//! Follows a node's startup scripts into the functions and files that they run.

use std::collections::{BTreeMap, HashMap, HashSet};

use diag::{Place, Source, Span};
use lab::{EntryKind, Node, Snapshot};

use super::{Collector, Wanted, files, kernel, service};
use crate::shell::{self, Command, Script, Variables};

/// How deep scripts that run scripts are followed.
const DEEPEST: usize = 8;

/// Longest script and largest number of files that are read.
const LARGEST: usize = 1 << 20;
const MOST: usize = 200;

/// Words of the shell, and programs that nodes bring themselves.
const OWN: &[&str] = &[
    ".",
    ":",
    "[",
    "[[",
    "alias",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "cd",
    "command",
    "compgen",
    "complete",
    "continue",
    "declare",
    "dirs",
    "disown",
    "echo",
    "enable",
    "eval",
    "exec",
    "exit",
    "export",
    "false",
    "fc",
    "fg",
    "getopts",
    "hash",
    "help",
    "history",
    "jobs",
    "kill",
    "let",
    "local",
    "logout",
    "mapfile",
    "popd",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readarray",
    "readonly",
    "return",
    "set",
    "shift",
    "shopt",
    "source",
    "suspend",
    "test",
    "time",
    "times",
    "trap",
    "true",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "wait",
    "systemctl",
    "service",
    "invoke-rc.d",
    "update-rc.d",
    "rc-service",
    "modprobe",
    "insmod",
    "rmmod",
    "lsmod",
    "depmod",
    "telaio",
];

/// Programs that run the program named behind their options.
const WRAPPERS: &[&str] = &[
    "sudo", "nohup", "exec", "command", "builtin", "env", "nice", "ionice", "timeout", "setsid",
    "stdbuf", "busybox", "chrt", "unbuffer", "doas", "time",
];

const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh"];

/// Folders that programs are found in.
const FOLDERS: &[&str] = &[
    "/usr/local/sbin/",
    "/usr/local/bin/",
    "/usr/sbin/",
    "/usr/bin/",
    "/sbin/",
    "/bin/",
];

/// Collects what a node's startup scripts use.
pub(super) fn scripts<'a>(node: &Node, snapshot: &'a Snapshot, list: &mut Collector<'a>) {
    let environment = node.environment.iter().map(|(k, v)| (k.clone(), v.clone()));
    let tree = snapshot.trees.get(list.node).into_iter().flatten();
    let mut walker = Walker {
        snapshot,
        tree: tree.map(|e| (e.path.as_str(), &e.kind)).collect(),
        variables: environment.collect(),
        made: HashSet::new(),
        seen: HashSet::new(),
        folder: "/root".into(),
        depth: 0,
        list,
    };
    let scripts = snapshot.startup.get(walker.list.node);
    for (title, blob) in scripts.into_iter().flatten() {
        if let Some(text) = text_of(snapshot.blobs.get(*blob)) {
            let source = Source::new(title.clone(), text);
            walker.script(&Origin::File(source), true);
        }
    }
    if !node.routing.daemons.is_empty() {
        walker.service_files("frr", true);
    }
}

/// The texts of a node's files whose path begins with `prefix`, by path.
pub(super) fn texts(snapshot: &Snapshot, node: &str, prefix: &str) -> BTreeMap<String, String> {
    let entries = snapshot.trees.get(node).into_iter().flatten();
    let read = |path: &str, kind: &EntryKind| match kind {
        EntryKind::File(blob) if path.starts_with(prefix) => {
            Some((path.to_string(), text_of(snapshot.blobs.get(*blob))?))
        }
        _ => None,
    };
    entries
        .filter_map(|e| read(&e.path, &e.kind))
        .take(MOST)
        .collect()
}

/// A file's text, unless it is too large or no text.
fn text_of(bytes: Option<&Vec<u8>>) -> Option<String> {
    let bytes = bytes.filter(|b| b.len() <= LARGEST && !b.contains(&0))?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// Where a script's text stands.
enum Origin {
    /// In a file of its own.
    File(Source),
    /// In a word of another script, which stands for all of it.
    Word(String, Place),
}

impl Origin {
    fn text(&self) -> &str {
        match self {
            Self::File(source) => source.text(),
            Self::Word(text, _) => text,
        }
    }

    fn place(&self, span: Span) -> Place {
        match self {
            Self::File(source) => source.at(span),
            Self::Word(_, place) => place.clone(),
        }
    }
}

struct Walker<'a, 'c> {
    snapshot: &'a Snapshot,
    /// The node's files, the last of each path.
    tree: HashMap<&'a str, &'a EntryKind>,
    variables: Variables,
    /// Programs that scripts write or copy.
    made: HashSet<String>,
    /// Files that were followed.
    seen: HashSet<String>,
    /// The working folder.
    folder: String,
    depth: usize,
    list: &'c mut Collector<'a>,
}

impl Walker<'_, '_> {
    fn script(&mut self, origin: &Origin, certain: bool) {
        if self.depth >= DEEPEST {
            return;
        }
        self.depth += 1;
        let script = shell::parse(origin.text(), &mut self.variables);
        let called = reached(&script);
        for command in &script.commands {
            let by_call = match &command.function {
                None => Some(true),
                Some(function) => called.get(function).copied(),
            };
            if let Some(surely) = by_call {
                let certain = certain && surely && command.certain;
                self.command(origin, command, &script, certain);
            }
        }
        self.depth -= 1;
    }

    fn command(&mut self, origin: &Origin, command: &Command, script: &Script, certain: bool) {
        let place = origin.place(command.span.clone());
        for target in command.writes.iter().filter(|w| w.exact) {
            self.written(&target.text, certain, &place);
        }
        let words: Vec<&str> = command.words.iter().map(known).collect();
        let words = unwrapped(&words);
        let Some(program) = words.first().copied() else {
            return;
        };
        let base = program.rsplit('/').next().unwrap_or(program);
        self.remember(base, &words);
        if SHELLS.contains(&base) || matches!(base, "eval" | "source" | ".") {
            self.run_text(base, &words, command, place, certain);
            return;
        }
        if self.follow(program, certain) || script.functions.contains(program) {
            return;
        }
        self.services(&words, &place, certain);
        self.features(base, &words, &place, certain);
        self.program(program, place, certain);
    }

    fn features(&mut self, base: &str, words: &[&str], place: &Place, certain: bool) {
        let mut words = words.to_vec();
        words[0] = base;
        for feature in kernel::of_command(&words) {
            self.list
                .add(Wanted::Feature(feature), certain, Some(place.clone()));
        }
        for feature in kernel::of_modules(&words) {
            self.list
                .add(Wanted::Feature(feature), false, Some(place.clone()));
        }
        match base {
            "ifup" => self.service_files("ifup", certain),
            "sysctl"
                if words
                    .iter()
                    .any(|w| w.starts_with("-p") || *w == "--system") =>
            {
                self.service_files("sysctl", certain);
            }
            _ => {}
        }
    }

    fn services(&mut self, words: &[&str], place: &Place, certain: bool) {
        for name in service::started(words) {
            self.service_files(&name, certain);
            let units = [
                "/etc/systemd/system/",
                "/usr/lib/systemd/system/",
                "/lib/systemd/system/",
            ];
            let brings = units
                .iter()
                .any(|u| self.has(&format!("{u}{name}.service")));
            if !brings && !self.has(&format!("/etc/init.d/{name}")) {
                self.list
                    .add(Wanted::Service(name), certain, Some(place.clone()));
            }
        }
    }

    fn service_files(&mut self, service: &str, certain: bool) {
        for (feature, place) in files::of_service(self.snapshot, self.list.node, service) {
            self.list
                .add(Wanted::Feature(feature), certain, Some(place));
        }
    }

    /// A shell's, `eval`'s or `source`'s text.
    fn run_text(
        &mut self,
        base: &str,
        words: &[&str],
        command: &Command,
        place: Place,
        certain: bool,
    ) {
        let rest = &words[1..];
        if base == "eval" {
            return self.script(&Origin::Word(rest.join(" "), place), certain);
        }
        let behind_c = rest
            .iter()
            .position(|w| w.starts_with('-') && w.ends_with('c'));
        if let Some(text) = behind_c.and_then(|at| rest.get(at + 1)) {
            return self.script(&Origin::Word((*text).to_string(), place), certain);
        }
        match rest.iter().find(|w| !w.starts_with('-')) {
            Some(file) => drop(self.follow(file, certain)),
            None => {
                if let Some(input) = &command.input {
                    self.script(&Origin::Word(input.text.clone(), place), certain);
                }
            }
        }
    }

    /// Goes into a file of the node; whether there is such a file.
    fn follow(&mut self, path: &str, certain: bool) -> bool {
        let Some((path, text)) = self.file(path) else {
            return false;
        };
        if let Some(text) = text.filter(|t| is_script(t))
            && self.seen.len() < MOST
            && self.seen.insert(path.clone())
        {
            let source = Source::new(format!("{}:{path}", self.list.node), text);
            self.script(&Origin::File(source), certain);
        }
        true
    }

    /// A file of the node by a path as written, or by a program's name: path and text.
    fn file(&self, written: &str) -> Option<(String, Option<String>)> {
        let candidates = match written {
            "" => return None,
            w if w.starts_with('/') => vec![w.to_string()],
            w if w.contains('/') => vec![join(&self.folder, w)],
            w => {
                let here = std::iter::once(join(&self.folder, w));
                here.chain(FOLDERS.iter().map(|f| format!("{f}{w}")))
                    .collect()
            }
        };
        let found = candidates.into_iter().find(|path| self.has(path))?;
        let text = match self.tree.get(found.as_str()) {
            Some(EntryKind::File(blob)) => text_of(self.snapshot.blobs.get(*blob)),
            _ => None,
        };
        Some((found, text))
    }

    fn has(&self, path: &str) -> bool {
        self.tree.contains_key(path)
    }

    /// A file that a command writes: a kernel parameter, or a program that is there from then.
    fn written(&mut self, path: &str, certain: bool, place: &Place) {
        if let Some(key) = path.strip_prefix("/proc/sys/") {
            if let Some(feature) = kernel::of_sysctl(key) {
                self.list
                    .add(Wanted::Feature(feature), certain, Some(place.clone()));
            }
        } else if let Some(name) = path.rsplit('/').next() {
            self.made.insert(name.to_string());
        }
    }

    /// What later commands may build on.
    fn remember(&mut self, base: &str, words: &[&str]) {
        match (base, words.last()) {
            ("cd", Some(folder)) => self.folder = join(&self.folder, folder),
            ("cp" | "mv" | "ln" | "install" | "wget" | "curl" | "tar" | "unzip", _) => {
                let names = words[1..].iter().filter_map(|w| w.rsplit('/').next());
                self.made.extend(names.map(String::from));
            }
            ("alias", _) => {
                let names = words.iter().filter_map(|w| w.split_once('='));
                self.made.extend(names.map(|(name, _)| name.to_string()));
            }
            _ => {}
        }
    }

    fn program(&mut self, program: &str, place: Place, certain: bool) {
        let name = match FOLDERS.iter().find_map(|f| program.strip_prefix(f)) {
            Some(name) => name,
            None => program,
        };
        let fine = |c: char| c.is_ascii_alphanumeric() || "_.+-".contains(c);
        let is_name = name.chars().all(fine) && name.starts_with(|c: char| c.is_ascii_alphabetic());
        if is_name && !OWN.contains(&name) && !self.made.contains(name) {
            self.list
                .add(Wanted::Program(name.into()), certain, Some(place));
        }
    }
}

/// A word's text; empty when a part of it is not known.
fn known(word: &shell::Word) -> &str {
    if word.exact { &word.text } else { "" }
}

/// Which functions are called, and whether surely.
fn reached(script: &Script) -> BTreeMap<String, bool> {
    let mut out: BTreeMap<String, bool> = BTreeMap::new();
    // calls through more functions than this are not followed
    for _ in 0..64 {
        let mut grown = false;
        for command in &script.commands {
            let caller = command
                .function
                .as_ref()
                .map_or(Some(true), |f| out.get(f).copied());
            let Some(surely) = caller else { continue };
            let name = command.name();
            if !script.functions.contains(name) {
                continue;
            }
            let surely = surely && command.certain;
            let before = out.get(name).copied();
            if before.is_none() || (before == Some(false) && surely) {
                out.insert(name.into(), surely);
                grown = true;
            }
        }
        if !grown {
            break;
        }
    }
    out
}

/// A command without the programs that only run it.
fn unwrapped<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut words = words.to_vec();
    for _ in 0..DEEPEST {
        let Some(first) = words.first() else { break };
        let base = first.rsplit('/').next().unwrap_or(first);
        let skip = match base {
            "ip" => match words.iter().position(|w| *w == "exec") {
                Some(at) if at <= 3 && matches!(words[at - 1], "netns" | "vrf" | "net") => at + 2,
                _ => break,
            },
            _ if words.len() > 1 && WRAPPERS.contains(&base) => {
                let number = |w: &&str| w.starts_with(|c: char| c.is_ascii_digit());
                let option = |w: &&str| w.starts_with('-') || w.contains('=');
                let skipped = words[1..].iter().take_while(|w| option(w) || number(w));
                1 + skipped.count()
            }
            _ => break,
        };
        words.drain(..skip.min(words.len()));
    }
    words
}

/// Whether a text is a shell script: it says so, or it says nothing.
fn is_script(text: &str) -> bool {
    match text.strip_prefix("#!") {
        Some(rest) => rest.lines().next().is_some_and(|l| l.contains("sh")),
        None => !text.starts_with('\u{7f}'),
    }
}

/// A path below a folder, `.` and `..` resolved.
fn join(folder: &str, path: &str) -> String {
    let full = if path.starts_with('/') {
        path.to_string()
    } else {
        format!("{folder}/{path}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in full.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests;
