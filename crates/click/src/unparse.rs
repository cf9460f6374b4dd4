//! A flat graph as text, laid out as Click's own tools do it.

use std::collections::HashMap;
use std::fmt::Write;

use crate::router::{Port, Requirement, Router};

impl Router {
    /// The configuration as text; with `directives` each declaration is preceded by a line that
    /// says where it came from.
    pub fn unparse(&self, directives: bool) -> String {
        let mut out = self.requirements_text();
        self.write_definitions(&mut out);
        for element in &self.elements {
            if directives {
                let landmark = &element.landmark;
                let _ = writeln!(out, "# {} \"{}\"", landmark.line, landmark.file);
            }
            let _ = write!(out, "{} :: {}", element.name, element.class);
            if !element.config.is_empty() {
                let _ = write!(out, "({})", element.config);
            }
            out.push_str(";\n");
        }
        if directives && !self.connections.is_empty() {
            let line = out.matches('\n').count() + 2;
            let _ = writeln!(out, "# {line} \"\"");
        }
        for chain in self.chains() {
            self.write_chain(&mut out, &chain);
        }
        out
    }

    /// The `require` statements, empty without any.
    pub fn requirements_text(&self) -> String {
        let list = self.requirement_words();
        if list.is_empty() {
            return String::new();
        }
        format!("require({});\n\n", list.join(", "))
    }

    /// What is required, as it is written.
    pub(crate) fn requirement_words(&self) -> Vec<String> {
        let words = |requirement: &Requirement| match requirement {
            Requirement::CompactConfig => "compact_config".to_owned(),
            Requirement::Package(name) => format!("package {}", quoted(name)),
        };
        self.requirements.iter().map(words).collect()
    }

    fn write_definitions(&self, out: &mut String) {
        let list: Vec<String> = self
            .definitions
            .iter()
            .map(|(name, value)| format!("${name} {value}"))
            .collect();
        if !list.is_empty() {
            let _ = write!(out, "define({});\n\n", list.join(",\n       "));
        }
    }

    fn write_chain(&self, out: &mut String, chain: &[usize]) {
        for (i, &index) in chain.iter().enumerate() {
            let connection = &self.connections[index];
            let Port { element, port } = connection.from;
            if i == 0 {
                out.push_str(&self.elements[element].name);
                if port > 0 {
                    let _ = write!(out, " [{port}]");
                }
            } else {
                out.push_str("\n   ");
            }
            out.push_str(" -> ");
            let Port { element, port } = connection.to;
            if port > 0 {
                let _ = write!(out, "[{port}] ");
            }
            out.push_str(&self.elements[element].name);
        }
        out.push_str(";\n");
    }

    /// The connections in chains: each goes on through port 0, preferably to another port 0.
    fn chains(&self) -> Vec<Vec<usize>> {
        let next = self.successors();
        let mut starts = vec![true; self.connections.len()];
        for &after in next.iter().flatten() {
            starts[after] = false;
        }
        let mut used = vec![false; starts.len()];
        let mut chains = Vec::new();
        let mut follow = |first: usize, used: &mut Vec<bool>| {
            let mut chain = Vec::new();
            let mut at = Some(first);
            while let Some(index) = at.filter(|i| !used[*i]) {
                used[index] = true;
                chain.push(index);
                at = next[index];
            }
            chains.push(chain);
        };
        (0..starts.len())
            .filter(|i| starts[*i])
            .for_each(|i| follow(i, &mut used));
        // what is left goes round in circles
        for i in 0..starts.len() {
            if !used[i] {
                follow(i, &mut used);
            }
        }
        chains
    }

    fn successors(&self) -> Vec<Option<usize>> {
        let mut best: HashMap<Port, usize> = HashMap::new();
        for (index, connection) in self.connections.iter().enumerate() {
            let kept = best.entry(connection.from).or_insert(index);
            if self.connections[*kept].to.port != 0 {
                *kept = index;
            }
        }
        let after = |to: Port| best.get(&to).copied().filter(|_| to.port == 0);
        let list = self.connections.iter().enumerate();
        list.map(|(i, c)| after(c.to).filter(|n| *n != i)).collect()
    }
}

fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./@:".contains(c);
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
