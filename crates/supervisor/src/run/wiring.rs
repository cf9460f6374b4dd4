//! Interfaces and wires: all that are new since the last turn of the loop are made together,
//! since the kernel takes them faster that way.

use std::os::fd::AsFd;

use lab::Mac;
use panel::{FarEnd, NewInterface, Wire};

use super::Supervisor;
use crate::aside::{ToBroker, send};
use crate::proto::What;

impl Supervisor<'_> {
    /// Gives interfaces to all nodes that have reported a network namespace since last time.
    pub(super) fn wire_new(&mut self) {
        let waiting = |(i, n): (usize, &super::Node)| n.next_network.is_some().then_some(i);
        let waiting: Vec<usize> = self
            .nodes
            .values()
            .enumerate()
            .filter_map(waiting)
            .collect();
        if waiting.is_empty() {
            return;
        }
        let (again, first): (Vec<usize>, Vec<usize>) = waiting
            .into_iter()
            .partition(|i| self.nodes[*i].network.is_some());
        self.add_interfaces(&first);
        for index in again {
            self.move_interfaces(index);
        }
    }

    fn add_interfaces(&mut self, indexes: &[usize]) {
        if indexes.is_empty() {
            return;
        }
        let lab = &self.start.lab;
        let mut wanted = Vec::new();
        for index in indexes {
            let (name, node) = (self.name(*index), &self.nodes[*index]);
            let Some(network) = &node.next_network else {
                continue;
            };
            for (position, (interface, data)) in lab.nodes[name].interfaces.iter().enumerate() {
                wanted.push(NewInterface {
                    node: *index as u32,
                    position: position as u32,
                    name: interface,
                    mac: mac(lab, name, interface),
                    mtu: data.mtu.unwrap_or(1500),
                    netns: network.as_fd(),
                });
            }
        }
        let made = match self.panel.add_interfaces(&wanted) {
            Ok(made) => made,
            Err(e) => return self.broken(indexes[0], e.to_string()),
        };
        drop(wanted);
        let mut ends = made.into_iter();
        for index in indexes {
            let count = lab.nodes[self.name(*index)].interfaces.len();
            let node = &mut self.nodes[*index];
            node.ends = ends.by_ref().take(count).collect();
            node.network = node.next_network.take();
            node.wired = true;
        }
        if self.nodes.values().all(|n| n.wired) {
            self.connect_all();
        }
        for index in indexes {
            self.configure_when_ready(*index);
        }
    }

    /// Every segment and link of the lab, once all far ends are there.
    fn connect_all(&mut self) {
        let uplinks = match self.add_uplinks() {
            Ok(uplinks) => uplinks,
            Err(message) => return self.broken(0, message),
        };
        let mut wires = Vec::with_capacity(self.segments.len());
        for (name, segment) in &self.segments {
            let members = segment.members.iter();
            let mut ends: Vec<FarEnd> = members
                .filter_map(|m| self.far_end(&m.node, &m.interface))
                .collect();
            let own = uplinks.iter().filter(|(segment, _)| segment == name);
            ends.extend(own.map(|(_, end)| *end));
            wires.push(Wire {
                segment: name,
                ends,
                mirror: segment.mirror,
            });
        }
        if let Err(e) = self.panel.connect(&wires) {
            self.broken(0, e.to_string());
        }
    }

    /// Far ends for interfaces of the host, by segment: the broker joins them from its side.
    fn add_uplinks(&mut self) -> Result<Vec<(String, FarEnd)>, String> {
        let external = self.segments.iter().flat_map(|(name, segment)| {
            segment
                .external
                .iter()
                .map(move |external| (name.clone(), external.clone()))
        });
        let external: Vec<(String, lab::External)> = external.collect();
        if external.is_empty() {
            return Ok(Vec::new());
        }
        let panel = std::fs::File::open("/proc/thread-self/ns/net")
            .map_err(|e| format!("the panel's own network namespace cannot be opened: {e}"))?;
        let mut uplinks = Vec::new();
        for (number, (segment, external)) in external.into_iter().enumerate() {
            let ready = format!("up{number}");
            let wanted = NewInterface {
                node: self.nodes.len() as u32,
                position: number as u32,
                name: &ready,
                mac: Mac::from_names(&["", &external.interface]).0,
                mtu: 1500,
                netns: panel.as_fd(),
            };
            let made = self
                .panel
                .add_interfaces(&[wanted])
                .map_err(|e| e.to_string())?;
            uplinks.extend(made.into_iter().map(|end| (segment.clone(), end)));
            let message = ToBroker::Attach {
                ready,
                interface: external.interface,
                vlan: external.vlan,
            };
            send(self.broker, &message, &[panel.as_fd()])
                .map_err(|e| format!("the broker does not listen: {e}"))?;
        }
        Ok(uplinks)
    }

    /// The far end of a node's interface.
    pub(super) fn far_end(&self, node: &str, interface: &str) -> Option<FarEnd> {
        let position = self
            .start
            .lab
            .nodes
            .get(node)?
            .interfaces
            .get_index_of(interface)?;
        self.nodes.get(node)?.ends.get(position).copied()
    }

    /// A restarted node gets its interfaces back; their far ends and wires have stayed.
    fn move_interfaces(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let (Some(old), Some(new)) = (node.network.take(), node.next_network.take()) else {
            return;
        };
        let moved = self
            .panel
            .move_interfaces(&node.ends, old.as_fd(), new.as_fd());
        node.network = Some(new);
        node.wired = true;
        match moved {
            Ok(()) => self.configure_when_ready(index),
            Err(e) => self.broken(index, e.to_string()),
        }
    }

    /// Pulls out or puts back a cable.
    pub(super) fn plug(&mut self, node: &str, interface: &str, on: bool) -> Result<(), String> {
        let end = self
            .far_end(node, interface)
            .ok_or_else(|| format!("there is no interface `{interface}` at a node `{node}`"))?;
        self.panel.set_plugged(end, on).map_err(|e| e.to_string())?;
        let position = self.start.lab.nodes[node]
            .interfaces
            .get_index_of(interface);
        if let (Some(node), Some(position)) = (self.nodes.get_mut(node), position) {
            node.plugged[position] = on;
        }
        let interface = interface.to_string();
        self.events
            .push(Some(node), What::Plugged { interface, on });
        Ok(())
    }
}

fn mac(lab: &lab::Lab, node: &str, interface: &str) -> [u8; 6] {
    let Mac(bytes) = lab.mac(node, interface);
    bytes
}
