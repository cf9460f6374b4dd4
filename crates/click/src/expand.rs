//! Compound classes taken apart: their elements and connections become those of the router.

use std::collections::HashMap;
use std::rc::Rc;

use diag::Source;

use crate::Options;
use crate::args::arguments;
use crate::parser::Parsed;
use crate::place::{Landmark, Problems};
use crate::router::{Port, Router};
use crate::scope::Scope;
use crate::syntax::{Body, Class, Compound, Edge, Element, End};
use crate::tunnels;

/// How many elements and connections a router may have, pseudo-elements included.
const MAX_PARTS: usize = 1_000_000;
/// How many bytes all names and configuration strings may have.
const MAX_TEXT: usize = 256 << 20;

/// The graph while compounds are expanded into it.
pub(crate) struct Flat {
    pub(crate) elements: Vec<Element>,
    names: HashMap<String, usize>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) tunnels: Vec<(usize, usize)>,
    pub(crate) problems: Problems,
    text: usize,
    full: bool,
}

/// Expands what was parsed.
pub(crate) fn flatten(
    mut parsed: Parsed,
    source: &Source,
    options: &Options<'_>,
) -> Result<Router, Problems> {
    if parsed.problems.has_errors() {
        return Err(parsed.problems);
    }
    let mut flat = Flat {
        elements: std::mem::take(&mut parsed.body.elements),
        names: std::mem::take(&mut parsed.body.names),
        edges: std::mem::take(&mut parsed.body.edges),
        tunnels: std::mem::take(&mut parsed.body.tunnels),
        problems: parsed.problems,
        text: 0,
        full: false,
    };
    let definitions = definitions(&parsed.body, options);
    let scope = global(&definitions, options.keep_variables);
    let top = Top::new(&flat);
    for index in 0..flat.elements.len() {
        flat.expand_top(index, &top, &scope);
    }
    if flat.full {
        let landmark = Landmark::start_of(source);
        flat.problems
            .error(&landmark, "configuration too large when expanded");
        return Err(flat.problems);
    }
    let (elements, connections) = tunnels::remove(&mut flat);
    if flat.problems.has_errors() {
        return Err(flat.problems);
    }
    Ok(Router {
        elements,
        connections,
        requirements: parsed.requirements,
        definitions: if options.keep_variables {
            definitions
        } else {
            Vec::new()
        },
        archive: Vec::new(),
    })
}

/// The text's own global variables and those from outside, which win.
fn definitions(body: &Body, options: &Options<'_>) -> Vec<(String, String)> {
    let mut list = body.definitions.clone();
    for (name, value) in options.variables {
        match list.iter_mut().find(|(n, _)| n == name) {
            Some(entry) => entry.1.clone_from(value),
            None => list.push((name.clone(), value.clone())),
        }
    }
    list
}

fn global(definitions: &[(String, String)], keep: bool) -> Rc<Scope> {
    let value = |name: &str, value: &str| {
        if keep {
            format!("${name}")
        } else {
            value.to_owned()
        }
    };
    let values = definitions.iter().map(|(n, v)| (n.clone(), value(n, v)));
    Scope::root(values.collect())
}

/// How many ports the top elements use, before others are added.
struct Top {
    ports: Vec<(usize, usize)>,
}

impl Top {
    fn new(flat: &Flat) -> Self {
        Self {
            ports: port_counts(flat.elements.len(), &flat.edges),
        }
    }
}

fn port_counts(elements: usize, edges: &[Edge]) -> Vec<(usize, usize)> {
    let mut counts = vec![(0, 0); elements];
    for edge in edges {
        let inputs = &mut counts[edge.to.element].0;
        *inputs = (*inputs).max(edge.to.port + 1);
        let outputs = &mut counts[edge.from.element].1;
        *outputs = (*outputs).max(edge.from.port + 1);
    }
    counts
}

impl Flat {
    fn expand_top(&mut self, index: usize, top: &Top, scope: &Rc<Scope>) {
        let element = self.elements[index].clone();
        let Some(config) = self.config(&element, scope) else {
            return;
        };
        self.elements[index].config.clone_from(&config);
        if let Some(compound) = self.class(index, &element, &config, top.ports[index]) {
            self.compound(index, &element.name, &compound.0, compound.1, scope);
        }
    }

    /// The configuration string in its scope; `None` when there is too much text.
    fn config(&mut self, element: &Element, scope: &Rc<Scope>) -> Option<String> {
        let room = MAX_TEXT.saturating_sub(self.text);
        let config = scope.expand(&element.config, room);
        self.text += config.as_ref().map_or(0, String::len) + element.name.len();
        self.full |= config.is_none() || self.text > MAX_TEXT;
        config.filter(|_| !self.full)
    }

    /// Gives an element its class; a compound is returned with the values of its parameters.
    fn class(
        &mut self,
        index: usize,
        element: &Element,
        config: &str,
        ports: (usize, usize),
    ) -> Option<(Rc<Compound>, Vec<String>)> {
        let Class::Compound(first) = &element.class else {
            return None;
        };
        match self.resolve(first, &arguments(config), ports, &element.landmark) {
            Some(Found::Compound(compound, values)) => Some((compound, values)),
            Some(Found::Named(class)) => {
                self.elements[index].class = class;
                None
            }
            None => {
                self.elements[index].class = Class::Named("Error".into());
                None
            }
        }
    }

