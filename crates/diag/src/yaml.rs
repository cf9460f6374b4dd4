//! The project's one door to its YAML library, which is pinned and replaceable here.

mod tree;

use serde::de::DeserializeOwned;

use crate::{Diagnostic, Source};

pub use serde_saphyr::Spanned;
pub use tree::{Key, Tree, Value, parse};

/// Reads a YAML text into a value. A mistake becomes one diagnostic at its place.
pub fn read<T: DeserializeOwned>(source: &Source) -> Result<T, Diagnostic> {
    serde_saphyr::from_str(source.text()).map_err(|e| {
        let e = e.without_snippet();
        let place = e.location().map(|l| {
            let at = source.offset(l.line() as usize, l.column() as usize);
            source.at(at..at + 1)
        });
        Diagnostic::error(first_line(&e.to_string())).at_opt(place)
    })
}

/// The first line of a library's message, without the position it repeats at its end.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    line.split(" at line ").next().unwrap_or(line).to_string()
}

/// Writes a value as YAML.
pub fn write<T: serde::Serialize>(value: &T) -> Result<String, String> {
    serde_saphyr::to_string(value).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_mistake_has_its_place() {
        let source = Source::new("t.yaml", "a: 1\nb: x\n");
        let err = read::<BTreeMap<String, u32>>(&source).unwrap_err();
        assert_eq!(err.place.unwrap().line_column().0, 2);
    }
}
