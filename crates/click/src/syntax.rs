//! What the parser makes of a text: bodies of elements and connections, and compound classes.

use std::collections::HashMap;
use std::rc::Rc;

use crate::place::Landmark;

/// What an element is made of.
#[derive(Clone, Debug)]
pub(crate) enum Class {
    /// A class that the text does not define.
    Named(Rc<str>),
    /// A compound class.
    Compound(Rc<Compound>),
    /// A pseudo-element that only passes connections on.
    Tunnel,
}

impl Class {
    /// How many compound classes stand on each other here.
    pub(crate) fn height(&self) -> usize {
        match self {
            Class::Compound(compound) => compound.height,
            Class::Named(_) | Class::Tunnel => 0,
        }
    }

    /// Its name; empty for an anonymous compound.
    pub(crate) fn name(&self) -> &str {
        match self {
            Class::Named(name) => name,
            Class::Compound(compound) => &compound.name,
            Class::Tunnel => "<tunnel>",
        }
    }
}

/// An element of a body.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    /// Unfinished anonymous names begin with a semicolon, tunnels of groups keep theirs.
    pub(crate) name: String,
    pub(crate) class: Class,
    pub(crate) config: String,
    pub(crate) landmark: Landmark,
}

/// One port of one element, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct End {
    pub(crate) element: usize,
    pub(crate) port: usize,
}

/// A connection of a body.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) from: End,
    pub(crate) to: End,
    pub(crate) landmark: Landmark,
}

/// A parameter of a compound class: positional without keyword.
#[derive(Clone, Debug)]
pub(crate) struct Formal {
    pub(crate) name: String,
    pub(crate) keyword: Option<String>,
}

/// The statements of a file or of a compound class.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) depth: usize,
    pub(crate) elements: Vec<Element>,
    pub(crate) names: HashMap<String, usize>,
    pub(crate) edges: Vec<Edge>,
    /// Pairs of tunnel ends: what goes into the first comes out of the second.
    pub(crate) tunnels: Vec<(usize, usize)>,
    pub(crate) formals: Vec<Formal>,
    pub(crate) definitions: Vec<(String, String)>,
}

impl Body {
    pub(crate) fn new(depth: usize) -> Self {
        Self {
            depth,
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, element: Element) -> usize {
        let index = self.elements.len();
        self.names.insert(element.name.clone(), index);
        self.elements.push(element);
        index
    }

    /// The unfinished name of an anonymous element: numbered by the elements so far, without the
    /// two pseudo-elements of a compound.
    pub(crate) fn anonymous(&self, class: &str) -> String {
        let pseudo = if self.depth > 0 { 2 } else { 0 };
        format!(";{class}@{}", self.elements.len() + 1 - pseudo)
    }

    /// Gives anonymous elements their names, counting up past names that are taken.
    pub(crate) fn name_anonymous(&mut self) {
        let mut runs = HashMap::new();
        for index in 0..self.elements.len() {
            let element = &self.elements[index];
            let Some(wanted) = element.name.strip_prefix(';') else {
                continue;
            };
            if matches!(element.class, Class::Tunnel) {
                continue;
            }
            let name = self.free_name(wanted, &mut runs);
            self.names.insert(name.clone(), index);
            self.elements[index].name = name;
        }
    }

    /// The name, or the next one with a higher number that is free. `runs` remembers, for each
    /// class, a run of numbers that are all taken.
    fn free_name(&self, wanted: &str, runs: &mut HashMap<String, (usize, usize)>) -> String {
        let (class, number) = wanted.rsplit_once('@').unwrap_or((wanted, "0"));
        let first: usize = number.parse().unwrap_or(0);
        let run = runs.get(class).copied();
        let run = run.filter(|(start, end)| (*start..=*end).contains(&first));
        let (start, mut number) = run.unwrap_or((first, first));
        let mut name = format!("{class}@{number}");
        while self.names.contains_key(&name) {
            number += 1;
            name = format!("{class}@{number}");
        }
        runs.insert(class.to_owned(), (start, number));
        name
    }

    /// Which ports of an element are used by connections from `since` on, up to the highest.
    pub(crate) fn ports(&self, element: usize, output: bool, since: usize) -> Vec<bool> {
        let mut used = Vec::new();
        for edge in &self.edges[since..] {
            let end = if output { edge.from } else { edge.to };
            if end.element == element {
                if used.len() <= end.port {
                    used.resize(end.port + 1, false);
                }
                used[end.port] = true;
            }
        }
        used
    }
}

/// A compound class, or one of its overloads.
#[derive(Debug)]
pub(crate) struct Compound {
    pub(crate) name: String,
    pub(crate) body: Body,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// What is tried when this one does not fit.
    pub(crate) next: Option<Class>,
    pub(crate) landmark: Landmark,
    /// How many classes stand on each other here, its overloads and its elements' classes.
    pub(crate) height: usize,
}

impl Compound {
    /// `name(parameters)[inputs/outputs]` in the words of a message.
    pub(crate) fn signature(&self) -> String {
        let name = if self.name.is_empty() {
            "<anonymous>"
        } else {
            &self.name
        };
        let formals: Vec<String> = self.body.formals.iter().map(Formal::text).collect();
        let formals = formals.join(", ");
        format!("{name}({formals})[{}/{}]", self.inputs, self.outputs)
    }

    /// The values of the parameters, when the arguments fit them.
    pub(crate) fn assign(&self, arguments: &[String]) -> Option<Vec<String>> {
        let formals = &self.body.formals;
        let positional = formals.iter().filter(|f| f.keyword.is_none()).count();
        let mut rest = arguments.get(positional..)?.to_vec();
        let mut values = arguments[..positional].to_vec();
        for formal in &formals[positional..] {
            let keyword = formal.keyword.as_deref().unwrap_or_default();
            if keyword == "__REST__" {
                values.push(std::mem::take(&mut rest).join(", "));
                continue;
            }
            let found = rest.iter().rposition(|a| value_of(a, keyword).is_some())?;
            values.push(value_of(&rest.remove(found), keyword)?.to_owned());
            rest.retain(|a| value_of(a, keyword).is_none());
        }
        rest.is_empty().then_some(values)
    }
}

/// What follows a keyword in an argument.
fn value_of<'a>(argument: &'a str, keyword: &str) -> Option<&'a str> {
    let rest = argument.strip_prefix(keyword)?;
    rest.starts_with(|c: char| c.is_ascii_whitespace())
        .then(|| rest.trim())
}

impl Formal {
    fn text(&self) -> String {
        match &self.keyword {
            Some(keyword) => format!("{keyword} ${}", self.name),
            None => format!("${}", self.name),
        }
    }
}
