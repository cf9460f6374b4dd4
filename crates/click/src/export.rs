//! A flat graph in the formats of other programs: JSON, XML and Graphviz's dot.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::router::{Port, Router};

impl Router {
    /// `{elements: [{name, class, config, file, line}], connections: [{from, output, to, input}],
    /// requirements: […]}`.
    pub fn to_json(&self) -> Value {
        let elements = self.elements.iter().map(|e| {
            json!({"name": e.name, "class": e.class, "config": e.config,
                   "file": &*e.landmark.file, "line": e.landmark.line})
        });
        let connections = self.connections.iter().map(|c| {
            json!({"from": self.name(c.from), "output": c.from.port,
                   "to": self.name(c.to), "input": c.to.port})
        });
        json!({
            "elements": elements.collect::<Vec<_>>(),
            "connections": connections.collect::<Vec<_>>(),
            "requirements": self.requirement_words(),
        })
    }

    /// XML with the elements and attributes of Click's `click2xml`.
    pub fn to_xml(&self) -> String {
        let mut out = String::from(
            "<?xml version=\"1.0\" standalone=\"yes\"?>\n\
             <configuration xmlns=\"http://www.lcdf.org/click/xml/\">\n",
        );
        for element in &self.elements {
            let (name, class) = (xml(&element.name), xml(&element.class));
            let (file, line) = (xml(&element.landmark.file), element.landmark.line);
            let _ = write!(
                out,
                "<element name=\"{name}\" classname=\"{class}\" file=\"{file}\" line=\"{line}\""
            );
            if !element.config.is_empty() {
                let _ = write!(out, " config=\"{}\"", xml(&element.config));
            }
            out.push_str(" />\n");
        }
        for connection in &self.connections {
            let (from, to) = (
                xml(self.name(connection.from)),
                xml(self.name(connection.to)),
            );
            let (output, input) = (connection.from.port, connection.to.port);
            let _ = writeln!(
                out,
                "<connection from=\"{from}\" fromport=\"{output}\" to=\"{to}\" toport=\"{input}\" />"
            );
        }
        out.push_str("</configuration>\n");
        out
    }

    /// A graph for Graphviz: a node for each element, an edge for each connection, port numbers
    /// other than 0 at its ends.
    pub fn to_dot(&self) -> String {
        let mut out = String::from("digraph clickrouter {\n  node [shape=box];\n");
        for (index, element) in self.elements.iter().enumerate() {
            let label = dot(&format!("{} :: {}", element.name, element.class));
            let _ = writeln!(out, "  \"n{index}\" [label=\"{label}\"];");
        }
        for connection in &self.connections {
            let (from, to) = (connection.from, connection.to);
            let _ = write!(out, "  \"n{}\" -> \"n{}\"", from.element, to.element);
            if from.port > 0 || to.port > 0 {
                let _ = write!(
                    out,
                    " [taillabel=\"{}\", headlabel=\"{}\"]",
                    from.port, to.port
                );
            }
            out.push_str(";\n");
        }
        out.push_str("}\n");
        out
    }

    fn name(&self, port: Port) -> &str {
        &self.elements[port.element].name
    }
}

/// A text as the value of an attribute; characters that XML forbids become spaces.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\r' | '\t' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn dot(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use crate::{Options, Router, parse};

    fn router() -> Router {
        let text = "require(package p); a :: A(\"<x>\") [1] -> b :: B;";
        parse(text, "t", &Options::default()).unwrap()
    }

    #[test]
    fn json_names_both_ends() {
        let json = router().to_json();
        assert_eq!(json["elements"][0]["config"], "\"<x>\"");
        assert_eq!(json["connections"][0]["output"], 1);
        assert_eq!(json["requirements"][0], "package p");
    }

    #[test]
    fn xml_is_escaped() {
        let xml = router().to_xml();
        assert!(xml.contains("config=\"&quot;&lt;x&gt;&quot;\""), "{xml}");
        assert!(
            xml.contains("from=\"a\" fromport=\"1\" to=\"b\" toport=\"0\""),
            "{xml}"
        );
    }

    #[test]
    fn dot_has_an_edge() {
        let dot = router().to_dot();
        assert!(dot.contains("\"n0\" -> \"n1\" [taillabel=\"1\""), "{dot}");
    }
}
