//! `/etc/network/interfaces` as interfaces(5) has it: `auto`, `allow-hotplug`, `iface` stanzas
//! with inheritance, `source` and `source-directory`.

use std::fs;
use std::path::{Path, PathBuf};

/// One `iface` stanza.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stanza {
    pub(super) name: String,
    /// `inet` or `inet6`.
    pub(super) family: String,
    /// `static`, `dhcp`, `manual`, `loopback`, `auto`, …
    pub(super) method: String,
    /// Options in order, `_` and `-` in their names being the same.
    pub(super) options: Vec<(String, String)>,
}

impl Stanza {
    /// The last value of an option.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }

    /// All values of an option, in order.
    pub(super) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let name = name.to_owned();
        self.options
            .iter()
            .filter(move |(n, _)| *n == name)
            .map(|(_, v)| v.as_str())
    }
}

/// A whole file with what it includes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Interfaces {
    /// Interfaces to bring up at boot, in order.
    pub(super) auto: Vec<String>,
    stanzas: Vec<Stanza>,
}

impl Interfaces {
    /// Reads a file and what it includes.
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let mut all = Self::default();
        all.include(file, 0)?;
        Ok(all)
    }

    fn include(&mut self, file: &Path, depth: usize) -> Result<(), String> {
        let bytes =
            fs::read(file).map_err(|e| format!("{} cannot be read: {e}", file.display()))?;
        let base = file.parent().unwrap_or(Path::new("/"));
        for other in self.parse(&String::from_utf8_lossy(&bytes)) {
            if depth < 8 {
                for path in matching(&base.join(other)) {
                    self.include(&path, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    /// Adds a text; the paths that it includes.
    fn parse(&mut self, text: &str) -> Vec<PathBuf> {
        let mut included = Vec::new();
        let mut open = false;
        for line in joined(text) {
            let mut words = line.split_whitespace();
            let first = words.next().unwrap_or_default();
            match first {
                "auto" | "allow-auto" | "allow-hotplug" => {
                    open = false;
                    self.auto(words);
                }
                "iface" => {
                    open = true;
                    self.iface(words.collect());
                }
                "source" | "source-directory" => {
                    open = false;
                    let tail = if first == "source" { "" } else { "/*" };
                    included.extend(words.map(|w| PathBuf::from(format!("{w}{tail}"))));
                }
                "mapping" | "no-auto-down" | "no-scripts" | "rename" | "template" => open = false,
                _ if first.starts_with("allow-") => open = false,
                name if open => self.add_option(name, &line),
                _ => {}
            }
        }
        included
    }

    fn auto<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for name in names {
            if !self.auto.iter().any(|n| n == name) {
                self.auto.push(name.to_owned());
            }
        }
    }

    fn iface(&mut self, words: Vec<&str>) {
        let inherited = words
            .iter()
            .position(|w| *w == "inherits")
            .and_then(|i| words.get(i + 1));
        let inherited = inherited.and_then(|name| self.stanzas.iter().find(|s| s.name == **name));
        let from = inherited.cloned().unwrap_or_default();
        let word =
            |i: usize, default: &str| words.get(i).map_or(default.to_owned(), |w| (*w).to_owned());
        self.stanzas.push(Stanza {
            name: word(0, ""),
            family: word(1, "inet"),
            method: word(2, "manual"),
            options: from.options,
        });
    }

    fn add_option(&mut self, name: &str, line: &str) {
        if let Some(stanza) = self.stanzas.last_mut() {
            let value = line[name.len()..].trim();
            stanza
                .options
                .push((name.replace('_', "-"), value.to_owned()));
        }
    }

    /// An interface's stanzas.
    pub(super) fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Stanza> {
        self.stanzas.iter().filter(move |s| s.name == name)
    }
}

/// Lines without comments and blank ones, those that end in `\` joined with the next.
fn joined(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut part = String::new();
    for line in text.lines() {
        let line = line.trim();
        if part.is_empty() && (line.is_empty() || line.starts_with('#')) {
            continue;
        }
        match line.strip_suffix('\\') {
            Some(start) => {
                part.push_str(start);
                part.push(' ');
            }
            None => out.push(std::mem::take(&mut part) + line),
        }
    }
    out
}

/// The files that a path means whose last part may hold one `*`.
fn matching(path: &Path) -> Vec<PathBuf> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let Some((start, end)) = name.split_once('*') else {
        return if path.is_file() {
            vec![path.into()]
        } else {
            Vec::new()
        };
    };
    let entries = fs::read_dir(path.parent().unwrap_or(Path::new("/")))
        .into_iter()
        .flatten()
        .flatten();
    let fits = |p: &PathBuf| {
        let n = p.file_name().unwrap_or_default().to_string_lossy();
        p.is_file()
            && !n.starts_with('.')
            && n.len() >= start.len() + end.len()
            && n.starts_with(start)
            && n.ends_with(end)
    };
    let mut found: Vec<_> = entries.map(|e| e.path()).filter(fits).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_stanzas() {
        let mut all = Interfaces::default();
        let included = all.parse(
            "# own\nauto lo eth0\nauto eth0\niface lo inet loopback\nsource more.d/*\nallow-hotplug eth1\n\
             iface eth0 inet static\n\taddress 10.0.0.1\n\tnetmask 255.255.255.0\n\tpost-up echo a \\\n  b\n\
             \tbridge_ports eth1 eth2\n\niface eth0 inet6 auto\niface eth1 inherits eth0 inet\niface eth2 inet dhcp\n",
        );
        assert_eq!(included, [PathBuf::from("more.d/*")]);
        assert_eq!(all.auto, ["lo", "eth0", "eth1"]);
        let eth0: Vec<_> = all.of("eth0").collect();
        assert_eq!(eth0.len(), 2);
        assert_eq!(eth0[0].option("netmask"), Some("255.255.255.0"));
        assert_eq!(
            eth0[0]
                .option("post-up")
                .map(|v| v.split_whitespace().count()),
            Some(3)
        );
        assert_eq!(eth0[0].option("bridge-ports"), Some("eth1 eth2"));
        assert_eq!(eth0[1].method, "auto");
        assert_eq!(
            all.of("eth1").next().unwrap().option("address"),
            Some("10.0.0.1")
        );
    }

    #[test]
    fn includes_other_files_but_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join("interfaces");
        fs::create_dir(folder.path().join("d")).unwrap();
        fs::write(&main, "source d/*.cfg\nsource interfaces\nauto lo\n").unwrap();
        fs::write(folder.path().join("d/a.cfg"), "auto eth0\n").unwrap();
        fs::write(folder.path().join("d/b.other"), "auto eth1\n").unwrap();
        assert_eq!(Interfaces::read(&main).unwrap().auto, ["lo", "eth0"]);
        assert!(Interfaces::read(&folder.path().join("none")).is_err());
    }
}
