//! Diagnostics as people and as programs read them.

use annotate_snippets::{AnnotationKind, Group, Level as Shown, Renderer, Snippet};

use crate::{Diagnostic, Level};

pub(crate) fn render(d: &Diagnostic, color: bool) -> String {
    let level = match d.level {
        Level::Error => Shown::ERROR,
        Level::Warning => Shown::WARNING,
        Level::Note => Shown::NOTE,
    };
    let title = level.primary_title(d.message.as_str());
    let mut group = match &d.place {
        Some(place) => {
            // an empty span marks one character, so that something is marked at all
            let end = place
                .span
                .end
                .max(place.span.start + 1)
                .min(place.source.text().len().max(1));
            let span = place.source.at(place.span.start..end).span;
            let mark = AnnotationKind::Primary.span(span).label(d.label.as_deref());
            title.element(
                Snippet::source(place.source.text())
                    .path(place.source.name())
                    .annotation(mark),
            )
        }
        None => Group::with_title(title),
    };
    if let Some(help) = &d.help {
        group = group.element(Shown::HELP.message(help.as_str()));
    }
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut text = renderer.render(&[group]).to_string();
    text.push('\n');
    text
}

pub(crate) fn json(d: &Diagnostic) -> serde_json::Value {
    let mut out = serde_json::json!({ "level": d.level, "message": d.message });
    if let Some(place) = &d.place {
        let (line, column) = place.line_column();
        let (end_line, end_column) = place.source.line_column(place.span.end);
        out["file"] = place.source.name().into();
        out["line"] = line.into();
        out["column"] = column.into();
        out["end_line"] = end_line.into();
        out["end_column"] = end_column.into();
    }
    if let Some(help) = &d.help {
        out["help"] = help.as_str().into();
    }
    out
}
