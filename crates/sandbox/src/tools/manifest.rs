//! The list of what was added: which packages the user asked for, which came with them, and
//! which layer is the current one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Error, Package};

/// `tools.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Version of this file: 1.
    pub(super) telaio_tools: u32,
    /// Number of the current layer, 0 when there is none.
    pub(super) layer: u32,
    /// What was asked for, and the names of all packages that it needs.
    pub(super) requested: BTreeMap<String, BTreeSet<String>>,
    /// Versions of all packages that are unpacked.
    pub(super) packages: BTreeMap<String, String>,
}

/// One tool that the user added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Installed {
    /// The package that was asked for.
    pub name: String,
    /// Its version; none when the host has it and only came short of what it needs.
    pub version: Option<String>,
    /// Packages that came with it: name and version.
    pub with: Vec<(String, String)>,
}

impl Manifest {
    /// Reads it; one that is not there is empty.
    pub(super) fn read(file: &Path) -> Result<Self, Error> {
        let text = match std::fs::read(file) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(Error::io("reading", file)(e)),
        };
        let bad = |text: String| Error::Manifest {
            file: file.into(),
            text,
        };
        let manifest: Self = serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))?;
        match manifest.telaio_tools {
            1 => Ok(manifest),
            other => Err(bad(format!("version {other} is not known to this Telaio"))),
        }
    }

    /// Writes it as a whole or not at all.
    pub(super) fn write(&self, file: &Path) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(self).expect("strings and numbers become JSON");
        let new = file.with_extension("json.new");
        std::fs::write(&new, text).map_err(Error::io("writing", &new))?;
        std::fs::rename(&new, file).map_err(Error::io("writing", file))
    }

    /// Notes that `name` was asked for and needs `packages`.
    pub(super) fn add(&mut self, name: &str, packages: &[Package]) {
        self.telaio_tools = 1;
        let names = packages.iter().map(|p| p.name.clone()).collect();
        self.requested.insert(name.into(), names);
        let versions = packages.iter().map(|p| (p.name.clone(), p.version.clone()));
        self.packages.extend(versions);
    }

    /// Forgets that `name` was asked for, and the packages that nothing else needs.
    pub(super) fn remove(&mut self, name: &str) -> Result<(), Error> {
        let known = self.requested.remove(name);
        known.ok_or_else(|| Error::NotAdded(name.into()))?;
        let needed: BTreeSet<_> = self.requested.values().flatten().collect();
        self.packages.retain(|package, _| needed.contains(package));
        Ok(())
    }

    pub(super) fn installed(&self) -> Vec<Installed> {
        let one = |(name, with): (&String, &BTreeSet<String>)| {
            let version = |p: &String| self.packages.get(p).cloned();
            let others = with.iter().filter(|p| *p != name);
            Installed {
                name: name.clone(),
                version: with.get(name).and_then(version),
                with: others
                    .filter_map(|p| Some((p.clone(), version(p)?)))
                    .collect(),
            }
        };
        self.requested.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> Package {
        Package {
            name: name.into(),
            version: "1".into(),
        }
    }

    #[test]
    fn what_two_tools_share_stays_until_both_are_gone() {
        let mut m = Manifest::default();
        m.add("bind9", &[package("bind9"), package("libuv1")]);
        m.add(
            "bind9-dnsutils",
            &[package("bind9-dnsutils"), package("libuv1")],
        );
        m.remove("bind9").unwrap();
        assert_eq!(
            m.packages.keys().collect::<Vec<_>>(),
            ["bind9-dnsutils", "libuv1"]
        );
        assert!(matches!(m.remove("bind9"), Err(Error::NotAdded(_))));
        assert_eq!(
            m.installed()[0].with,
            [("libuv1".to_owned(), "1".to_owned())]
        );
        m.remove("bind9-dnsutils").unwrap();
        assert!(m.packages.is_empty());
    }

    #[test]
    fn a_newer_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tools.json");
        assert_eq!(Manifest::read(&file).unwrap(), Manifest::default());
        let mut m = Manifest::default();
        m.add("x1", &[]);
        m.write(&file).unwrap();
        assert_eq!(Manifest::read(&file).unwrap(), m);
        m.telaio_tools = 2;
        m.write(&file).unwrap();
        assert!(Manifest::read(&file).is_err());
    }
}
