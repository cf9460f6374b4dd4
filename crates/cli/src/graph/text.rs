//! Graphviz and Mermaid.

use std::fmt::Write;

use lab::Lab;

use super::Graph;

/// A lab as a Graphviz file.
pub(crate) fn dot(lab: &Lab) -> String {
    let graph = Graph::of(lab);
    let mut out = format!("graph {} {{\n", quoted(&graph.name));
    out.push_str("  graph [overlap=false, splines=true];\n");
    out.push_str("  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n");
    out.push_str("  edge [fontname=\"sans-serif\", fontsize=9];\n");
    for (number, vertex) in graph.vertices.iter().enumerate() {
        let shape = if vertex.segment {
            ", shape=ellipse, style=filled, fillcolor=\"#eeeeee\""
        } else {
            ""
        };
        let _ = writeln!(out, "  n{number} [label={}{shape}];", quoted(&vertex.name));
    }
    for edge in &graph.edges {
        let [a, b] = edge.ends;
        let [tail, head] = edge.labels.each_ref().map(|l| quoted(&l.join("\n")));
        let middle = quoted(edge.middle.as_deref().unwrap_or_default());
        let _ = writeln!(
            out,
            "  n{a} -- n{b} [taillabel={tail}, headlabel={head}, label={middle}];"
        );
    }
    out.push_str("}\n");
    out
}

/// A string as Graphviz reads it.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}

/// A lab as a Mermaid flowchart.
pub(crate) fn mermaid(lab: &Lab) -> String {
    let graph = Graph::of(lab);
    let mut out = String::from("graph LR\n");
    for (number, vertex) in graph.vertices.iter().enumerate() {
        let name = entities(&vertex.name);
        let _ = match vertex.segment {
            true => writeln!(out, "  n{number}(((\"{name}\")))"),
            false => writeln!(out, "  n{number}[\"{name}\"]"),
        };
    }
    for edge in &graph.edges {
        let [a, b] = edge.ends;
        let parts = [edge.labels[0].join(" "), edge.labels[1].join(" ")];
        let parts: Vec<String> = parts
            .iter()
            .filter(|p| !p.is_empty())
            .map(|p| entities(p))
            .collect();
        let _ = writeln!(out, "  n{a} ---|\"{}\"| n{b}", parts.join(" — "));
    }
    out
}

/// A text with its special characters as Mermaid's entities.
fn entities(text: &str) -> String {
    let entity = |c: char| match c {
        '"' => "#quot;".to_string(),
        '<' => "#lt;".to_string(),
        '>' => "#gt;".to_string(),
        '#' => "#35;".to_string(),
        '&' => "#amp;".to_string(),
        '\n' | '\r' => " ".to_string(),
        c => c.to_string(),
    };
    text.chars().map(entity).collect()
}
