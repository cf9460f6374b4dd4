//! Which machines a lab has, what of its folder each one gets, and who waits for whom.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use diag::Diagnostic;
use lab::{FileItem, Mount, Node, Script, check_node_name};

use super::listing::RESERVED;
use super::{Machine, Reader, dep, ext};
use crate::nearest::nearest;

impl Reader<'_> {
    /// Decides which machines there are.
    pub(super) fn choose(&mut self) {
        if let Some(chosen) = self.chosen.take() {
            for name in &chosen {
                if let Err(e) = check_node_name(&name.text) {
                    let text = format!("bad machine name `{}`", name.text);
                    self.error(&name.span, text, e.to_string());
                    continue;
                }
                let place = self.place(&name.span);
                self.places.put(&["nodes", &name.text], place);
                self.machines.entry(name.text.clone()).or_default();
            }
            let names: HashSet<&str> = chosen.iter().map(|c| c.text.as_str()).collect();
            let wanted = |name: &str| names.contains(name);
            for name in self.machines.keys().filter(|n| !wanted(n)) {
                if let Some(place) = self.places.get(&["nodes", name]) {
                    let text =
                        "settings of machines that the file's list does not name are ignored";
                    self.groups.warn(text, "add them to the list", name, place);
                }
            }
            self.machines.retain(|name, _| wanted(name));
            return;
        }
        let found: Vec<String> = match self.kathara() && !self.machines.is_empty() {
            true => Vec::new(),
            false => {
                let all = self.listing.folders().chain(self.listing.started());
                all.map(Into::into).collect()
            }
        };
        for name in found {
            self.found(&name);
        }
        self.forgotten();
    }

    /// A machine that the file does not name.
    fn found(&mut self, name: &str) {
        if self.machines.contains_key(name) {
            return;
        }
        if check_node_name(name).is_err() {
            let text = format!("folder `{name}` is not taken for a machine");
            let help = "a machine's name has letters, digits, `_`, `-` and `.` only";
            self.out.push(Diagnostic::warning(text).help(help));
            return;
        }
        if !self.machines.is_empty() && !self.listing.has_file(&format!("{name}.startup")) {
            let text = "folders without any setting or startup script are taken for machines";
            self.groups.warn(
                text,
                "move what is no machine out of the lab's folder",
                name,
                None,
            );
        }
        self.machines.insert(name.to_string(), Machine::default());
    }

    /// Scripts that no machine of the lab runs.
    fn forgotten(&mut self) {
        let known = |name: &str| self.machines.contains_key(name);
        for name in self.listing.started().filter(|n| !known(n)) {
            let near = nearest(name, self.machines.keys().map(String::as_str));
            let help = match near.map(|n| format!("{n}.startup")) {
                Some(near) if !self.listing.has_file(&near) => {
                    format!("did you mean `{near}`?")
                }
                _ => format!("add `{name}[0]=A` or remove the script"),
            };
            let text = format!("no machine runs `{name}.startup`");
            self.out.push(Diagnostic::warning(text).help(help));
        }
    }

    /// Makes the nodes.
    pub(super) fn build(&mut self) {
        for (name, machine) in std::mem::take(&mut self.machines) {
            self.gaps(&name, &machine);
            let mut node = machine.node;
            for (number, (interface, span)) in machine.interfaces {
                let twice = |i: &lab::Interface| i.segment == interface.segment;
                if self.kathara() && node.interfaces.values().any(twice) {
                    let place = self.place(&span);
                    let text =
                        "machines are on a collision domain twice, which Kathara would refuse";
                    self.groups.note(text, "", &name, place);
                }
                node.interfaces.insert(format!("eth{number}"), interface);
            }
            self.files(&name, &mut node);
            let commands = machine.commands.into_iter().map(Script::Run);
            self.scripts(&name, &mut node, commands);
            self.lab.nodes.insert(name, node);
        }
    }

    fn gaps(&mut self, name: &str, machine: &Machine) {
        let gap = machine
            .interfaces
            .keys()
            .zip(0..)
            .any(|(n, want)| *n != want);
        let last = machine.interfaces.last_key_value();
        if let (true, true, Some((_, (_, span)))) = (gap, self.kathara(), last) {
            let place = self.place(span);
            let text = "interface numbers have gaps, which Kathara would refuse";
            self.groups.note(text, "", name, place);
        }
    }

    fn files(&mut self, name: &str, node: &mut Node) {
        let item = |from: &str, to: String| FileItem {
            to: PathBuf::from(to),
            from: Some(PathBuf::from(from)),
            ..FileItem::default()
        };
        let kathara = self.kathara();
        if !kathara && self.options.shared && self.listing.has_shared() {
            node.files.push(item("shared", "/".into()));
        }
        let own = self.listing.has_folder(name);
        if own {
            node.files.push(item(name, "/".into()));
        }
        if kathara && self.options.shared {
            node.mounts.push(Mount {
                host: "shared".into(),
                at: "/shared".into(),
                read_only: false,
                create: true,
            });
        }
        // only for machines that ask for it, since it costs each one a mount or a copy
        if !self.mentions(name, "/hostlab") {
            return;
        }
        match kathara {
            true if own => node.files.push(item(name, format!("/hostlab/{name}"))),
            true => {}
            false => node.mounts.push(Mount {
                host: ".".into(),
                at: "/hostlab".into(),
                ..Mount::default()
            }),
        }
    }

    fn mentions(&self, name: &str, word: &str) -> bool {
        ["shared.startup".into(), format!("{name}.startup")]
            .iter()
            .filter(|f| self.listing.has_file(f))
            .filter_map(|f| self.folder.source(Path::new(f)).ok().flatten())
            .any(|s| s.text().contains(word))
    }

    fn scripts(&self, name: &str, node: &mut Node, commands: impl Iterator<Item = Script>) {
        let script = |file: String| {
            let file = Some(file).filter(|f| self.listing.has_file(f))?;
            Some(Script::File { file: file.into() })
        };
        let own = |end: &str| script(format!("{name}.{end}"));
        node.startup.extend(script("shared.startup".into()));
        node.startup.extend(own("startup"));
        node.startup.extend(commands);
        node.shutdown.extend(own("shutdown"));
        node.shutdown.extend(script("shared.shutdown".into()));
    }

    /// `lab.dep`.
    pub(super) fn dependencies(&mut self) {
        let source = match self.folder.source(Path::new("lab.dep")) {
            Ok(Some(source)) => source,
            Ok(None) => return,
            Err(d) => return self.out.push(d),
        };
        let (all, warnings) = dep::parse(&source);
        self.out.append(warnings);
        for d in all {
            let known = |name: &str| self.lab.nodes.contains_key(name);
            let unknown = [&d.node, &d.needs].into_iter().find(|w| !known(&w.text));
            if let Some(word) = unknown {
                let names = self.lab.nodes.keys().map(String::as_str);
                let near = nearest(&word.text, names).filter(|n| !RESERVED.contains(n));
                let unknown = Diagnostic::warning(format!("no machine is called `{}`", word.text))
                    .at(source.at(word.span.clone()));
                self.out.push(match near {
                    Some(near) => unknown.help(format!("did you mean `{near}`?")),
                    None => unknown,
                });
                continue;
            }
            let (name, wanted) = (d.node.text.as_str(), &d.needs.text);
            let list = &mut self.lab.nodes[name].depends_on;
            if !list.contains(wanted) {
                list.push(wanted.clone());
                let index = (list.len() - 1).to_string();
                let place = source.at(d.needs.span);
                self.places
                    .put(&["nodes", name, "depends_on", &index], place);
            }
        }
    }

    /// `lab.ext`.
    pub(super) fn externals(&mut self) {
        let source = match self.folder.source(Path::new("lab.ext")) {
            Ok(Some(source)) => source,
            Ok(None) => return,
            Err(d) => return self.out.push(d),
        };
        let (all, wrong) = ext::parse(&source);
        self.out.append(wrong);
        for (domain, external) in all {
            let place = source.at(domain.span.clone());
            let used = self.lab.nodes.values().flat_map(|n| n.interfaces.values());
            if !used
                .clone()
                .any(|i| i.segment.as_ref() == Some(&domain.text))
            {
                let near = nearest(&domain.text, used.filter_map(|i| i.segment.as_deref()));
                let text = format!("no machine is on the collision domain `{}`", domain.text);
                let unused = Diagnostic::warning(text).at(place.clone());
                self.out.push(match near {
                    Some(near) => unused.help(format!("did you mean `{near}`?")),
                    None => unused,
                });
            }
            self.places.put(&["segments", &domain.text], place);
            let segment = self.lab.segments.entry(domain.text).or_default();
            segment.external.push(external);
        }
    }
}
