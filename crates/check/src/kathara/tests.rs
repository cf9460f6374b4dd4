//! Correction files, read whole.

use std::collections::BTreeMap;
use std::path::PathBuf;

use diag::Level;

use super::*;

/// Everything that can stand in a correction file, once.
const ALL: &str = r#"
labs_path: labs
convergence_time: "12.5"
structure: template.conf
default_image: kathara/frr
test:
  requiring_startup: [r1, r2]
  ipv6_enabled: [r1]
  sysctls:
    r1: [net.ipv4.ip_forward=1]
  ip_mapping:
    r1: {0: 10.0.0.1/24, lo: "2001:db8::1/128", eth2: 10.2.0.1/255.255.0.0}
    ns: {eth0: 10.0.0.53/24}
    cache: {eth0: 10.0.0.54/24}
  bridges:
    s1:
      - interfaces: {eth0: {vlan_tags: [10, 20]}, eth1: {pvid: 10}}
        vxlan: {100: {pvid: 10}}
  reachability:
    r1: [10.0.0.2, "!10.9.9.9", www.net]
  daemons:
    r1: [bgpd, "!watchfrr"]
  kernel_routes:
    r1: [0.0.0.0/0, [10.1.0.0/16, [eth0, 10.0.0.2]]]
    r2: [10.1.0.0/16, "!10.2.0.0/16"]
  protocols:
    ripd:
      injections: {r1: [bgp, "!connected metric 2"]}
      networks: {r1: [10.0.0.0/8]}
    bgpd:
      neighbors:
        r1: [{ip: 10.0.0.2, asn: 2}, {ip: "2001:db8::2", asn: 3}]
        r2: [{ip: 10.0.0.1, asn: 1}, {ip: eth1, asn: 4}]
      peerings: {r3: [10.0.0.1]}
      networks: {r1: [10.1.0.0/16, "2001:db8::/32"]}
      routes: {r1: [{route: 10.1.0.0/16, aspath: [[2, 3], [""]]}]}
      injections: {r1: ["!connected"]}
      evpn_sessions: {l1: [10.0.0.9], s1: [10.0.0.9]}
      vtep_devices: {l1: {ip: 10.0.0.8, vnis: [100, "200"]}}
    ospfd:
      neighbors: {r1: [{router_id: 2.2.2.2}]}
      routes: {r1: [{route: 10.0.0.0/24}, 10.1.0.0/24]}
      interfaces: {r1: {eth0: {cost: 10, state: DR}}}
    sciond:
      address: {r1: "1-ff00:0:1,127.0.0.1"}
      paths: {r1: {"1-ff00:0:4": ["1-ff00:0:1 2>3 1-ff00:0:4"]}}
  applications:
    dns:
      authoritative: {".": [10.0.0.53], net: [10.0.0.53]}
      local_ns: {10.0.0.54: [pc1, pc2]}
      records:
        A: {www.net: [10.0.0.2]}
        PTR: {10.0.0.2: [www.net.]}
        SRV: {_x._tcp.net: [0 0 80 www.net.]}
      reachability: {www.net: [pc1]}
    http:
      pc1: [{url: "http://www.net/", method: post, status_code: 404, regex_body: a+, body_contains: x}]
  custom_commands:
    pc1: [{command: uname -s, regex_match: "^Linux$", output: Linux, exit_code: 0}]
"#;

fn all() -> Correction {
    let (correction, warnings) = read(&Source::new("c.yaml", ALL)).unwrap();
    let told: Vec<_> = warnings.iter().map(|w| w.message.as_str()).collect();
    assert!(
        matches!(told.as_slice(), [one] if one.contains("`reachability` below `dns`")),
        "{told:?}"
    );
    correction
}

/// The kind of a test, as files name it.
fn kind(check: &Check) -> String {
    let value = serde_json::to_value(&check.test).unwrap();
    value.as_object().unwrap().keys().next().unwrap().clone()
}

fn kinds(checks: &[Check]) -> BTreeMap<String, usize> {
    let mut out = BTreeMap::new();
    for check in checks {
        *out.entry(kind(check)).or_default() += 1;
    }
    out
}

