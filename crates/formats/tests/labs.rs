//! Labs of each dialect, read whole.

mod common;

use std::path::Path;

use formats::{Dialect, Options, Read, prepare};
use lab::{Entry, EntryKind, Profile, Script, Suite};

fn read_with(name: &str, options: &Options) -> Read {
    let path = Path::new("tests/labs").join(name);
    formats::read(&path, options).unwrap_or_else(|e| panic!("{e}"))
}

fn read(name: &str) -> Read {
    read_with(name, &Options::default())
}

fn paths(read: &Read, node: &str) -> Vec<String> {
    let tree = read.snapshot.trees.get(node).into_iter().flatten();
    tree.map(|e| e.path.clone()).collect()
}

fn entry<'a>(read: &'a Read, node: &str, path: &str) -> &'a Entry {
    let found = read.snapshot.trees[node]
        .iter()
        .rev()
        .find(|e| e.path == path);
    found.unwrap_or_else(|| panic!("{node} has no {path}"))
}

fn scripts(read: &Read, node: &str) -> Vec<(String, String)> {
    let text = |blob: usize| String::from_utf8(read.snapshot.blobs[blob].clone()).unwrap();
    let list = read.snapshot.startup.get(node).into_iter().flatten();
    list.map(|(title, blob)| (title.clone(), text(*blob)))
        .collect()
}

#[test]
fn each_converts_to_the_same_lab() {
    for name in ["kathara", "netkit", "jh", "folders", "native"] {
        let text = common::convert_and_compare(&Path::new("tests/labs").join(name));
        insta::assert_snapshot!(format!("{name}_converted"), text);
    }
}

#[test]
fn each_says_what_it_could_not_keep() {
    for name in ["kathara", "netkit", "jh", "folders", "native"] {
        insta::assert_snapshot!(
            format!("{name}_diagnostics"),
            read(name).diagnostics.to_string()
        );
    }
}

#[test]
fn kathara_with_all_its_options() {
    let lab = read("kathara");
    assert_eq!(
        (lab.dialect, lab.lab.profile),
        (Dialect::Kathara, Profile::Kathara)
    );
    assert_eq!(lab.lab.name, "All-options");
    assert_eq!(lab.lab.info.web, "https://example.org/?a=b");
    let r1 = &lab.lab.nodes["r1"];
    assert_eq!(
        r1.interfaces["eth0"].mac.unwrap().to_string(),
        "02:00:00:00:0a:01"
    );
    assert_eq!(r1.interfaces["eth1"].segment.as_deref(), Some("left"));
    assert_eq!(r1.routing.suite, Some(Suite::Frr));
    assert_eq!(
        (r1.limits.memory, r1.limits.cpus),
        (Some(256 << 20), Some(1.5))
    );
    assert_eq!(r1.limits.ulimits["nofile"].hard, 2048);
    assert_eq!(
        (r1.ipv6, r1.terminals, r1.shell.as_deref()),
        (Some(true), Some(2), Some("/bin/sh"))
    );
    assert_eq!(r1.sysctls["net.ipv6.conf.eth0.accept_ra"], "0");
    assert_eq!(
        (&*r1.environment["SITE"], &*r1.environment["EMPTY"]),
        ("north side", "")
    );
    assert_eq!(lab.lab.nodes["pc3"].depends_on, ["pc1", "pc2"]);
    let core = &lab.lab.segments["core"].external;
    assert_eq!(
        (core[0].vlan, core[1].interface.as_str()),
        (Some(20), "eth8")
    );
    let pc1 = &lab.lab.nodes["pc1"];
    assert_eq!((pc1.ports[0].host, pc1.ports[1].host), (8080, 3000));
}

