//! Where the real labs are that tests read.

use std::path::{Path, PathBuf};

/// A folder of the collection of real labs: below `TELAIO_CORPUS` if that is set, else below
/// the folder `shared/corpus` beside the project. `None` where it is not there: then a test
/// should [`crate::skip!`].
pub fn corpus(path: &str) -> Option<PathBuf> {
    let base = match std::env::var_os("TELAIO_CORPUS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
    };
    let found = base.join(path);
    found.exists().then_some(found)
}
