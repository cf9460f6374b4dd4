//! A lab's routers before they start: each node's files, brought to the suites that run.

use std::collections::BTreeMap;

use diag::{Diagnostic, Diagnostics, Source};
use lab::{Entry, EntryKind, Lab, Node, Snapshot, Suite};

use super::bird;
use super::daemons::Daemons;
use super::quagga::{self, Remark};

/// The suite of a node: the one that the lab names, else the one whose files it has.
pub fn suite(node: &Node, snapshot: &Snapshot, name: &str) -> Option<Suite> {
    let by_folder = || {
        let folders = [
            ("/etc/frr", Suite::Frr),
            ("/etc/quagga", Suite::Quagga),
            ("/etc/zebra", Suite::Zebra),
            ("/etc/bird", Suite::Bird),
            ("/etc/bird.conf", Suite::Bird),
        ];
        folders
            .into_iter()
            .find(|(folder, _)| snapshot.has(name, folder))
            .map(|(_, suite)| suite)
    };
    let by_daemons = || {
        let wanted = &node.routing.daemons;
        (!wanted.is_empty() || !node.routing.config.is_empty()).then(|| {
            if wanted.iter().any(|d| d.starts_with("bird")) {
                Suite::Bird
            } else {
                Suite::Frr
            }
        })
    };
    node.routing.suite.or_else(by_folder).or_else(by_daemons)
}

/// Makes the routing files of all nodes ready for FRR and BIRD 2 and adds those that a lab gives
/// as `routing:`, with their start before the node's startup scripts. What cannot be kept is a
/// warning that names the first place where it stands.
pub fn adapt(lab: &Lab, snapshot: &mut Snapshot) -> Diagnostics {
    let mut remarks = Remarks::default();
    for (name, node) in &lab.nodes {
        let Some(suite) = suite(node, snapshot, name) else {
            continue;
        };
        match suite {
            Suite::Frr => {}
            Suite::Quagga | Suite::Zebra => from_quagga(name, snapshot, &mut remarks),
            Suite::Bird => from_bird(name, snapshot, &mut remarks),
        }
        native(name, node, suite, snapshot);
        if suite != Suite::Bird {
            own_frr(name, snapshot);
        }
    }
    remarks.into_diagnostics()
}

/// Remarks by what they say, each with its first place and how often it was met.
#[derive(Default)]
struct Remarks(BTreeMap<String, (Source, std::ops::Range<usize>, usize)>);

impl Remarks {
    fn add(&mut self, node: &str, path: &str, text: &str, remark: &Remark) {
        let message = format!("`{}`: {}", remark.text.trim(), remark.why);
        let entry = self.0.entry(message).or_insert_with(|| {
            let source = Source::new(format!("{node}:{path}"), text);
            let start: usize = text
                .split_inclusive('\n')
                .take(remark.line.saturating_sub(1))
                .map(str::len)
                .sum();
            let line = text[start.min(text.len())..]
                .lines()
                .next()
                .unwrap_or_default();
            (source, start..start + line.len(), 0)
        });
        entry.2 += 1;
    }

    fn into_diagnostics(self) -> Diagnostics {
        let mut list = Diagnostics::new();
        for (message, (source, span, count)) in self.0 {
            let more = if count > 1 {
                format!(" ({count} places in this lab)")
            } else {
                String::new()
            };
            list.push(Diagnostic::warning(format!("{message}{more}")).at(source.at(span)));
        }
        list
    }
}

/// The files right below a folder of a node, as text.
fn files(snapshot: &Snapshot, node: &str, folder: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in snapshot.trees.get(node).into_iter().flatten() {
        let name = entry
            .path
            .strip_prefix(folder)
            .and_then(|p| p.strip_prefix('/'));
        let name = name.filter(|n| !n.contains('/'));
        if let (Some(name), EntryKind::File(blob)) = (name, &entry.kind)
            && let Some(bytes) = snapshot.blobs.get(*blob)
        {
            found.insert(name.to_owned(), String::from_utf8_lossy(bytes).into_owned());
        }
    }
    found
}

fn add(
    snapshot: &mut Snapshot,
    node: &str,
    path: &str,
    mode: u32,
    owner: Option<&str>,
    kind: EntryKind,
) {
    snapshot
        .trees
        .entry(node.to_owned())
        .or_default()
        .push(Entry {
            path: path.into(),
            mode,
            owner: owner.map(str::to_owned),
            kind,
        });
}