#[test]
fn kathara_files_as_its_devices_find_them() {
    let lab = read("kathara");
    let text =
        |path: &str| String::from_utf8_lossy(lab.snapshot.file("r1", path).unwrap()).into_owned();
    assert_eq!(text("/etc/frr/frr.conf"), "hostname r1\n!\nrouter ospf\n");
    assert_eq!(text("/etc/frr/daemons"), "zebra=yes\nospfd=yes\n");
    assert_eq!(text("/etc/readme"), "for everybody\n");
    assert_eq!(text("/hostlab/r1/etc/readme"), "for everybody\n");
    assert_eq!(text("/usr/local/bin/tool"), "\u{7f}ELF\0\r\nbinary\r\n");
    assert_eq!(entry(&lab, "r1", "/usr/local/bin/hello").mode, 0o755);
    assert_eq!(entry(&lab, "r1", "/etc/frr/frr.conf").mode, 0o644);
    assert_eq!(
        paths(&lab, "pc1"),
        ["/var", "/var/www", "/var/www/index.html"]
    );
    let names: Vec<String> = scripts(&lab, "r1").into_iter().map(|s| s.0).collect();
    assert_eq!(
        names,
        [
            "shared.startup",
            "r1.startup",
            "echo 'first' > /tmp/a",
            "touch /tmp/b"
        ]
    );
    assert!(
        scripts(&lab, "r1")[1]
            .1
            .starts_with("ip address add 10.0.0.1/24 dev eth0\ncat")
    );
    let end: Vec<&str> = lab.snapshot.shutdown["r1"]
        .iter()
        .map(|s| s.0.as_str())
        .collect();
    assert_eq!(end, ["r1.shutdown", "shared.shutdown"]);
    let mounts: Vec<_> = lab.lab.nodes["r1"]
        .mounts
        .iter()
        .map(|m| (m.at.to_str().unwrap(), m.read_only))
        .collect();
    assert_eq!(mounts, [("/data", true), ("/shared", false)]);
    let without = Options {
        shared: false,
        ..Options::default()
    };
    assert!(
        read_with("kathara", &without).lab.nodes["pc2"]
            .mounts
            .is_empty()
    );
}

#[test]
fn netkit_machines_are_folders() {
    let lab = read("netkit");
    assert_eq!(
        (lab.dialect, lab.lab.profile),
        (Dialect::Netkit, Profile::Netkit)
    );
    let names: Vec<&String> = lab.lab.nodes.keys().collect();
    assert_eq!(names, ["r1", "pc1", "idle", "late"]);
    let r1 = &lab.lab.nodes["r1"];
    assert_eq!(r1.interfaces["eth0"].segment.as_deref(), Some("LAN1"));
    assert_eq!(
        r1.interfaces["eth1"].addresses[0].to_string(),
        "10.9.0.2/24"
    );
    assert_eq!(r1.routes[0].via.unwrap().to_string(), "10.9.0.1");
    assert_eq!(r1.hints["append"], ["quiet splash"]);
    assert_eq!(r1.mounts[0].at.to_str(), Some("/hostlab"));
    let pc1 = &lab.lab.nodes["pc1"];
    assert_eq!(pc1.interfaces["eth0"].segment.as_deref(), Some("LAN1"));
    assert_eq!(pc1.startup[1], Script::Run("date".into()));
    assert_eq!(pc1.limits.memory, None);
    assert_eq!(
        paths(&lab, "pc1"),
        ["/etc", "/etc/skel", "/etc/skel/profile"]
    );
    let link = &entry(&lab, "r1", "/etc/zebra/ripd.conf").kind;
    assert_eq!(*link, EntryKind::Symlink("zebra.conf".into()));
    assert_eq!(lab.lab.nodes["late"].depends_on, ["pc1"]);
}

#[test]
fn netkit_jh_names_its_machines() {
    let lab = read("jh");
    assert_eq!(lab.dialect, Dialect::NetkitJh);
    let names: Vec<&String> = lab.lab.nodes.keys().collect();
    assert_eq!(names, ["boot-server", "PC.a"]);
    assert_eq!(
        lab.lab.nodes["PC.a"].interfaces["eth0"].segment.as_deref(),
        Some("lan-1")
    );
    assert_eq!(lab.lab.nodes["boot-server"].routes.len(), 1);
}

