//! Reading a lab for a verb: how it is to be read, and what it is called.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use diag::{Diagnostics, Level};
use formats::{Dialect, Options, Read};
use supervisor::place;

use crate::failure::Failure;
use crate::ui;

/// How a lab is to be read.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct How {
    /// The language it is written in; found by itself otherwise
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    pub(crate) dialect: Option<Language>,
    /// Let files and links of the lab lead outside its folder (a lab from somebody else could
    /// then read your files into its nodes)
    #[arg(long)]
    pub(crate) allow_outside: bool,
    /// Only this node (may be repeated)
    #[arg(short, long = "node", value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// Do not share the lab's `shared` folder with the nodes
    #[arg(long)]
    pub(crate) no_shared: bool,
}

/// A lab language, as the command line calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// lab.conf of Netkit 2 and Netkit-NG
    Netkit,
    /// lab.conf of netkit-jh
    NetkitJh,
    /// lab.conf of Kathara 3
    Kathara,
    /// telaio.yaml
    Telaio,
}

impl From<Language> for Dialect {
    fn from(language: Language) -> Self {
        match language {
            Language::Netkit => Self::Netkit,
            Language::NetkitJh => Self::NetkitJh,
            Language::Kathara => Self::Kathara,
            Language::Telaio => Self::Telaio,
        }
    }
}

/// A language's name for people.
pub(crate) fn language(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Netkit => "netkit",
        Dialect::NetkitJh => "netkit-jh",
        Dialect::Kathara => "kathara",
        Dialect::Telaio => "telaio",
    }
}

/// Reads a lab; its mistakes, all of them, are the failure.
pub(crate) fn read(path: &Path, how: &How) -> Result<Read, Failure> {
    let options = Options {
        dialect: how.dialect.map(Dialect::from),
        outside: how.allow_outside,
        only: how.nodes.clone(),
        shared: !how.no_shared,
    };
    formats::read(path, &options).map_err(|diagnostics| unreadable(path, diagnostics))
}

fn unreadable(path: &Path, diagnostics: Diagnostics) -> Failure {
    let errors = diagnostics.of(Level::Error).count();
    let message = format!(
        "{} is no lab that can run: {}",
        path.display(),
        ui::count(errors, "mistake")
    );
    Failure::mistakes(message, diagnostics)
}

/// Shows warnings and notes of a lab on standard error; notes only when asked to explain.
pub(crate) fn tell(diagnostics: &Diagnostics, verbose: bool) {
    let mut shown = Diagnostics::new();
    for one in diagnostics.iter() {
        if verbose || one.level > Level::Note {
            shown.push(one.clone());
        }
    }
    if !shown.is_empty() {
        ui::err(&shown.render(ui::err_color()));
    }
}

/// What a lab is called: as `--name` says, else as it says itself, else like its folder.
pub(crate) fn name(given: Option<&str>, read: &Read) -> Result<String, Failure> {
    if let Some(name) = given {
        place::check_name(name)?;
        return Ok(name.into());
    }
    let own = Some(read.lab.name.as_str()).filter(|n| !n.is_empty());
    let folder = read
        .folder
        .file_name()
        .map(|n| n.to_string_lossy().into_owned());
    Ok(place::sanitise(own.unwrap_or(&folder.unwrap_or_default())))
}

/// What a lab was read from, in a form that later finds it again.
pub(crate) fn source(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.into())
}