fn add_file(snapshot: &mut Snapshot, node: &str, path: &str, owner: &str, text: &str) {
    let blob = snapshot.blob(text.as_bytes().to_vec());
    add(
        snapshot,
        node,
        path,
        0o640,
        Some(owner),
        EntryKind::File(blob),
    );
}

/// Makes a link where the node has nothing of the name.
fn add_link(snapshot: &mut Snapshot, node: &str, path: &str, target: &str) {
    if !snapshot.has(node, path) {
        add(
            snapshot,
            node,
            path,
            0o777,
            None,
            EntryKind::Symlink(target.into()),
        );
    }
}

/// `/etc/quagga` or `/etc/zebra` adapted into `/etc/frr`; both old names lead to what there is.
fn from_quagga(node: &str, snapshot: &mut Snapshot, remarks: &mut Remarks) {
    let old = ["/etc/quagga", "/etc/zebra"]
        .into_iter()
        .find(|f| snapshot.has(node, f));
    if let Some(old) = old {
        let files = files(snapshot, node, old);
        if !snapshot.has(node, "/etc/frr") {
            add(
                snapshot,
                node,
                "/etc/frr",
                0o775,
                Some("frr:frr"),
                EntryKind::Dir,
            );
        }
        let adapted = quagga::adapt(&files);
        for remark in &adapted.remarks {
            let text = files.get(&remark.file).map_or("", String::as_str);
            remarks.add(node, &format!("{old}/{}", remark.file), text, remark);
        }
        for (name, text) in &adapted.files {
            let path = format!("/etc/frr/{name}");
            if !snapshot.has(node, &path) {
                add_file(snapshot, node, &path, "frr:frr", text);
            }
        }
    } else {
        add(snapshot, node, "/etc/quagga", 0o755, None, EntryKind::Dir);
    }
    let other = if old == Some("/etc/zebra") {
        ["/etc/quagga", "/etc/zebra"]
    } else {
        ["/etc/zebra", "/etc/quagga"]
    };
    add_link(snapshot, node, other[0], other[1]);
    if !snapshot.has(node, "/var/log/frr") {
        add(
            snapshot,
            node,
            "/var/log/frr",
            0o755,
            Some("frr:frr"),
            EntryKind::Dir,
        );
    }
    add_link(snapshot, node, "/var/log/quagga", "/var/log/frr");
    add_link(snapshot, node, "/var/log/zebra", "/var/log/frr");
}

/// BIRD 1's `bird.conf` for BIRD 2. Its IPv6 daemon had a file of its own, which BIRD 2 has no
/// second daemon for.
fn from_bird(node: &str, snapshot: &mut Snapshot, remarks: &mut Remarks) {
    for path in ["/etc/bird/bird.conf", "/etc/bird.conf"] {
        let text = snapshot
            .file(node, path)
            .map(|b| String::from_utf8_lossy(b).into_owned());
        if let Some(text) = text.filter(|t| bird::is_old(t)) {
            let new = bird::convert(&text, "ipv4");
            add_file(snapshot, node, path, "bird:bird", &new);
        }
    }
    for path in ["/etc/bird/bird6.conf", "/etc/bird6.conf"] {
        let text = snapshot
            .file(node, path)
            .map(|b| String::from_utf8_lossy(b).into_owned());
        if let Some(text) = text {
            let remark = Remark {
                file: path.into(),
                line: 1,
                text: "bird6.conf".into(),
                why: "BIRD 2 has one daemon for both IP versions and reads bird.conf only: it is not used",
            };
            remarks.add(node, path, &text, &remark);
        }
    }
}

/// The configuration and daemons that a lab gives in its own file, and their start.
fn native(name: &str, node: &Node, suite: Suite, snapshot: &mut Snapshot) {
    let routing = &node.routing;
    if routing.daemons.is_empty() && routing.config.is_empty() {
        return;
    }
    let service = if suite == Suite::Bird { "bird" } else { "frr" };
    match suite {
        Suite::Bird if !routing.config.is_empty() => {
            add_file(
                snapshot,
                name,
                "/etc/bird/bird.conf",
                "bird:bird",
                &routing.config,
            );
        }
        Suite::Bird => {}
        _ => {
            if !routing.config.is_empty() {
                add_file(
                    snapshot,
                    name,
                    "/etc/frr/frr.conf",
                    "frr:frr",
                    &routing.config,
                );
            }
            if !routing.daemons.is_empty() {
                let daemons = Daemons::of(routing.daemons.iter().map(String::as_str));
                add_file(
                    snapshot,
                    name,
                    "/etc/frr/daemons",
                    "frr:frr",
                    &daemons.text(),
                );
            }
        }
    }
    let blob = snapshot.blob(format!("systemctl start {service}\n").into_bytes());
    let scripts = snapshot.startup.entry(name.to_owned()).or_default();
    scripts.insert(0, (format!("routing ({service})"), blob));
}

