//! Files of kathara-lab-checker: each of their labs is started, checked and ended.

use std::path::Path;

use diag::Source;

use crate::args::Common;
use crate::failure::{Failure, Outcome};
use crate::verbs::check::Args;

/// Grades the labs of a file.
pub(crate) fn run(_source: &Source, path: &Path, _args: &Args, _common: &Common) -> Outcome {
    Err(Failure::usage(format!(
        "{} is no file of checks",
        path.display()
    )))
}
