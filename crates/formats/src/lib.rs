//! Lab languages: each reader turns its files into the model ([`lab::Lab`]) and the contents that
//! nodes will find ([`lab::Snapshot`]), and says where a file is wrong and what it could not
//! keep. Reads only what the lab's folder holds (unless told otherwise), and runs nothing.

use std::path::{Path, PathBuf};

use diag::{Diagnostic, Diagnostics};

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
    /// Warnings and notes.
    pub diagnostics: Diagnostics,
}

/// Reads a lab from its folder or its main file (`lab.conf`, `telaio.yaml`).
///
/// # Errors
/// All mistakes that were found, with their places, and the warnings beside them.
pub fn read(path: &Path, options: &Options) -> Result<Read, Diagnostics> {
    let _ = options;
    Err(Diagnostic::error(format!(
        "{} cannot be read: this build has no reader yet",
        path.display()
    ))
    .into())
}

/// Makes what a lab needs on the host before it starts: folders that nodes share and that are
/// not there yet. Where that cannot be, the nodes get an empty folder of their own, and a warning
/// says so.
pub fn prepare(read: &mut Read) {
    let _ = read;
}

/// Writes a lab as the text of a `telaio.yaml` that stands in the lab's folder.
///
/// # Errors
/// What of the lab cannot be written.
pub fn to_yaml(lab: &lab::Lab) -> Result<String, String> {
    diag::yaml::write(lab)
}

/// The JSON Schema of `telaio.yaml`.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(lab::Lab).to_value()
}