/// FRR's files belong to FRR, as its images make them.
fn own_frr(node: &str, snapshot: &mut Snapshot) {
    for entry in snapshot.trees.get_mut(node).into_iter().flatten() {
        let below = entry.path.starts_with("/etc/frr/");
        if below && entry.owner.is_none() && matches!(entry.kind, EntryKind::File(_)) {
            entry.owner = Some("frr:frr".into());
            entry.mode = 0o640;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(path: &str, text: &str) -> (Lab, Snapshot) {
        let mut lab = Lab::default();
        lab.nodes.insert("r".into(), Node::default());
        let mut snapshot = Snapshot::default();
        let blob = snapshot.blob(text.as_bytes().to_vec());
        add(&mut snapshot, "r", path, 0o644, None, EntryKind::File(blob));
        (lab, snapshot)
    }

    fn text<'a>(snapshot: &'a Snapshot, path: &str) -> &'a str {
        std::str::from_utf8(snapshot.file("r", path).expect(path)).unwrap()
    }

    #[test]
    fn a_quagga_router_becomes_one_of_frr() {
        let (lab, mut snapshot) = with("/etc/zebra/bgpd.conf", "router bgp 1\n auto-summary\n");
        let list = adapt(&lab, &mut snapshot);
        assert!(text(&snapshot, "/etc/frr/bgpd.conf").contains("no bgp ebgp-requires-policy"));
        assert!(text(&snapshot, "/etc/frr/daemons").contains("bgpd=yes"));
        assert!(text(&snapshot, "/etc/zebra/bgpd.conf").contains("auto-summary"));
        let rendered = list.render(false);
        assert!(rendered.contains("r:/etc/zebra/bgpd.conf:2"), "{rendered}");
        let links: Vec<_> = snapshot.trees["r"]
            .iter()
            .filter(|e| matches!(e.kind, EntryKind::Symlink(_)))
            .collect();
        assert_eq!(
            links.iter().map(|e| e.path.as_str()).collect::<Vec<_>>(),
            ["/etc/quagga", "/var/log/quagga", "/var/log/zebra"]
        );
    }

    #[test]
    fn native_routing_starts_before_scripts() {
        let (mut lab, mut snapshot) = with("/etc/motd", "");
        let node = lab.nodes.get_mut("r").unwrap();
        node.routing.daemons = vec!["ospfd".into()];
        node.routing.config = "router ospf\n".into();
        snapshot.startup.insert("r".into(), vec![("own".into(), 0)]);
        assert!(adapt(&lab, &mut snapshot).is_empty());
        assert_eq!(text(&snapshot, "/etc/frr/frr.conf"), "router ospf\n");
        assert!(text(&snapshot, "/etc/frr/daemons").contains("ospfd=yes"));
        assert_eq!(snapshot.startup["r"].len(), 2);
        let (_, blob) = &snapshot.startup["r"][0];
        assert_eq!(snapshot.blobs[*blob], b"systemctl start frr\n");
    }

    #[test]
    fn files_of_frr_become_its_own() {
        let (lab, mut snapshot) = with("/etc/frr/frr.conf", "router ospf\n");
        adapt(&lab, &mut snapshot);
        let entry = &snapshot.trees["r"][0];
        assert_eq!(
            (entry.mode, entry.owner.as_deref()),
            (0o640, Some("frr:frr"))
        );
    }

    #[test]
    fn bird_1_becomes_bird_2() {
        let (lab, mut snapshot) = with(
            "/etc/bird/bird.conf",
            "protocol static { route 10.0.0.0/8 reject; }\n",
        );
        adapt(&lab, &mut snapshot);
        assert!(text(&snapshot, "/etc/bird/bird.conf").contains("ipv4;"));
    }
}