    /// The first overload that fits ports and arguments, else one that fits the arguments, so that
    /// messages about its ports follow.
    fn resolve(
        &mut self,
        first: &Rc<Compound>,
        arguments: &[String],
        ports: (usize, usize),
        landmark: &Landmark,
    ) -> Option<Found> {
        let mut closest = None;
        let mut candidates = vec![first.clone()];
        loop {
            let compound = candidates[candidates.len() - 1].clone();
            let next = compound.next.clone();
            if let Some(values) = compound.assign(arguments) {
                let fits = (compound.inputs, compound.outputs) == ports;
                closest = Some(Found::Compound(compound, values));
                if fits {
                    return closest;
                }
            }
            match next {
                Some(Class::Compound(next)) => candidates.push(next),
                Some(class) => return Some(Found::Named(class)),
                None => break,
            }
        }
        if candidates.len() > 1 || closest.is_none() {
            self.no_match(&candidates, arguments.len(), ports, landmark);
        }
        closest
    }

    fn no_match(
        &mut self,
        candidates: &[Rc<Compound>],
        arguments: usize,
        (inputs, outputs): (usize, usize),
        landmark: &Landmark,
    ) {
        let name = candidates[0].name.as_str();
        let name = if name.is_empty() { "<anonymous>" } else { name };
        let plural = if arguments == 1 { "" } else { "s" };
        let message = format!(
            "no match for '{name}', {arguments} argument{plural}, {inputs} input{}, {outputs} output{}",
            if inputs == 1 { "" } else { "s" },
            if outputs == 1 { "" } else { "s" },
        );
        self.problems.error(landmark, message);
        self.problems.note(landmark, "candidates are:");
        for candidate in candidates.iter().take(20) {
            let signature = format!("  {}", candidate.signature());
            self.problems.note(&candidate.landmark, signature);
        }
    }

    /// Puts a compound's elements in the place of the element at `index`.
    fn compound(
        &mut self,
        index: usize,
        name: &str,
        compound: &Compound,
        values: Vec<String>,
        scope: &Rc<Scope>,
    ) {
        let body = &compound.body;
        let Some(inner) = self.scope_of(body, values, scope) else {
            return;
        };
        self.elements[index].class = Class::Tunnel;
        let counts = port_counts(body.elements.len(), &body.edges);
        let mut map = Vec::with_capacity(body.elements.len());
        for (element, ports) in body.elements.iter().zip(counts) {
            map.push(self.member(name, element, ports, &inner));
            if self.full {
                return;
            }
        }
        self.tunnels.extend([(index, map[0]), (map[1], index)]);
        let moved = |(a, b): &(usize, usize)| (map[*a], map[*b]);
        self.tunnels.extend(body.tunnels.iter().map(moved));
        let end = |end: End| End {
            element: map[end.element],
            ..end
        };
        self.edges.extend(body.edges.iter().map(|edge| Edge {
            from: end(edge.from),
            to: end(edge.to),
            landmark: edge.landmark.clone(),
        }));
        self.full |= self.edges.len() > MAX_PARTS;
    }

    fn scope_of(
        &mut self,
        body: &Body,
        values: Vec<String>,
        scope: &Rc<Scope>,
    ) -> Option<Rc<Scope>> {
        let names = body.formals.iter().map(|f| f.name.clone());
        let formals: Vec<_> = names.zip(values).collect();
        if body.definitions.is_empty() {
            return Some(Scope::inside(scope, body.depth, formals));
        }
        let outer = Scope::inside(scope, body.depth, formals.clone());
        let mut all = formals;
        for (name, value) in &body.definitions {
            let room = MAX_TEXT.saturating_sub(self.text);
            let Some(value) = outer.expand(value, room) else {
                self.full = true;
                return None;
            };
            self.text += value.len();
            all.retain(|(n, _)| n != name);
            all.push((name.clone(), value));
        }
        Some(Scope::inside(scope, body.depth, all))
    }

    /// Adds one element of a compound, expanded, and returns its index.
    fn member(
        &mut self,
        prefix: &str,
        element: &Element,
        ports: (usize, usize),
        scope: &Rc<Scope>,
    ) -> usize {
        let name = format!("{prefix}/{}", element.name);
        let index = self.elements.len();
        self.full |= index >= MAX_PARTS;
        let config = self.config(element, scope).unwrap_or_default();
        let landmark = &element.landmark;
        self.text += name.len();
        if let Some(other) = self.names.insert(name.clone(), index) {
            let message = format!("redeclaration of element '{name}'");
            self.problems.error(landmark, message);
            let other = self.elements[other].landmark.clone();
            let message = format!("element '{name}' previously declared here");
            self.problems.error(&other, message);
        }
        self.elements.push(Element {
            name: name.clone(),
            config: config.clone(),
            ..element.clone()
        });
        if self.full {
            return index;
        }
        if let Some((compound, values)) = self.class(index, element, &config, ports) {
            self.compound(index, &name, &compound, values, scope);
        }
        index
    }
}

/// What an overloaded class turned out to be.
enum Found {
    Compound(Rc<Compound>, Vec<String>),
    Named(Class),
}

impl From<End> for Port {
    fn from(end: End) -> Self {
        Self {
            element: end.element,
            port: end.port,
        }
    }
}
