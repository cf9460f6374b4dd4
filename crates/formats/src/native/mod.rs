//! The native language, `telaio.yaml`.

use std::path::Path;

use diag::{Diagnostic, Diagnostics};
use lab::Lab;

use crate::folder::Folder;
use crate::{Dialect, Parsed};

/// Reads a native file in a folder.
pub(crate) fn read(folder: &Folder, file: &Path) -> Result<Parsed, Diagnostics> {
    let source = folder
        .source(file)?
        .ok_or_else(|| Diagnostic::error(format!("there is no `{}`", file.display())))?;
    let lab: Lab = diag::yaml::read(&source)?;
    Ok(Parsed {
        lab,
        dialect: Dialect::Telaio,
        diagnostics: Diagnostics::new(),
        locate: Box::new(|_| None),
    })
}
