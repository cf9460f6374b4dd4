//! A list of diagnostics that a person can read to its end.

use std::collections::HashSet;

use diag::{Diagnostic, Diagnostics, Level};

/// Most diagnostics of a level that are shown.
const MOST: usize = 50;

/// Leaves out what was said before at the same place, and what is too much.
pub(crate) fn tidy(all: &Diagnostics) -> Diagnostics {
    let mut seen = HashSet::new();
    let mut out = Diagnostics::new();
    for level in [Level::Note, Level::Warning, Level::Error] {
        let mut count = 0;
        for diagnostic in all.of(level) {
            let place = diagnostic
                .place
                .as_ref()
                .map(|p| (p.source.name(), p.span.start));
            if seen.insert((diagnostic.message.as_str(), place)) {
                count += 1;
                if count <= MOST {
                    out.push(printable(diagnostic.clone()));
                }
            }
        }
        if count > MOST {
            let text = format!("{} more like these are not shown", count - MOST);
            out.push(match level {
                Level::Error => Diagnostic::error(text),
                Level::Warning => Diagnostic::warning(text),
                Level::Note => Diagnostic::note(text),
            });
        }
    }
    out
}

/// Without characters by which a lab's text could steer the terminal that shows it.
fn printable(mut diagnostic: Diagnostic) -> Diagnostic {
    let clean = |text: &mut String| {
        if text.contains(|c: char| c.is_control() && c != '\n') {
            *text = text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}");
        }
    };
    clean(&mut diagnostic.message);
    diagnostic.label.iter_mut().for_each(clean);
    diagnostic.help.iter_mut().for_each(clean);
    diagnostic
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_and_not_too_many() {
        let mut all = Diagnostics::new();
        for i in 0..100 {
            all.push(Diagnostic::error(format!("number {i}")));
            all.push(Diagnostic::warning("again"));
        }
        let out = tidy(&all);
        assert_eq!(out.iter().count(), 1 + MOST + 1);
        assert!(out.has_errors());
    }
}
