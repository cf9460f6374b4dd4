//! Why a private root cannot be made, for people.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Why a private root cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A step failed.
    #[error("{doing}: {error}")]
    Io {
        /// What was tried, on what.
        doing: String,
        /// Why it failed.
        error: io::Error,
    },
    /// The memory that a lab's files may take is used up.
    #[error("{doing}: the memory for this lab's files is full (at most half of the machine's)")]
    Full {
        /// What was tried, on what.
        doing: String,
    },
    /// The kernel mounts no overlays in user namespaces.
    #[error("this kernel mounts no overlay file system in a user namespace: {0}")]
    NoOverlay(io::Error),
    /// Mounting is forbidden altogether.
    #[error("nothing can be mounted here, not even in a user namespace of our own: {0}")]
    NoMount(io::Error),
    /// A new `/proc` is refused.
    #[error("a node cannot have its own /proc: {0}")]
    NoProc(io::Error),
    /// The host's programs are not where they are looked for.
    #[error("this machine's programs cannot be lent to nodes: {0}")]
    Layout(String),
    /// A folder of the host cannot be shared.
    #[error("the folder {} cannot be shared with nodes: {why}", host.display())]
    Share {
        /// The folder.
        host: PathBuf,
        /// Why not.
        why: String,
    },
    /// A file, folder or mount of a node cannot be put in its place.
    #[error("{path}: {why}")]
    Entry {
        /// Where in the node.
        path: String,
        /// Why not.
        why: String,
    },
}

impl Error {
    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Io { .. } | Self::Entry { .. } => return None,
            Self::Full { .. } => {
                "end other labs, or let nodes write less (what they write stays in memory)"
            }
            Self::NoOverlay(_) => {
                "Linux 5.11 or newer with CONFIG_OVERLAY_FS does; `sudo modprobe overlay` \
                 loads it where it is a module"
            }
            Self::NoMount(_) => {
                return sys::identity::restriction()
                    .map(|(_, mend)| mend)
                    .or_else(|| {
                        Some(
                            "in a container, allow the system call mount (for Docker: \
                         `--privileged`, or `--security-opt seccomp=unconfined \
                         --security-opt apparmor=unconfined`)"
                                .into(),
                        )
                    });
            }
            Self::NoProc(_) => {
                "the container that this runs in covers parts of /proc: start it with nothing \
                 covered (for Docker: `--security-opt systempaths=unconfined`)"
            }
            Self::Layout(_) => {
                "Telaio expects a distribution whose programs are below /usr, with /bin, /sbin \
                 and /lib beside it or linked into it"
            }
            Self::Share { .. } => "share a folder that is there, by its own path",
        };
        Some(text.into())
    }

    /// For `map_err`: names what was tried.
    pub(crate) fn io<E: Into<io::Error>>(doing: impl Into<String>) -> impl FnOnce(E) -> Self {
        let doing = doing.into();
        move |error| Self::named(doing, error.into())
    }

    /// For `map_err`: names what was tried and on which path.
    pub(crate) fn at<E: Into<io::Error>>(verb: &str, path: &Path) -> impl FnOnce(E) -> Self {
        let doing = format!("{verb} {}", path.display());
        move |error| Self::named(doing, error.into())
    }

    fn named(doing: String, error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(e) if e == Errno::NOSPC.raw_os_error() => Self::Full { doing },
            _ => Self::Io { doing, error },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_memory_is_named() {
        let full = io::Error::from_raw_os_error(Errno::NOSPC.raw_os_error());
        let error = Error::at("writing", Path::new("etc/hosts"))(full);
        assert!(matches!(error, Error::Full { .. }));
        assert!(error.to_string().contains("half of the machine's"));
        assert!(error.help().is_some());
        let other = Error::at("writing", Path::new("x"))(io::Error::other("why"));
        assert_eq!(other.to_string(), "writing x: why");
    }
}