fn named<'c>(correction: &'c Correction, name: &str) -> &'c Test {
    let found = correction
        .checks
        .iter()
        .find(|c| c.name.as_deref() == Some(name));
    let names = || {
        correction
            .checks
            .iter()
            .filter_map(|c| c.name.as_deref())
            .collect::<Vec<_>>()
    };
    &found
        .unwrap_or_else(|| panic!("no {name} in {:#?}", names()))
        .test
}

fn as_json(test: &Test) -> serde_json::Value {
    serde_json::to_value(test).unwrap()
}

#[test]
fn the_head() {
    let correction = all();
    assert_eq!(correction.labs_path, Some("labs".into()));
    assert_eq!(correction.structure, Some("template.conf".into()));
    assert_eq!(correction.convergence_time, Some(12.5));
    assert_eq!(correction.default_image.as_deref(), Some("kathara/frr"));
    assert_eq!(correction.lab_inline, None);
}

#[test]
fn every_family_becomes_checks() {
    let wanted = [
        ("address", 5),
        ("bgp", 2),
        ("bgp_network", 2),
        ("bgp_route", 1),
        ("bridge", 1),
        ("command", 7),
        ("configured", 4),
        ("daemon", 2),
        ("dns", 4),
        ("dns_authority", 4),
        ("evpn_neighbor", 2),
        ("http", 1),
        ("nameserver", 2),
        ("not_reaches", 1),
        ("ospf_interface", 1),
        ("ospf_neighbor", 1),
        ("ospf_route", 2),
        ("reaches", 2),
        ("redistributes", 2),
        ("route", 2),
        ("routes", 1),
        ("startup_script", 2),
        ("sysctl", 2),
        ("vtep", 2),
    ];
    let wanted = wanted.map(|(kind, count)| (kind.to_string(), count));
    assert_eq!(kinds(&all().checks), BTreeMap::from(wanted));
}

#[test]
fn addresses_by_number_name_and_mask() {
    let correction = all();
    for name in [
        "r1: eth0 has the address 10.0.0.1/24",
        "r1: lo has the address 2001:db8::1/128",
        "r1: eth2 has the address 10.2.0.1/16",
    ] {
        named(&correction, name);
    }
}

#[test]
fn a_whole_table_or_single_routes() {
    let correction = all();
    let Test::Routes { routes, .. } = named(
        &correction,
        "r1: the routing table has exactly its 2 routes",
    ) else {
        panic!("not a table");
    };
    assert_eq!(routes[1].via[0].dev.as_deref(), Some("eth0"));
    assert_eq!(routes[1].via[1].gateway, Some("10.0.0.2".parse().unwrap()));
    let absent = named(&correction, "r2: there is no route to 10.2.0.0/16");
    assert!(
        matches!(absent, Test::Route { absent: true, .. }),
        "{absent:?}"
    );
    named(&correction, "r2: there is a route to 10.1.0.0/16");
}

#[test]
fn neighbours_are_all_there_are_unless_one_has_no_address() {
    let correction = all();
    let exact = named(
        &correction,
        "r1: the BGP neighbours are exactly 10.0.0.2, 2001:db8::2",
    );
    assert!(matches!(exact, Test::Bgp { exact: true, neighbors, .. } if neighbors.len() == 2));
    let others = named(&correction, "r2: the BGP neighbours are 10.0.0.1");
    assert!(matches!(others, Test::Bgp { exact: false, .. }));
    let Test::Command { run, matches, .. } = named(
        &correction,
        "r2: BGP session with eth1 of AS 4 is established",
    ) else {
        panic!("not a command");
    };
    assert_eq!(run, "vtysh -c 'show bgp neighbors eth1 json'");
    let pattern = regex::Regex::new(matches.as_deref().unwrap()).unwrap();
    let told =
        |asn, state| format!("{{\"eth1\":{{\n\"remoteAs\":{asn},\n\"bgpState\":\"{state}\"}}}}");
    assert!(pattern.is_match(&told(4, "Established")));
    assert!(!pattern.is_match(&told(40, "Established")));
    assert!(!pattern.is_match(&told(4, "Active")));
}

