//! Which file a lab is read from.

use std::path::{Path, PathBuf};

use diag::Diagnostic;

use crate::{Dialect, Options};

/// A lab's folder and main file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Main {
    pub(crate) folder: PathBuf,
    /// The native file in it, where the lab is read from one.
    pub(crate) native: Option<PathBuf>,
}

const NATIVE: [&str; 2] = ["telaio.yaml", "telaio.yml"];

/// Finds it from the path that a person gave: a folder, or a file in it. In a folder a
/// `telaio.yaml` counts before a `lab.conf`.
pub(crate) fn main(path: &Path, options: &Options) -> Result<Main, Diagnostic> {
    let conf = |folder: &Path| Main {
        folder: folder.to_path_buf(),
        native: None,
    };
    let meta = std::fs::metadata(path).map_err(|e| missing(path, &e))?;
    if meta.is_dir() {
        let found = NATIVE.iter().find(|name| path.join(name).exists());
        let wants_conf = options.dialect.is_some_and(|d| d != Dialect::Telaio);
        return match found {
            Some(name) if !wants_conf => Ok(Main {
                folder: path.to_path_buf(),
                native: Some(name.into()),
            }),
            None if options.dialect == Some(Dialect::Telaio) => Err(Diagnostic::error(format!(
                "there is no telaio.yaml in `{}`",
                path.display()
            ))),
            _ => Ok(conf(path)),
        };
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path
        .file_name()
        .and_then(|n| n.to_str())
        .unwrap_or_default();
    match name.rsplit_once('.') {
        _ if name == "lab.conf" => Ok(conf(folder)),
        Some((_, "yaml" | "yml")) => Ok(Main {
            folder: folder.to_path_buf(),
            native: Some(name.into()),
        }),
        _ => Err(
            Diagnostic::error(format!("`{}` is no lab that is known here", path.display()))
                .help("name a lab's folder, a lab.conf, or a telaio.yaml"),
        ),
    }
}

fn missing(path: &Path, error: &std::io::Error) -> Diagnostic {
    let path = path.display();
    match error.kind() {
        std::io::ErrorKind::NotFound => Diagnostic::error(format!("there is no `{path}`"))
            .help("name a lab's folder or its main file"),
        std::io::ErrorKind::PermissionDenied => {
            Diagnostic::error(format!("`{path}` may not be read by you"))
                .help("chmod or chown it and the folders that lead to it")
        }
        _ => Diagnostic::error(format!("`{path}` cannot be read: {error}")),
    }
}
