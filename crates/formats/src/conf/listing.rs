//! What lies in a lab's folder, and which of it belongs to machines.

use std::collections::BTreeSet;
use std::path::Path;

use diag::Diagnostic;

use crate::folder::{Folder, Kind};

/// Names of machines that no dialect allows.
pub(super) const RESERVED: [&str; 3] = ["shared", "_test", "CVS"];

/// The names at the top of a lab's folder.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Folders that can belong to a machine.
    folders: BTreeSet<String>,
    files: BTreeSet<String>,
    shared: bool,
}

impl Listing {
    pub(super) fn read(folder: &Folder) -> Result<Self, Diagnostic> {
        let mut listing = Self::default();
        for name in folder.names(Path::new(""))? {
            // a link that leads outside matters only when a machine needs it
            match folder.kind(Path::new(&name)) {
                Ok(Some(Kind::Dir)) | Err(_) if !name.contains(".startup") => {
                    listing.folder(name);
                }
                Ok(None) => {}
                _ => drop(listing.files.insert(name)),
            }
        }
        Ok(listing)
    }

    fn folder(&mut self, name: String) {
        self.shared |= name == "shared";
        if !name.starts_with('.') && !RESERVED.contains(&name.as_str()) {
            self.folders.insert(name);
        }
    }

    #[cfg(test)]
    pub(super) fn of(folders: &[&str], files: &[&str]) -> Self {
        Self {
            folders: folders.iter().map(|f| (*f).into()).collect(),
            files: files.iter().map(|f| (*f).into()).collect(),
            shared: false,
        }
    }

    pub(super) fn has_file(&self, name: &str) -> bool {
        self.files.contains(name)
    }

    pub(super) fn has_folder(&self, name: &str) -> bool {
        self.folders.contains(name)
    }

    pub(super) fn has_shared(&self) -> bool {
        self.shared
    }

    /// Folders that can belong to a machine, sorted.
    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        self.folders.iter().map(String::as_str)
    }

    /// Startup scripts, sorted.
    pub(super) fn startups(&self) -> impl Iterator<Item = &str> {
        self.files
            .iter()
            .map(String::as_str)
            .filter(|f| f.ends_with(".startup"))
    }

    /// Machines that have a startup script, sorted.
    pub(super) fn started(&self) -> impl Iterator<Item = &str> {
        self.startups()
            .filter_map(|f| f.strip_suffix(".startup"))
            .filter(|m| !m.is_empty() && !RESERVED.contains(m))
    }
}
