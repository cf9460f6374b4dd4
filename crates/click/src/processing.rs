//! Push or pull: what every port of a router is, and whether its connections make sense.

use std::collections::{HashMap, VecDeque};

use crate::codes::{Mode, PortCount, flows, mode};
use crate::place::Problems;
use crate::router::{Port, Router};

/// How many ways through agnostic elements are followed.
const MAX_FLOWS: usize = 4_000_000;

/// What the class (and configuration) of one element says about its ports.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// How many there are (see [`PortCount`]).
    pub ports: &'a str,
    /// Whether they push or pull (see [`mode`]).
    pub processing: &'a str,
    /// Which inputs reach which outputs (see [`flows`]).
    pub flow: &'a str,
}

/// The modes of all ports, by element and port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Processing {
    /// Of inputs.
    pub inputs: Vec<Vec<Mode>>,
    /// Of outputs.
    pub outputs: Vec<Vec<Mode>>,
}

/// A way from an output to an input: a connection, or (`through`) an agnostic element backwards.
#[derive(Clone, Copy)]
struct Way {
    from: Port,
    to: Port,
    through: bool,
}

/// Finds the mode of every port. `facts` has one entry for each element of the router.
///
/// # Errors
/// Ports that do not exist, are not used or used twice, and push connected with pull, in the words
/// of Click's own router.
pub fn resolve(router: &Router, facts: &[Facts<'_>]) -> Result<Processing, Problems> {
    let mut job = Job {
        router,
        facts,
        modes: Processing::default(),
        problems: Problems::new(),
    };
    job.count_ports();
    job.check_range();
    if !job.problems.has_errors() {
        job.spread();
        job.check_use();
    }
    if job.problems.has_errors() {
        return Err(job.problems);
    }
    Ok(job.modes)
}

struct Job<'a> {
    router: &'a Router,
    facts: &'a [Facts<'a>],
    modes: Processing,
    problems: Problems,
}