#[test]
fn folders_alone_are_a_lab() {
    let lab = read("folders");
    let names: Vec<&String> = lab.lab.nodes.keys().collect();
    assert_eq!(names, ["pc1", "pc2"]);
    assert!(lab.snapshot.has("pc1", "/etc/hosts"));
}

#[test]
fn a_dialect_can_be_chosen() {
    let options = Options {
        dialect: Some(Dialect::Netkit),
        ..Options::default()
    };
    let lab = read_with("kathara", &options);
    assert_eq!(lab.lab.profile, Profile::Netkit);
    assert!(lab.snapshot.has("r1", "/notes/readme.txt"));
    assert_eq!(lab.lab.nodes["r1"].limits.memory, None);
}

#[test]
fn a_part_of_a_lab() {
    let options = Options {
        only: vec!["pc1".into(), "pc2".into()],
        ..Options::default()
    };
    let lab = read_with("kathara", &options);
    assert_eq!(lab.lab.nodes.len(), 2);
    assert!(lab.lab.nodes["pc1"].depends_on.is_empty());
    assert!(lab.lab.segments.contains_key("core"));
    assert!(!lab.snapshot.trees.contains_key("r1"));
}

#[test]
fn the_native_language() {
    let lab = read("native");
    assert_eq!(lab.dialect, Dialect::Telaio);
    let r1 = &lab.lab.nodes["r1"];
    assert_eq!(lab.lab.info.version, "3.10");
    assert_eq!(r1.environment["LEVEL"], "2");
    assert_eq!(r1.environment["LANG"], "C.UTF-8");
    assert_eq!(r1.limits.ulimits.len(), 3);
    assert_eq!(r1.routes[0].metric, Some(5));
    let titles: Vec<String> = scripts(&lab, "r1").into_iter().map(|s| s.0).collect();
    assert_eq!(titles, ["echo all", "go.sh", "echo one"]);
    let end: Vec<&str> = lab.snapshot.shutdown["r1"]
        .iter()
        .map(|s| s.0.as_str())
        .collect();
    assert_eq!(end, ["go.sh", "sleep 0", "echo bye"]);
    assert_eq!(lab.snapshot.file("r1", "/dos.txt").unwrap(), b"a\r\nb\r\n");
    assert_eq!(
        entry(&lab, "r1", "/link").kind,
        EntryKind::Symlink("dos.txt".into())
    );
    let page = entry(&lab, "r1", "/var/www/html/index.html");
    assert_eq!(
        (page.mode, page.owner.as_deref()),
        (0o640, Some("www-data:www-data"))
    );
    assert_eq!(lab.lab.nodes["pc1"].interfaces["eth0"].addresses.len(), 2);
    assert_eq!(lab.lab.checks.len(), 17);
}

#[test]
fn missing_shared_folders_are_made_or_replaced() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("lab.conf"),
        "pc1[0]=A\npc1[image]=kathara/base\n",
    )
    .unwrap();
    let mut lab = formats::read(folder.path(), &Options::default()).unwrap();
    assert!(!folder.path().join("shared").exists());
    prepare(&mut lab).unwrap();
    assert!(folder.path().join("shared").is_dir());
    assert!(formats::open_mount(&lab, &lab.lab.nodes["pc1"].mounts[0]).is_ok());
    // a folder that only a deeper path could make is not made
    let mut lab = formats::read(folder.path(), &Options::default()).unwrap();
    lab.lab.nodes["pc1"].mounts[0].host = "no/such".into();
    prepare(&mut lab).unwrap();
    assert!(lab.lab.nodes["pc1"].mounts.is_empty());
    assert!(lab.snapshot.has("pc1", "/shared"));
    assert!(!lab.diagnostics.is_empty());
}

#[test]
fn examples_are_read_without_a_word() {
    for name in ["two-computers", "triangle"] {
        let path = Path::new("../../examples").join(name);
        let lab = formats::read(&path, &Options::default()).unwrap_or_else(|e| panic!("{e}"));
        assert!(lab.diagnostics.is_empty(), "{}", lab.diagnostics);
        common::convert_and_compare(&path);
    }
}
