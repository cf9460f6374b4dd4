//! The folder that holds a user's tools: `tools.json`, `packages/NAME_VERSION/`, and the layers
//! `layer-N/` that are linked together from them.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::manifest::Manifest;
use super::{Error, Installed, Package, apt, layer, postinst};

/// A user's tools.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// What [`Store::add`] is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// Asks apt what this tool needs.
    Resolving(&'a str),
    /// Downloads so many packages.
    Downloading(usize),
    /// Unpacks one: its number, of how many.
    Unpacking(&'a Package, usize, usize),
    /// Links all tools into one layer.
    Linking,
}

/// What [`Store::add`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Packages that were unpacked.
    pub packages: Vec<Package>,
    /// Tools that the host has itself, with all that they need.
    pub on_host: Vec<String>,
}

/// Keeps a layer from being removed for as long as it lives (in any process that has its
/// descriptor).
#[derive(Debug)]
pub struct Hold {
    layer: Option<PathBuf>,
    lock: Option<File>,
}

impl Hold {
    /// The layers that are held, the one to be looked at first standing first.
    pub fn layers(&self) -> &[PathBuf] {
        self.layer.as_slice()
    }

    /// The descriptor that holds them, for another process to keep.
    pub fn into_lock(self) -> Option<OwnedFd> {
        self.lock.map(OwnedFd::from)
    }
}

impl Store {
    /// The caller's: below `$TELAIO_DATA_DIR`, else `/var/lib/telaio` for root and
    /// `$XDG_DATA_HOME/telaio` (`~/.local/share/telaio`) for others.
    pub fn of_user() -> Self {
        let root = rustix::process::geteuid().is_root();
        Self::at(data_folder(root, |name| {
            std::env::var_os(name)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        }))
    }

    /// Below a data folder.
    pub fn at(data: impl Into<PathBuf>) -> Self {
        Self {
            folder: data.into().join("tools"),
        }
    }

    /// Where everything is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What was added, by name.
    pub fn list(&self) -> Result<Vec<Installed>, Error> {
        Ok(Manifest::read(&self.file())?.installed())
    }

    /// The current layer: a tree with `usr` and perhaps `etc` and `var`; none when nothing was
    /// added.
    pub fn layer(&self) -> Result<Option<PathBuf>, Error> {
        let manifest = Manifest::read(&self.file())?;
        Ok((manifest.layer > 0 && !manifest.packages.is_empty())
            .then(|| self.layer_at(manifest.layer)))
    }

    /// The current layer, kept while a lab runs on it.
    pub fn hold(&self) -> Result<Hold, Error> {
        let mut hold = Hold {
            layer: None,
            lock: None,
        };
        // a change may replace the layer between reading its number and locking it
        for _ in 0..8 {
            let Some(layer) = self.layer()? else { break };
            let lock = self.lock_of(&layer)?;
            flock(&lock, FlockOperation::LockShared)
                .map_err(|e| Error::io("locking", &layer)(e.into()))?;
            if layer.is_dir() {
                hold.layer = Some(layer);
                hold.lock = Some(lock);
                break;
            }
        }
        Ok(hold)
    }