#[test]
fn paths_sources_and_negations() {
    let correction = all();
    let route = named(&correction, "r1: BGP knows 10.1.0.0/16 over 2 paths");
    assert!(matches!(route, Test::BgpRoute { paths, .. } if *paths == [vec![2, 3], vec![]]));
    let not = named(&correction, "r1: bgpd does not take in connected routes");
    assert_eq!(as_json(not)["redistributes"]["absent"], true);
    let metric = named(
        &correction,
        "r1: ripd does not take in connected metric 2 routes",
    );
    assert_eq!(
        as_json(metric)["configured"]["line"],
        r"^redistribute\s+connected\s+metric\s+2(\s|$)"
    );
    let silent = named(&correction, "s1: bgpd does not announce its VXLANs");
    assert_eq!(as_json(silent)["configured"]["absent"], true);
    named(&correction, "l1: bgpd announces its VXLANs");
}

#[test]
fn zones_are_asked_where_their_servers_are() {
    let correction = all();
    let zone = named(
        &correction,
        "ns: 10.0.0.53 is the authority for zone `net`, as 10.0.0.53 says",
    );
    assert_eq!(zone.node(), "ns");
    let root = named(
        &correction,
        "cache: 10.0.0.53 is the authority for zone `.`, as 10.0.0.54 says",
    );
    assert_eq!(root.node(), "cache");
    let reverse = named(&correction, "pc2: the PTR record of 10.0.0.2 is www.net.");
    assert_eq!(as_json(reverse)["dns"]["name"], "2.0.0.10.in-addr.arpa");
}

#[test]
fn json_is_read_as_well() {
    let text = "{\n\t\"structure\": \"s\",\n\t\"test\": {\"daemons\": {\"r1\": [\"!x\"]}}\n}";
    let source = Source::new("c.json", text);
    assert!(is_correction(&source));
    let (correction, _) = read(&source).unwrap();
    assert!(matches!(
        &correction.checks[0].test,
        Test::Daemon { absent: true, .. }
    ));
}

#[test]
fn native_files_are_no_corrections() {
    for text in [
        "checks: []\ntest: {}\n",
        "telaio: 1\nnodes: {}\n",
        "a: b\n",
        "[1]",
        ": :\n -",
    ] {
        assert!(!is_correction(&Source::new("x", text)), "{text}");
    }
}

/// Lines and levels of what is said of a text.
fn said(text: &str) -> Vec<(usize, Level)> {
    let source = Source::new("c.yaml", text);
    let list = match read(&source) {
        Ok((_, list)) | Err(list) => list,
    };
    let line = |d: &diag::Diagnostic| (d.place.as_ref().unwrap().line_column().0, d.level);
    assert!(list.iter().all(|d| d.help.is_some()));
    list.iter().map(line).collect()
}

#[test]
fn unknown_keys_are_warnings_at_their_places() {
    use Level::Warning;
    let text = "tests: 1\ntest:\n  daemon: {}\n  protocols:\n    ripd: {x: 1}\n    bgpd:\n      neighbours: {}\n";
    assert_eq!(
        said(text),
        [(1, Warning), (3, Warning), (5, Warning), (7, Warning)]
    );
    assert_eq!(said("structure: x\n"), [(1, Warning)]);
    let text = "test:\n  custom_commands:\n    a:\n      - command: ls\n";
    assert_eq!(said(text), [(4, Warning)]);
}

#[test]
fn bad_values_are_errors_at_their_places() {
    let lines = [
        "  ip_mapping: {a: {0: 10.0.0.300/24}}",
        "  kernel_routes: {a: [nowhere]}",
        "  kernel_routes: {a: [[10.0.0.0/8, [eth0], x]]}",
        "  daemons: {a: bgpd}",
        "  daemons: [bgpd]",
        "  daemons: {a: ['(']}",
        "  sysctls: {a: [net.ipv4.ip_forward]}",
        "  custom_commands: {a: [{command: ls, regex_match: '('}]}",
        "  custom_commands: {a: [{output: x}]}",
        "  custom_commands: {a: [{command: ls, exit_code: no}]}",
        "  protocols: {bgpd: {neighbors: {a: [{ip: 10.0.0.1}]}}}",
        "  protocols: {bgpd: {neighbors: {a: [{ip: \"a'b\", asn: 1}]}}}",
        "  protocols: {bgpd: {routes: {a: [{route: 10.0.0.0/8, aspath: [[x]]}]}}}",
        "  applications: {dns: {authoritative: {net: [10.0.0.1]}}}",
        "  applications: {dns: {local_ns: {x: [a]}}}",
        "  applications: {http: {a: [{method: GET}]}}",
        "  bridges: {a: [{interfaces: {eth0: {pvid: x}}}]}",
    ];
    for line in lines {
        let errors = said(&format!("test:\n{line}\n"));
        assert_eq!(errors, [(2, Level::Error)], "{line}");
    }
    assert_eq!(
        said("convergence_time: soon\ntest: {}\n"),
        [(1, Level::Error)]
    );
}

