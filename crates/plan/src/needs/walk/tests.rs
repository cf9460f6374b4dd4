use lab::{Entry, EntryKind, Lab, Node, Snapshot};

use crate::needs::{Need, Wanted, needs};

/// Needs of one node with a startup script and files, as `[?]thing`.
fn of(script: &str, files: &[(&str, &str)]) -> Vec<String> {
    found(script, files).iter().map(show).collect()
}

fn found(script: &str, files: &[(&str, &str)]) -> Vec<Need> {
    let mut lab = Lab::default();
    lab.nodes.insert("n".into(), Node::default());
    let mut snapshot = Snapshot::default();
    let blob = snapshot.blob(script.as_bytes().to_vec());
    snapshot
        .startup
        .insert("n".into(), vec![("n.startup".into(), blob)]);
    let mut tree = Vec::new();
    for (path, text) in files {
        let blob = snapshot.blob(text.as_bytes().to_vec());
        tree.push(Entry {
            path: (*path).into(),
            mode: 0o755,
            owner: None,
            kind: EntryKind::File(blob),
        });
    }
    snapshot.trees.insert("n".into(), tree);
    needs(&lab, &snapshot)
}

fn show(need: &Need) -> String {
    let mark = if need.certain { "" } else { "?" };
    match &need.wanted {
        Wanted::Feature(f) => format!("{mark}feature {f}"),
        Wanted::Program(p) => format!("{mark}{p}"),
        Wanted::Service(s) => format!("{mark}service {s}"),
    }
}

#[test]
fn features_and_programs_with_their_places() {
    let needs = found("echo x\nip link add v type vlan id 5\n", &[]);
    assert_eq!(
        needs.iter().map(show).collect::<Vec<_>>(),
        ["feature vlan", "ip"]
    );
    let place = needs[0].place.as_ref().unwrap();
    assert_eq!(place.to_string(), "n.startup:2:1");
}

#[test]
fn commented_and_forgiven_commands_are_not_certain() {
    assert_eq!(
        of("# tc qdisc add dev e root netem\n", &[]),
        Vec::<String>::new()
    );
    assert_eq!(
        of("tc qdisc add dev e root netem || true", &[]),
        ["?feature netem", "?tc"]
    );
    assert_eq!(of("modprobe 8021q", &[]), ["?feature vlan"]);
}

#[test]
fn functions_count_when_called() {
    let text = "f() { ip link add b type bond; }\ng() { brctl addbr x; }\nf\n";
    assert_eq!(of(text, &[]), ["feature bond", "ip"]);
}

#[test]
fn scripts_run_scripts() {
    let files = [
        ("/root/a.sh", "#!/bin/sh\n. /etc/b\n"),
        ("/etc/b", "vconfig add eth0 5\n/root/a.sh\n"),
        ("/usr/local/bin/tool", "#!/usr/bin/python3\nimport os\n"),
    ];
    assert_eq!(of("./a.sh; tool --x", &files), ["feature vlan", "vconfig"]);
    assert_eq!(
        of("bash -c 'tc qdisc add dev e root tbf'", &[]),
        ["feature tbf", "tc"]
    );
    assert_eq!(of("sh <<X\nwg show\nX\n", &[]), ["feature wireguard", "wg"]);
    assert_eq!(of("nohup timeout 5 /usr/sbin/foo &", &[]), ["foo"]);
    assert_eq!(
        of("ip netns exec a wg show", &[]),
        ["feature wireguard", "wg"]
    );
}

#[test]
fn services_and_the_files_they_read() {
    let files = [(
        "/etc/network/interfaces",
        "auto eth0.7\niface eth0.7 inet static\n",
    )];
    assert_eq!(
        of("systemctl start networking", &files),
        ["feature vlan", "service networking"]
    );
    assert_eq!(of("echo", &files), Vec::<String>::new());
    let own = [("/etc/init.d/mine", "#!/bin/sh\n")];
    assert_eq!(of("/etc/init.d/mine start", &own), Vec::<String>::new());
    assert_eq!(of("/etc/init.d/zebra start", &[]), ["service zebra"]);
}

#[test]
fn what_a_script_makes_is_not_missing() {
    assert_eq!(of("cp x /usr/bin/mytool; mytool", &[]), ["cp"]);
    assert_eq!(of("cat > /bin/t <<E\nhi\nE\nt", &[]), ["cat"]);
    assert_eq!(
        of("echo 1 > /proc/sys/net/mpls/platform_labels", &[]),
        ["feature mpls"]
    );
}