    /// Adds tools: all of them or, on an error, none. What is there already stays, or is
    /// brought to the version that the package lists now have.
    pub fn add(
        &self,
        names: &[String],
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Added, Error> {
        let _lock = self.lock()?;
        let mut manifest = Manifest::read(&self.file())?;
        let before = manifest.clone();
        let mut added = Added::default();
        for name in names {
            progress(Progress::Resolving(name));
            match apt::missing(name)? {
                none if none.is_empty() => added.on_host.push(name.clone()),
                packages => {
                    manifest.add(name, &packages);
                    added.packages.extend(packages);
                }
            }
        }
        added.packages.sort();
        added.packages.dedup();
        added.packages.retain(|p| !self.unpacked(p).is_dir());
        self.fetch(&added.packages, progress)?;
        if manifest != before || !added.packages.is_empty() {
            progress(Progress::Linking);
            self.relink(&mut manifest)?;
        }
        Ok(added)
    }

    /// Removes tools and what only they needed: all of them or, on an error, none. Running
    /// labs keep them.
    pub fn remove(&self, names: &[String]) -> Result<(), Error> {
        let _lock = self.lock()?;
        let mut manifest = Manifest::read(&self.file())?;
        for name in names {
            manifest.remove(name)?;
        }
        self.relink(&mut manifest)
    }

    /// Downloads and unpacks packages. Each appears under its final name once it is complete.
    fn fetch(
        &self,
        packages: &[Package],
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Error> {
        if packages.is_empty() {
            return Ok(());
        }
        let work = self.folder.join(".work");
        layer::clear(&work)?;
        layer::make_dir(&work, 0o755)?;
        progress(Progress::Downloading(packages.len()));
        apt::download(packages, &work)?;
        let all = self.folder.join("packages");
        layer::make_dir(&all, 0o755)?;
        for (i, package) in packages.iter().enumerate() {
            progress(Progress::Unpacking(package, i + 1, packages.len()));
            let (file, new) = (deb_of(package, &work)?, work.join("new"));
            layer::unpack(&file, &new)?;
            let there = self.unpacked(package);
            fs::rename(&new, &there).map_err(Error::io("making", &there))?;
        }
        layer::clear(&work)
    }

    /// Makes a new layer of all packages in the list, makes it the current one, and removes
    /// what nothing uses any more.
    fn relink(&self, manifest: &mut Manifest) -> Result<(), Error> {
        let work = self.folder.join(".layer");
        layer::clear(&work)?;
        let folders = manifest.packages.iter().map(|(name, version)| {
            let package = Package {
                name: name.clone(),
                version: version.clone(),
            };
            (name.clone(), self.unpacked(&package))
        });
        let folders: Vec<_> = folders.collect();
        layer::make_dir(&work.join("usr"), 0o755)?;
        for (_, folder) in &folders {
            layer::merge(&folder.join("root"), &work)?;
        }
        postinst::finish(&work, &folders)?;
        manifest.layer = self.free_number(manifest.layer);
        let there = self.layer_at(manifest.layer);
        fs::rename(&work, &there).map_err(Error::io("making", &there))?;
        // there from the start: who may only read here cannot make it
        self.lock_of(&there)?;
        manifest.write(&self.file())?;
        self.tidy(manifest)
    }

    /// A number that no layer has: an interrupted change may have left one behind.
    fn free_number(&self, current: u32) -> u32 {
        let mut number = current + 1;
        while self.layer_at(number).exists() {
            number += 1;
        }
        number
    }

    /// Removes layers that no lab holds and packages that the list does not name.
    fn tidy(&self, manifest: &Manifest) -> Result<(), Error> {
        for name in layer::names(&self.folder)? {
            let text = name.to_string_lossy();
            let number = text
                .strip_prefix("layer-")
                .and_then(|n| n.parse::<u32>().ok());
            if number.is_some_and(|n| n != manifest.layer) {
                self.remove_layer(&self.folder.join(&name))?;
            }
        }
        let packages = self.folder.join("packages");
        if !packages.is_dir() {
            return Ok(());
        }
        let wanted = manifest
            .packages
            .iter()
            .map(|(n, v)| PathBuf::from(format!("{n}_{v}")));
        let wanted: std::collections::HashSet<_> = wanted.collect();
        for name in layer::names(&packages)? {
            if !wanted.contains(&name) {
                layer::clear(&packages.join(name))?;
            }
        }
        Ok(())
    }

    fn remove_layer(&self, path: &Path) -> Result<(), Error> {
        let lock = self.lock_of(path)?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            layer::clear(path)?;
            layer::clear(&lock_file(path))?;
        }
        Ok(())
    }

    fn lock_of(&self, layer: &Path) -> Result<File, Error> {
        let path = lock_file(layer);
        open(&path)
    }

    /// Keeps other `telaio tools` out.
    fn lock(&self) -> Result<File, Error> {
        layer::make_dir(&self.folder, 0o755)?;
        let lock = open(&self.folder.join("lock"))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(lock),
            Err(_) => Err(Error::Busy(self.folder.clone())),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("tools.json")
    }

    fn layer_at(&self, number: u32) -> PathBuf {
        self.folder.join(format!("layer-{number}"))
    }

    fn unpacked(&self, package: &Package) -> PathBuf {
        let name = format!("{}_{}", package.name, package.version);
        self.folder.join("packages").join(name)
    }
}

fn lock_file(layer: &Path) -> PathBuf {
    layer.with_extension("lock")
}

/// The file to lock, made if need be. Reading is enough for a lock: so labs of ordinary users
/// can run on layers that root filled.
fn open(path: &Path) -> Result<File, Error> {
    let made = || {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        options.open(path)
    };
    match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => made(),
        other => other,
    }
    .map_err(Error::io("opening", path))
}

fn data_folder(root: bool, variable: impl Fn(&str) -> Option<PathBuf>) -> PathBuf {
    if let Some(data) = variable("TELAIO_DATA_DIR") {
        return data;
    }
    if root {
        return "/var/lib/telaio".into();
    }
    let home = || variable("HOME").unwrap_or_else(|| "/tmp".into());
    let data = variable("XDG_DATA_HOME").unwrap_or_else(|| home().join(".local/share"));
    data.join("telaio")
}

/// The file that apt made of a download: `NAME_VERSION_ARCHITECTURE.deb`, with `:` written as
/// `%3a`.
fn deb_of(package: &Package, folder: &Path) -> Result<PathBuf, Error> {
    let start = format!("{}_{}_", package.name, package.version.replace(':', "%3a"));
    let name = layer::names(folder)?.into_iter().find(|n| {
        let n = n.to_string_lossy();
        n.starts_with(&start) && n.ends_with(".deb")
    });
    let missing = || {
        Error::Download(format!(
            "apt-get left no file of {} {}",
            package.name, package.version
        ))
    };
    name.map(|n| folder.join(n)).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_folder_follows_the_environment() {
        let home = |name: &str| (name == "HOME").then(|| PathBuf::from("/home/u"));
        let user = data_folder(false, home);
        assert_eq!(user, Path::new("/home/u/.local/share/telaio"));
        assert_eq!(data_folder(true, home), Path::new("/var/lib/telaio"));
        let set = data_folder(true, |_| Some("/d".into()));
        assert_eq!(set, Path::new("/d"));
    }

    #[test]
    fn a_held_layer_outlives_a_change() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::at(data.path());
        assert!(store.hold().unwrap().layers().is_empty());
        let package = Package {
            name: "own".into(),
            version: "1".into(),
        };
        let root = store.unpacked(&package).join("root/usr/bin");
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join("own"), "x").unwrap();
        let mut manifest = Manifest::default();
        manifest.add("own", &[package]);
        store.relink(&mut manifest).unwrap();
        assert!(lock_file(&store.layer().unwrap().unwrap()).is_file());
        let hold = store.hold().unwrap();
        let old = hold.layers()[0].clone();
        store.relink(&mut manifest).unwrap();
        assert!(old.join("usr/bin/own").is_file());
        drop(hold);
        store.remove(&["own".into()]).unwrap();
        assert!(!old.exists());
        assert_eq!(store.layer().unwrap(), None);
        assert!(store.list().unwrap().is_empty());
    }
}
