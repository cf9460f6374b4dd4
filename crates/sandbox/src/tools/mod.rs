//! Private tools: daemons and commands from the distribution's packages, unpacked into a layer
//! of the user's own, without installing anything on the host and without root.
//!
//! [`Store::add`] asks apt what a package needs that the host lacks, downloads that, unpacks it
//! and makes what the packages' own scripts would have made ([`postinst`]). Everything unpacked
//! is then linked together into one tree, the *layer*, which nodes see over the host's `/usr`;
//! its `etc` and `var` go into the nodes' own. A change makes a new layer and leaves the old one
//! to the labs that run on it ([`Store::hold`]).

mod apt;
mod layer;
mod manifest;
mod postinst;
mod store;

pub use apt::Package;
pub use manifest::Installed;
pub use store::{Added, Hold, Progress, Store};

use std::path::PathBuf;

/// Why tools could not be added, listed or removed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host has no apt.
    #[error(
        "this host has no {0}: Telaio takes tools from Debian's packages; install them with this \
         distribution's package manager instead, labs see what is installed on the host"
    )]
    NotDebian(&'static str),
    /// No package of that name.
    #[error("there is no package `{name}`{}", suggestion(.similar))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Names that look like it.
        similar: Vec<String>,
    },
    /// The host's package lists are missing.
    #[error("this host has no package lists: run `sudo apt-get update` once, then try again")]
    NoLists,
    /// Not a name that a package can have.
    #[error(
        "`{0}` cannot be a package's name: it has lower-case letters, digits, `+`, `-` and `.`"
    )]
    Name(String),
    /// apt found no way to have the package.
    #[error("apt cannot provide `{name}`: {text}")]
    Unavailable {
        /// What was asked for.
        name: String,
        /// What apt said.
        text: String,
    },
    /// The download failed.
    #[error(
        "the packages could not be downloaded: {0}\n  check the network (and `http_proxy` behind a \
         proxy); if files were not found, the package lists are old: run `sudo apt-get update`"
    )]
    Download(String),
    /// A package could not be unpacked.
    #[error("{} could not be unpacked: {text}", file.display())]
    Unpack {
        /// The package's file.
        file: PathBuf,
        /// What `dpkg-deb` said.
        text: String,
    },
    /// A tool that is not there cannot be removed.
    #[error("`{0}` was not added: `telaio tools ls` lists what was")]
    NotAdded(String),
    /// The list of what was added cannot be read.
    #[error("{}: {text}; remove the file and add the tools again", file.display())]
    Manifest {
        /// The list.
        file: PathBuf,
        /// What is wrong with it.
        text: String,
    },
    /// Another `telaio tools` is at work.
    #[error("another `telaio tools` is at work on {}: try again when it has ended", .0.display())]
    Busy(PathBuf),
    /// A file could not be read or written.
    #[error("{doing} {}: {error}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        error: std::io::Error,
    },
}

impl Error {
    fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |error| Self::Io { doing, path, error }
    }
}

fn suggestion(similar: &[String]) -> String {
    match similar {
        [] => String::new(),
        some => format!(": did you mean {}?", some.join(", ")),
    }
}

/// The layers that a lab of this user gets, the one to be looked at first standing first; each
/// has `usr` and may have `etc` and `var`. Empty when no tools were added.
pub fn layers() -> Result<Vec<PathBuf>, Error> {
    Ok(Store::of_user().layer()?.into_iter().collect())
}