#[test]
fn commands_are_words_and_patterns_may_look_around() {
    let text = "test:\n  custom_commands:\n    a:\n      - {command: 'echo $HOME', regex_match: '^(?!x)'}\n";
    let (correction, _) = read(&Source::new("c.yaml", text)).unwrap();
    let command = as_json(&correction.checks[0].test);
    assert_eq!(command["command"]["run"], "echo '$HOME'");
    assert_eq!(command["command"]["matches"], "^(?!x)");
}

#[test]
fn nothing_is_no_mistake() {
    let text = "labs_path:\ntest:\n  daemons:\n  ip_mapping: {a: }\n  requiring_startup: []\n";
    let (correction, warnings) = read(&Source::new("c.yaml", text)).unwrap();
    assert!(correction.checks.is_empty() && warnings.is_empty());
}

#[test]
fn the_structure_is_devices_and_then_collision_domains() {
    let mut expected = Lab::default();
    for name in ["r1", "r2"] {
        let mut node = lab::Node::default();
        let plugged = lab::Interface {
            segment: Some("A".into()),
            ..lab::Interface::default()
        };
        node.interfaces.insert("eth0".into(), plugged);
        node.interfaces
            .insert("eth1".into(), lab::Interface::default());
        expected.nodes.insert(name.into(), node);
    }
    let checks = Correction::structure_checks(&expected);
    let names: Vec<&str> = checks.iter().filter_map(|c| c.name.as_deref()).collect();
    assert_eq!(
        names,
        [
            "the lab has a device r1",
            "the lab has a device r2",
            "r1: eth0 is on collision domain A",
            "r2: eth0 is on collision domain A",
        ]
    );
}

fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("TELAIO_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
        PathBuf::from,
    );
    let folder = folder.join("kathara-lab-checker/examples");
    folder.is_dir().then_some(folder)
}

#[test]
fn examples_of_the_tool() {
    let Some(folder) = corpus() else {
        eprintln!("skipped: no corpus with kathara-lab-checker's examples");
        return;
    };
    let examples: [(&str, &[(&str, usize)]); 3] = [
        (
            "bgp_ipv4_ipv6/correction.yaml",
            &[
                ("address", 18),
                ("bgp", 6),
                ("bgp_network", 6),
                ("daemon", 6),
                ("startup_script", 6),
            ],
        ),
        (
            "ospf_http/correction.yaml",
            &[
                ("http", 2),
                ("ospf_interface", 4),
                ("ospf_neighbor", 4),
                ("ospf_route", 6),
                ("startup_script", 3),
            ],
        ),
        (
            "palabra/correction.json",
            &[
                ("address", 22),
                ("bgp", 6),
                ("bgp_network", 6),
                ("daemon", 19),
                ("dns_authority", 4),
                ("nameserver", 7),
                ("reaches", 220),
                ("redistributes", 18),
                ("routes", 9),
                ("startup_script", 10),
            ],
        ),
    ];
    for (name, wanted) in examples {
        let source = Source::read(&folder.join(name)).unwrap();
        assert!(is_correction(&source), "{name}");
        let (correction, warnings) = read(&source).unwrap();
        let others = warnings
            .iter()
            .filter(|w| !w.message.contains("`reachability` below `dns`"));
        assert_eq!(others.count(), 0, "{}", warnings.render(false));
        let wanted = wanted
            .iter()
            .map(|(kind, count)| (kind.to_string(), *count));
        assert_eq!(kinds(&correction.checks), wanted.collect(), "{name}");
        assert!(correction.structure.is_some() || correction.lab_inline.is_some());
    }
}