impl Job<'_> {
    fn error(&mut self, element: usize, message: String) {
        let landmark = &self.router.elements[element].landmark;
        self.problems.error(landmark, message);
    }

    /// `name :: Class`, as messages name elements.
    fn shown(&self, element: usize) -> String {
        let element = &self.router.elements[element];
        format!("{} :: {}", element.name, element.class)
    }

    /// Every element's ports, by its count and what is used of it.
    fn count_ports(&mut self) {
        let used = self.router.port_counts();
        for (index, used) in used.into_iter().enumerate() {
            let facts = self.facts.get(index).copied().unwrap_or(Facts {
                ports: "-",
                processing: "a",
                flow: "",
            });
            let (inputs, outputs) = match PortCount::parse(facts.ports) {
                Some(count) => count.actual(used.0, used.1),
                None => {
                    let message = format!(
                        "syntax error in port count code for '{}'",
                        self.shown(index)
                    );
                    self.error(index, message);
                    used
                }
            };
            let inputs = self.modes_of(index, facts.processing, inputs, false);
            let outputs = self.modes_of(index, facts.processing, outputs, true);
            self.modes.inputs.push(inputs);
            self.modes.outputs.push(outputs);
        }
    }

    fn modes_of(&mut self, index: usize, code: &str, count: usize, output: bool) -> Vec<Mode> {
        let modes: Option<Vec<Mode>> = (0..count).map(|port| mode(code, port, output)).collect();
        modes.unwrap_or_else(|| {
            let message = format!(
                "syntax error in processing code for '{}'",
                self.shown(index)
            );
            self.error(index, message);
            vec![Mode::Agnostic; count]
        })
    }

    fn check_range(&mut self) {
        for connection in &self.router.connections {
            let (from, to) = (connection.from, connection.to);
            if from.port >= self.modes.outputs[from.element].len() {
                let message = format!("'{}' has no output {}", self.shown(from.element), from.port);
                self.error(from.element, message);
            }
            if to.port >= self.modes.inputs[to.element].len() {
                let message = format!("'{}' has no input {}", self.shown(to.element), to.port);
                self.error(to.element, message);
            }
        }
    }

    /// Connections and the ways through agnostic elements.
    fn ways(&mut self) -> Vec<Way> {
        let connections = self.router.connections.iter();
        let mut ways: Vec<Way> = connections
            .map(|c| Way {
                from: c.from,
                to: c.to,
                through: false,
            })
            .collect();
        let limit = ways.len() + MAX_FLOWS;
        for element in 0..self.modes.inputs.len() {
            let flow = self.facts.get(element).map_or("", |f| f.flow);
            let (inputs, outputs) = (&self.modes.inputs[element], &self.modes.outputs[element]);
            if inputs.len().saturating_mul(outputs.len()) + ways.len() > limit {
                let message = format!("too many ports of '{}'", self.shown(element));
                self.error(element, message);
                break;
            }
            let agnostic = |modes: &[Mode]| -> Vec<usize> {
                let all = modes.iter().enumerate();
                all.filter(|(_, m)| **m == Mode::Agnostic)
                    .map(|(p, _)| p)
                    .collect()
            };
            let outputs = agnostic(outputs);
            for input in agnostic(inputs) {
                let reached = outputs.iter().filter(|o| flows(flow, input, **o));
                ways.extend(reached.map(|&output| Way {
                    from: Port {
                        element,
                        port: output,
                    },
                    to: Port {
                        element,
                        port: input,
                    },
                    through: true,
                }));
            }
        }
        ways
    }

    /// Spreads push and pull over all ways: each is looked at once, and again when an end of it
    /// has become known.
    fn spread(&mut self) {
        let ways = self.ways();
        let mut at: HashMap<(Port, bool), Vec<usize>> = HashMap::new();
        for (index, way) in ways.iter().enumerate() {
            at.entry((way.from, true)).or_default().push(index);
            at.entry((way.to, false)).or_default().push(index);
        }
        let mut done = vec![false; ways.len()];
        let mut next: VecDeque<usize> = (0..ways.len()).collect();
        while let Some(index) = next.pop_front() {
            if done[index] {
                continue;
            }
            let way = ways[index];
            let from = &mut self.modes.outputs[way.from.element][way.from.port];
            let to = &mut self.modes.inputs[way.to.element][way.to.port];
            let known = match (*from, *to) {
                (Mode::Agnostic, Mode::Agnostic) => continue,
                (Mode::Agnostic, mode) => {
                    *from = mode;
                    Some((way.from, true))
                }
                (mode, Mode::Agnostic) => {
                    *to = mode;
                    Some((way.to, false))
                }
                (from, to) => {
                    if from != to {
                        self.mixed(way, from, to);
                    }
                    None
                }
            };
            done[index] = true;
            next.extend(known.and_then(|end| at.get(&end)).into_iter().flatten());
        }
    }

    fn mixed(&mut self, way: Way, from: Mode, to: Mode) {
        let (out, inn) = (way.from.port, way.to.port);
        let (from_mode, to_mode) = (from.name(), to.name());
        let name = self.shown(way.from.element);
        let message = if way.through {
            format!(
                "agnostic '{name}' in mixed context: {to_mode} input {inn}, {from_mode} output {out}"
            )
        } else {
            let other = self.shown(way.to.element);
            format!(
                "'{name}' {from_mode} output {out} connected to '{other}' {to_mode} input {inn}"
            )
        };
        self.error(way.from.element, message);
    }

    /// Push outputs and pull inputs are connected once, all others at least once.
    fn check_use(&mut self) {
        let count = |modes: &[Vec<Mode>]| -> Vec<Vec<usize>> {
            modes.iter().map(|m| vec![0; m.len()]).collect()
        };
        let (mut inputs, mut outputs) = (count(&self.modes.inputs), count(&self.modes.outputs));
        for connection in &self.router.connections {
            outputs[connection.from.element][connection.from.port] += 1;
            inputs[connection.to.element][connection.to.port] += 1;
        }
        for element in 0..inputs.len() {
            self.check_ports(element, &inputs[element], false);
            self.check_ports(element, &outputs[element], true);
        }
    }

    fn check_ports(&mut self, element: usize, used: &[usize], output: bool) {
        let (modes, word) = if output {
            (self.modes.outputs[element].clone(), "output")
        } else {
            (self.modes.inputs[element].clone(), "input")
        };
        let once = if output { Mode::Push } else { Mode::Pull };
        for (port, (&uses, mode)) in used.iter().zip(modes).enumerate() {
            let name = self.shown(element);
            if uses == 0 {
                self.error(element, format!("'{name}' {word} {port} unused"));
            } else if uses > 1 && mode == once {
                let mode = mode.name();
                self.error(
                    element,
                    format!("illegal reuse of '{name}' {mode} {word} {port}"),
                );
            }
        }
    }
}
