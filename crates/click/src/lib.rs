//! The Click language: text to a checked, flat graph of elements, and the arguments that elements
//! are configured with. It knows no packet and runs nothing.
//!
//! [`parse`] reads a text and expands its compound classes; [`Router`] is the flat graph, which
//! prints itself as Click's own tools do ([`Router::unparse`]). A text that is wrong gives
//! [`Problems`]: one line each as Click prints them, or diagnostics with a caret.

pub mod ar;
pub mod args;
mod chain;
mod codes;
mod combine;
mod compound;
mod connect;
mod expand;
mod export;
mod lexer;
mod parser;
mod place;
mod processing;
mod router;
mod scope;
mod syntax;
mod tunnels;
mod undead;
mod unparse;

pub use codes::{Mode, Outputs, PortCount, flows, mode};
pub use combine::{Link, combine};
pub use diag::Source;
pub use place::{Landmark, Problem, Problems};
pub use processing::{Facts, Processing, resolve};
pub use router::{Connection, Element, Port, Requirement, Router};

/// Finds a library: gets its name and the file that asks, returns its text.
pub type FindLibrary = dyn Fn(&str, &str) -> Option<Source>;

/// How a text is read.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Finds what `require(library NAME)` asks for.
    pub library: Option<&'a FindLibrary>,
    /// Whether there is an element class of this name. With it unknown classes and undeclared
    /// elements are errors; without it every name is a class, as in Click's tools.
    pub knows_class: Option<&'a dyn Fn(&str) -> bool>,
    /// Values of global variables that win over the text's own definitions (`NAME=VALUE`).
    pub variables: &'a [(String, String)],
    /// Leaves global variables in the text, and their definitions in [`Router::definitions`], as
    /// `click-flatten` does unless it is asked to expand them.
    pub keep_variables: bool,
}

/// Reads a configuration and expands it to a flat graph.
///
/// # Errors
/// All that is wrong in the text, in Click's words and order.
pub fn parse(text: &str, file: &str, options: &Options<'_>) -> Result<Router, Problems> {
    let source = Source::new(file, text);
    let parsed = parser::parse(source.clone(), options);
    expand::flatten(parsed, &source, options)
}

/// Reads a configuration from bytes, which may be an archive with a member `config`.
///
/// # Errors
/// As [`parse`]; an archive that is damaged or has no `config` is an error, too.
pub fn parse_bytes(bytes: &[u8], file: &str, options: &Options<'_>) -> Result<Router, Problems> {
    if !ar::is_archive(bytes) {
        return parse(&String::from_utf8_lossy(bytes), file, options);
    }
    let broken = |message: String| {
        let mut problems = Problems::new();
        problems.error(&Landmark::start_of(&Source::new(file, "")), message);
        problems
    };
    let mut members = ar::read(bytes).map_err(|e| broken(e.to_string()))?;
    let config = members
        .iter()
        .position(|m| m.name == "config")
        .ok_or_else(|| broken("archive has no 'config' section".to_owned()))?;
    let config = members.remove(config);
    let mut router = parse(&String::from_utf8_lossy(&config.data), file, options)?;
    router.archive = members;
    Ok(router)
}
