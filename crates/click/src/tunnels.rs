//! Pseudo-elements removed: what was connected through them is connected directly.

use std::collections::{HashMap, HashSet};

use crate::expand::Flat;
use crate::router::{Connection, Element};
use crate::syntax::{Class, Edge, End};

/// How many connections may come of it.
const MAX_CONNECTIONS: usize = 4_000_000;

/// Which connections end where.
struct Ends {
    /// By tunnel exit: its entrance.
    entrance: HashMap<usize, usize>,
    /// By tunnel entrance: its exit.
    exit: HashMap<usize, usize>,
    from: HashMap<End, Vec<usize>>,
    to: HashMap<End, Vec<usize>>,
}

/// The elements and connections that remain.
pub(crate) fn remove(flat: &mut Flat) -> (Vec<Element>, Vec<Connection>) {
    let ends = Ends::new(flat);
    ends.check(flat);
    let mut edges = direct(flat);
    let mut seen: HashSet<(End, End)> = HashSet::new();
    edges.retain(|e| seen.insert((e.from, e.to)));
    for edge in &flat.edges {
        if !is_tunnel(flat, edge.from) || is_tunnel(flat, edge.to) {
            continue;
        }
        for from in ends.sources(flat, edge.from) {
            if seen.insert((from, edge.to)) {
                edges.push(Edge {
                    from,
                    ..edge.clone()
                });
            }
        }
        if edges.len() > MAX_CONNECTIONS {
            flat.problems.error(&edge.landmark, "too many connections");
            break;
        }
    }
    finish(flat, edges)
}

fn is_tunnel(flat: &Flat, end: End) -> bool {
    matches!(flat.elements[end.element].class, Class::Tunnel)
}

/// The connections that touch no tunnel.
fn direct(flat: &Flat) -> Vec<Edge> {
    let touches = |e: &&Edge| !is_tunnel(flat, e.from) && !is_tunnel(flat, e.to);
    flat.edges.iter().filter(touches).cloned().collect()
}

/// Numbers the remaining elements anew.
fn finish(flat: &Flat, edges: Vec<Edge>) -> (Vec<Element>, Vec<Connection>) {
    let mut index = vec![0; flat.elements.len()];
    let mut elements = Vec::new();
    for (old, element) in flat.elements.iter().enumerate() {
        index[old] = elements.len();
        if !matches!(element.class, Class::Tunnel) {
            elements.push(Element {
                name: element.name.clone(),
                class: element.class.name().to_owned(),
                config: element.config.clone(),
                landmark: element.landmark.clone(),
            });
        }
    }
    let moved = |end: End| {
        End {
            element: index[end.element],
            ..end
        }
        .into()
    };
    let connections = edges.into_iter().map(|edge| Connection {
        from: moved(edge.from),
        to: moved(edge.to),
        landmark: edge.landmark,
    });
    (elements, connections.collect())
}

impl Ends {
    fn new(flat: &Flat) -> Self {
        let mut ends = Self {
            entrance: flat.tunnels.iter().map(|(a, b)| (*b, *a)).collect(),
            exit: flat.tunnels.iter().copied().collect(),
            from: HashMap::new(),
            to: HashMap::new(),
        };
        for (index, edge) in flat.edges.iter().enumerate() {
            ends.from.entry(edge.from).or_default().push(index);
            ends.to.entry(edge.to).or_default().push(index);
        }
        ends
    }

    /// The real outputs that reach a tunnel's exit, each once, in order.
    fn sources(&self, flat: &Flat, exit: End) -> Vec<End> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut stack = vec![exit];
        while let Some(end) = stack.pop() {
            if !seen.insert(end) {
                continue;
            }
            if !is_tunnel(flat, end) {
                found.push(end);
                continue;
            }
            let Some(&element) = self.entrance.get(&end.element) else {
                continue;
            };
            let entrance = End { element, ..end };
            let into = self.to.get(&entrance).into_iter().flatten();
            stack.extend(into.rev().map(|&i| flat.edges[i].from));
        }
        found
    }

    /// Complains about ports of compounds that are used on one side only.
    fn check(&self, flat: &mut Flat) {
        let mut seen = HashSet::new();
        for index in 0..flat.edges.len() {
            let Edge { from, to, .. } = flat.edges[index];
            if let Some(&element) = self.entrance.get(&from.element) {
                let other = End { element, ..from };
                if !self.to.contains_key(&other) && seen.insert((from, true)) {
                    complain(flat, other.element, from.element, from.port, true);
                }
            }
            if let Some(&element) = self.exit.get(&to.element) {
                let other = End { element, ..to };
                if !self.from.contains_key(&other) && seen.insert((to, false)) {
                    complain(flat, to.element, other.element, to.port, false);
                }
            }
        }
    }
}

/// `output`: the exit is used and the entrance is not, else the other way round.
fn complain(flat: &mut Flat, entrance: usize, exit: usize, port: usize, output: bool) {
    let (enter, leave) = (&flat.elements[entrance], &flat.elements[exit]);
    let into = leave.name.strip_suffix("/input") == Some(&enter.name);
    let shown = |name: &str| match name.split_once(';') {
        Some(_) => "<anonymous group>".to_owned(),
        None => name.to_owned(),
    };
    let (element, message) = if into {
        let name = shown(&enter.name);
        let text = if output {
            format!("'{name}' input {port} unused")
        } else {
            format!("'{name}' has no input {port}")
        };
        (enter, text)
    } else {
        let name = shown(&leave.name);
        let text = if output {
            format!("'{name}' has no output {port}")
        } else {
            format!("'{name}' output {port} unused")
        };
        (leave, text)
    };
    let landmark = element.landmark.clone();
    flat.problems.error(&landmark, message);
}
