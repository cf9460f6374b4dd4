use std::collections::BTreeMap;
use std::fs;

use lab::{Lab, Node, Snapshot};
use sys::features::{Features, Limits, Trial};

use super::{Offer, Report, of_lab};

fn trial(works: bool) -> Trial {
    Trial {
        works,
        detail: if works { "" } else { "not permitted" }.into(),
    }
}

/// A host where everything works but what is named.
fn host(failing: &[&str]) -> Features {
    let is = |name: &str| trial(!failing.contains(&name));
    let kernel = plan::Feature::ALL
        .iter()
        .map(|f| (f.name().to_string(), is(f.name())));
    Features {
        release: "6.1".into(),
        root: false,
        user_namespaces: is("user_namespaces"),
        capabilities: is("capabilities"),
        overlay: is("overlay"),
        proc: is("proc"),
        sysfs: is("sysfs"),
        seccomp: is("seccomp"),
        idmapped: is("idmapped"),
        ebpf: is("ebpf"),
        tun: is("tun"),
        kvm: is("kvm"),
        cgroups: is("cgroups"),
        subordinate_ids: is("subordinate_ids"),
        kernel: kernel.collect::<BTreeMap<_, _>>(),
        limits: Limits::default(),
    }
}

#[test]
fn a_good_host_has_nothing_to_mend() {
    let report = Report::of(&host(&[]));
    assert!(report.usable());
    let text = report.text(false);
    assert!(
        !text.contains("mend:") && !text.contains('\u{1b}'),
        "{text}"
    );
    assert!(report.text(true).contains('\u{1b}'));
}

#[test]
fn what_is_missing_has_its_consequence_and_mend() {
    let report = Report::of(&host(&["subordinate_ids", "netem"]));
    assert!(report.usable());
    let text = report.text(false);
    for words in ["limited  subordinate ids", "telaio setup", "without netem"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    for needed in ["user_namespaces", "capabilities", "overlay", "proc", "veth"] {
        let report = Report::of(&host(&[needed]));
        assert!(!report.usable(), "{needed}");
        assert_eq!(report.json()["usable"], false);
        assert!(report.text(false).contains("labs cannot run here"));
    }
    // one filter of three is enough
    assert!(Report::of(&host(&["u32", "matchall"])).usable());
    assert!(!Report::of(&host(&["u32", "matchall", "cls_bpf"])).usable());
}

#[test]
fn programs_are_found_in_layers_and_on_the_host() {
    let layer = tempfile::tempdir().unwrap();
    fs::create_dir_all(layer.path().join("usr/lib/x")).unwrap();
    fs::create_dir_all(layer.path().join("usr/sbin")).unwrap();
    fs::write(layer.path().join("usr/lib/x/daemon"), "").unwrap();
    fs::write(layer.path().join("usr/sbin/of-the-layer"), "").unwrap();
    let offer = Offer::of(&host(&[]), &[layer.path().into()]);
    let has = |name: &str| offer.ask(|h| (h.has_program)(name), &[]);
    assert!(has("of-the-layer") && has("/usr/sbin/of-the-layer") && has("/usr/lib/x/daemon"));
    assert!(has("env") && has("/usr/bin/env") && has("/bin/env"));
    assert!(!has("no-such-program-at-all") && !has("daemon"));
}

#[test]
fn a_lab_is_judged_by_its_scripts() {
    let mut lab = Lab::default();
    lab.nodes.insert("n".into(), Node::default());
    let mut snapshot = Snapshot::default();
    let text = b"ip link add v type vlan id 1 link eth0\nservice no-such-service start\n";
    let blob = snapshot.blob(text.to_vec());
    snapshot
        .startup
        .insert("n".into(), vec![("n.startup".into(), blob)]);
    let (size, list) = of_lab(&lab, &snapshot, &host(&["vlan"]), &[], &[]);
    assert_eq!(size.nodes, 1);
    assert!(list.has_errors());
    let without = ["vlan".to_string()];
    let (_, list) = of_lab(&lab, &snapshot, &host(&["vlan"]), &[], &without);
    assert!(!list.has_errors(), "{}", list.render(false));
}
