//! Dead code removed, as `click-undead` does it: switches that never switch, elements that no
//! packet reaches or leaves, schedulers and tees with one way left.

use std::collections::HashSet;

use crate::args::arguments;
use crate::codes::flows;
use crate::processing::Facts;
use crate::router::{Connection, Element, Port, Router};

/// Elements that choose among their inputs, needless with one.
const SCHEDULERS: [&str; 6] = [
    "RoundRobinSched",
    "PrioSched",
    "StrideSched",
    "DRRSched",
    "SimpleRoundRobinSched",
    "SimplePrioSched",
];
/// Elements that copy to all their outputs, needless with one.
const TEES: [&str; 2] = ["Tee", "PullTee"];

impl Router {
    /// The router without its dead elements. `facts` has one entry for each element. Ports of live
    /// elements that lose their connection get an `Idle`.
    #[must_use]
    pub fn undead(&self, facts: &[Facts<'_>]) -> Router {
        let mut router = self.clone();
        let wired = self.port_counts();
        let mut keep = vec![true; router.elements.len()];
        for (index, kept) in keep.iter_mut().enumerate() {
            if let Some((input, output)) = router.elements[index].fixed_way() {
                router.bypass(index, input, output);
                *kept = false;
            }
        }
        let live = router.live(facts, &wired, &keep);
        router
            .connections
            .retain(|c| live[c.from.element] && live[c.to.element]);
        for index in 0..router.elements.len() {
            keep[index] = live[index];
            if live[index] && router.is_needless(index) {
                let first = |port: Option<Port>| port.map_or(0, |p| p.port);
                let input = first(
                    router
                        .connections
                        .iter()
                        .map(|c| c.to)
                        .find(|p| p.element == index),
                );
                let output = first(
                    router
                        .connections
                        .iter()
                        .map(|c| c.from)
                        .find(|p| p.element == index),
                );
                router.bypass(index, Some(input), Some(output));
                keep[index] = false;
            }
        }
        router.fill(&wired, &keep);
        router.compact(&keep);
        router
    }

    /// Connects what comes into one port with what goes out of another, past the element.
    fn bypass(&mut self, element: usize, input: Option<usize>, output: Option<usize>) {
        let at = |port: Option<usize>| port.map(|port| Port { element, port });
        let (input, output) = (at(input), at(output));
        let targets: Vec<Port> = self
            .connections
            .iter()
            .filter(|c| Some(c.from) == output)
            .map(|c| c.to)
            .collect();
        let old = std::mem::take(&mut self.connections);
        for connection in old {
            if Some(connection.to) == input {
                self.connections
                    .extend(targets.iter().map(|&to| Connection {
                        to,
                        ..connection.clone()
                    }));
            } else if connection.from.element != element && connection.to.element != element {
                self.connections.push(connection);
            }
        }
    }

    /// Which elements packets can come to from a source and leave to a sink; those without ports
    /// live, too. `counts` are the ports used before anything was removed.
    fn live(&self, facts: &[Facts<'_>], counts: &[(usize, usize)], keep: &[bool]) -> Vec<bool> {
        let ahead = self.reached(facts, counts, false);
        let back = self.reached(facts, counts, true);
        (0..self.elements.len())
            .map(|i| keep[i] && ((ahead[i] && back[i]) || counts[i] == (0, 0)) && !self.is_idle(i))
            .collect()
    }

    fn is_idle(&self, index: usize) -> bool {
        self.elements[index].class == "Idle"
    }

    /// The elements reached from sources, or `back` from sinks.
    fn reached(&self, facts: &[Facts<'_>], counts: &[(usize, usize)], back: bool) -> Vec<bool> {
        let mut found = vec![false; self.elements.len()];
        let mut ways: Vec<Vec<(usize, Port)>> = vec![Vec::new(); self.elements.len()];
        for connection in &self.connections {
            let (here, there) = if back {
                (connection.to, connection.from)
            } else {
                (connection.from, connection.to)
            };
            ways[here.element].push((here.port, there));
        }
        let mut seen: HashSet<Port> = HashSet::new();
        let mut stack = Vec::new();
        for (index, &(inputs, outputs)) in counts.iter().enumerate() {
            let begins = if back { outputs == 0 } else { inputs == 0 };
            if begins && !self.is_idle(index) {
                found[index] = true;
                stack.extend(ways[index].iter().map(|w| w.1));
            }
        }
        while let Some(port) = stack.pop() {
            if !seen.insert(port) {
                continue;
            }
            found[port.element] = true;
            let flow = facts.get(port.element).map_or("", |f| f.flow);
            let through = ways[port.element].iter().filter(|(other, _)| {
                let (input, output) = if back {
                    (*other, port.port)
                } else {
                    (port.port, *other)
                };
                flows(flow, input, output)
            });
            stack.extend(through.map(|w| w.1));
        }
        found
    }

    /// Whether a scheduler or tee has only one way left.
    fn is_needless(&self, index: usize) -> bool {
        let class = self.elements[index].class.as_str();
        let ends = |pick: fn(&Connection) -> Port| -> HashSet<usize> {
            let ports = self.connections.iter().map(pick);
            ports
                .filter(|p| p.element == index)
                .map(|p| p.port)
                .collect()
        };
        (SCHEDULERS.contains(&class) && ends(|c| c.to).len() == 1)
            || (TEES.contains(&class) && ends(|c| c.from).len() == 1)
    }

    /// Gives an `Idle` to ports that were connected and are no longer.
    fn fill(&mut self, wired: &[(usize, usize)], keep: &[bool]) {
        let inputs: HashSet<Port> = self.connections.iter().map(|c| c.to).collect();
        let outputs: HashSet<Port> = self.connections.iter().map(|c| c.from).collect();
        let open = |element: usize, count: usize, used: &HashSet<Port>| -> Vec<Port> {
            let ports = (0..count).map(|port| Port { element, port });
            ports.filter(|p| !used.contains(p)).collect()
        };
        let (mut lonely_inputs, mut lonely_outputs) = (Vec::new(), Vec::new());
        for (element, &(ins, outs)) in wired.iter().enumerate().filter(|(e, _)| keep[*e]) {
            lonely_inputs.extend(open(element, ins, &inputs));
            lonely_outputs.extend(open(element, outs, &outputs));
        }
        let Some(first) = lonely_inputs.first().or(lonely_outputs.first()) else {
            return;
        };
        let landmark = self.elements[first.element].landmark.clone();
        let idle = self.elements.len();
        let taken = |name: &str| self.find(name).is_some();
        let mut number = idle + 1;
        while taken(&format!("Idle@{number}")) {
            number += 1;
        }
        self.elements.push(Element {
            name: format!("Idle@{number}"),
            class: "Idle".into(),
            config: String::new(),
            landmark: landmark.clone(),
        });
        let at = |port| Port {
            element: idle,
            port,
        };
        let ins = lonely_inputs
            .into_iter()
            .enumerate()
            .map(|(i, to)| (at(i), to));
        let outs = lonely_outputs
            .into_iter()
            .enumerate()
            .map(|(i, from)| (from, at(i)));
        let added: Vec<_> = ins.chain(outs).collect();
        self.connections
            .extend(added.into_iter().map(|(from, to)| Connection {
                from,
                to,
                landmark: landmark.clone(),
            }));
    }

    /// Removes the elements that are not kept (those beyond the list are) and repeated connections.
    pub(crate) fn compact(&mut self, keep: &[bool]) {
        let kept = |index: usize| keep.get(index).copied().unwrap_or(true);
        let mut number = 0;
        let mut moved = Vec::with_capacity(self.elements.len());
        for index in 0..self.elements.len() {
            moved.push(number);
            number += usize::from(kept(index));
        }
        let mut index = 0;
        self.elements.retain(|_| {
            index += 1;
            kept(index - 1)
        });
        let mut seen = HashSet::new();
        self.connections.retain_mut(|c| {
            let stays = kept(c.from.element) && kept(c.to.element) && seen.insert((c.from, c.to));
            c.from.element = moved[c.from.element];
            c.to.element = moved[c.to.element];
            stays
        });
    }
}

impl Element {
    /// The one way through a switch whose setting is fixed: `Some` for such a switch, with no port
    /// where it lets nothing through.
    fn fixed_way(&self) -> Option<(Option<usize>, Option<usize>)> {
        let chosen = || arguments(&self.config).first()?.parse::<usize>().ok();
        match self.class.as_str() {
            "StaticSwitch" => Some((Some(0), chosen())),
            "StaticPullSwitch" => Some((chosen(), Some(0))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Facts, Options, parse};

    fn undead(text: &str) -> String {
        let router = parse(text, "t", &Options::default()).unwrap();
        let facts = Facts {
            ports: "-",
            processing: "a",
            flow: "x/x",
        };
        let facts = vec![facts; router.elements.len()];
        router.undead(&facts).unparse(false)
    }

    #[test]
    fn what_no_packet_reaches_goes() {
        let text = "Idle -> Counter -> Dump(a); s :: Source -> w :: StaticSwitch(1);
            w -> Dump(b); w [1] -> q :: Queue -> r :: RoundRobinSched -> d :: Dump(c);
            Idle -> [1] r;";
        let wanted = "s :: Source;\nq :: Queue;\nd :: Dump(c);\ns -> q\n    -> d;\n";
        assert_eq!(undead(text), wanted);
    }

    #[test]
    fn ports_that_lose_their_neighbour_get_an_idle() {
        let text = "s :: Source -> j :: Join -> d :: Sink; Idle -> [1] j; info :: Info(x);";
        let out = undead(text);
        assert!(out.contains("Idle@6 -> [1] j;"), "{out}");
        assert!(out.contains("info :: Info(x);"), "{out}");
    }
}
