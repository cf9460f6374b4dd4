//! Lab languages: each reader turns its files into the model ([`lab::Lab`]) and the contents that
//! nodes will find ([`lab::Snapshot`]), and says where a file is wrong and what it could not
//! keep. Reads only what the lab's folder holds (unless told otherwise), and runs nothing.

mod conf;
mod find;
mod folder;
mod mounts;
mod names;
mod native;
mod nearest;
mod only;
mod places;
mod snapshot;
mod text;
mod tidy;
mod walk;

use std::path::{Path, PathBuf};

use diag::Diagnostics;

use folder::Folder;

pub use mounts::{open_mount, prepare};
pub use native::{CheckFile, is_check_file, read_checks};

/// How to read a lab.
#[derive(Clone, Debug)]
pub struct Options {
    /// The language; found by itself when absent.
    pub dialect: Option<Dialect>,
    /// Whether files and links of the lab may lead outside its folder.
    pub outside: bool,
    /// Only these nodes of it; all when empty. Segments stay.
    pub only: Vec<String>,
    /// Whether nodes get the lab's `shared` folder.
    pub shared: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dialect: None,
            outside: false,
            only: Vec::new(),
            shared: true,
        }
    }
}

/// A lab language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `lab.conf` of Netkit 2 and Netkit-NG.
    Netkit,
    /// `lab.conf` of netkit-jh.
    NetkitJh,
    /// `lab.conf` of Kathara 3.
    Kathara,
    /// `telaio.yaml`.
    Telaio,
}

/// A lab as it was read.
#[derive(Clone, Debug)]
pub struct Read {
    /// The model.
    pub lab: lab::Lab,
    /// The contents of its files.
    pub snapshot: lab::Snapshot,
    /// The lab's folder, which the model's paths are relative to (absolute).
    pub folder: PathBuf,
    /// The language that it is written in.
    pub dialect: Dialect,
    /// Whether files and links of the lab may lead outside its folder.
    pub outside: bool,
    /// Warnings and notes.
    pub diagnostics: Diagnostics,
}

/// A lab that was read and whose files were not.
struct Parsed {
    lab: lab::Lab,
    dialect: Dialect,
    diagnostics: Diagnostics,
    locate: Box<lab::Locate<'static>>,
}

/// Reads a lab from its folder or its main file (`lab.conf`, `telaio.yaml`).
///
/// # Errors
/// All mistakes that were found, with their places, and the warnings beside them.
pub fn read(path: &Path, options: &Options) -> Result<Read, Diagnostics> {
    match read_all(path, options) {
        Ok(mut read) => {
            read.diagnostics = tidy::tidy(&read.diagnostics);
            Ok(read)
        }
        Err(wrong) => Err(tidy::tidy(&wrong)),
    }
}

fn read_all(path: &Path, options: &Options) -> Result<Read, Diagnostics> {
    let main = find::main(path, options)?;
    let folder = Folder::open(&main.folder, options.outside)?;
    let mut parsed = match &main.native {
        Some(file) => native::read(&folder, file)?,
        None => conf::read(&folder, options)?,
    };
    let mut diagnostics = parsed.diagnostics;
    diagnostics.append(lab::validate_at(&parsed.lab, &parsed.locate));
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    if !options.only.is_empty() {
        only::keep(&mut parsed.lab, &options.only)?;
    }
    diagnostics.append(mounts::check(&parsed.lab, &folder, &parsed.locate));
    match snapshot::take(&parsed.lab, &folder, &parsed.locate) {
        Ok(_) if diagnostics.has_errors() => Err(diagnostics),
        Ok(snapshot) => Ok(Read {
            lab: parsed.lab,
            snapshot,
            folder: folder.path().to_path_buf(),
            dialect: parsed.dialect,
            outside: options.outside,
            diagnostics,
        }),
        Err(wrong) => {
            diagnostics.append(wrong);
            Err(diagnostics)
        }
    }
}

/// Writes a lab as the text of a `telaio.yaml` that stands in the lab's folder.
///
/// # Errors
/// What of the lab cannot be written.
pub fn to_yaml(lab: &lab::Lab) -> Result<String, String> {
    native::to_yaml(lab)
}

/// The JSON Schema of `telaio.yaml`.
pub fn schema() -> serde_json::Value {
    native::schema()
}
