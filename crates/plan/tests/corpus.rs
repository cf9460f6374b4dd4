//! What real labs need, where there is a folder of them (`TELAIO_CORPUS`).

#![expect(clippy::print_stderr, reason = "says why it is skipped")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use diag::Level;
use plan::{Feature, Host, Need, Wanted};

/// Features that small kernels lack.
const LACKING: &[Feature] = &[
    Feature::Bond,
    Feature::Dummy,
    Feature::Gre,
    Feature::Ipip,
    Feature::Mpls,
    Feature::Netem,
    Feature::Sit,
    Feature::Vlan,
    Feature::VlanFiltering,
    Feature::Vrf,
];

/// Labs that cannot do their work without one of these, by the end of their path.
const REFUSED: &[(&str, &[Feature])] = &[
    (
        "kathara-lab_data-center-vxlan",
        &[Feature::Bond, Feature::VlanFiltering],
    ),
    (
        "kathara-lab_data-center-vxlan-no-bond",
        &[Feature::VlanFiltering],
    ),
    ("kathara-lab_bgp-transit-as-tunnel-ipip", &[Feature::Ipip]),
    ("traffic-control/fixed-delay/lab", &[Feature::Netem]),
    ("traffic-control/packet-loss/lab", &[Feature::Netem]),
    ("netkit-cnp3/netkit-lab_bgp", &[Feature::Netem]),
];

fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("TELAIO_CORPUS").map_or(beside, PathBuf::from);
    let there = folder.is_dir();
    if !there {
        eprintln!("skipped: no folder of real labs at {}", folder.display());
    }
    there.then_some(folder)
}

/// Folders of labs below a folder.
fn labs(folder: &Path, out: &mut Vec<PathBuf>) {
    if folder.join("lab.conf").is_file() {
        out.push(folder.to_path_buf());
    }
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|e| e.path()).collect();
    folders.sort();
    for path in folders
        .into_iter()
        .filter(|p| p.is_dir() && !p.is_symlink())
    {
        labs(&path, out);
    }
}

fn needs_of_all() -> Option<BTreeMap<PathBuf, Vec<Need>>> {
    let corpus = corpus()?;
    let mut folders = Vec::new();
    for name in [
        "kathara-labs",
        "kathara-lab-checker",
        "netkit-cnp3",
        "netkit-lgrcyanny",
    ] {
        labs(&corpus.join(name), &mut folders);
    }
    assert!(folders.len() > 40, "only {} labs", folders.len());
    let options = formats::Options {
        outside: true,
        ..formats::Options::default()
    };
    let mut out = BTreeMap::new();
    for folder in folders {
        match formats::read(&folder, &options) {
            Ok(read) => drop(out.insert(folder, plan::needs(&read.lab, &read.snapshot))),
            Err(e) => eprintln!("{}: not read:\n{}", folder.display(), e.render(false)),
        }
    }
    Some(out)
}

fn judged(needs: &[Need], lacking: &[Feature], has: &dyn Fn(&str) -> bool) -> diag::Diagnostics {
    let has_feature = |f: &&Feature| !lacking.contains(f);
    let features: BTreeSet<Feature> = Feature::ALL.iter().filter(has_feature).copied().collect();
    let host = Host {
        features: &features,
        has_program: has,
        without: &[],
    };
    plan::judge(needs, &host)
}

#[test]
fn labs_are_refused_for_what_they_need_and_no_others_are() {
    let Some(all) = needs_of_all() else { return };
    let mut refused = 0;
    for (folder, needs) in &all {
        let list = judged(needs, LACKING, &|_| true);
        let text: String = list
            .of(Level::Error)
            .map(|d| format!("{}\n", d.message))
            .collect();
        let expected = REFUSED.iter().find(|(end, _)| folder.ends_with(end));
        match expected {
            None => assert_eq!(text, "", "{}", folder.display()),
            Some((_, features)) => {
                refused += 1;
                for feature in *features {
                    assert!(
                        text.contains(&format!("`{feature}`")),
                        "{}: {text}",
                        folder.display()
                    );
                }
                assert_eq!(
                    text.lines().count(),
                    features.len(),
                    "{}: {text}",
                    folder.display()
                );
            }
        }
    }
    assert_eq!(refused, REFUSED.len());
    for (folder, needs) in &all {
        assert!(
            !judged(needs, &[], &|_| true).has_errors(),
            "{}",
            folder.display()
        );
    }
}

#[test]
fn programs_that_real_labs_call_have_packages() {
    let Some(all) = needs_of_all() else { return };
    let mut unknown: BTreeMap<&str, String> = BTreeMap::new();
    for need in all.values().flatten() {
        let (Wanted::Program(name) | Wanted::Service(name)) = &need.wanted else {
            continue;
        };
        if lab::packages::package_of(name).is_none() {
            let place = need.place.as_ref().map(ToString::to_string);
            unknown.insert(name, place.unwrap_or_default());
        }
    }
    // what every host has
    let basic: BTreeSet<&str> = BASIC.iter().copied().collect();
    unknown.retain(|name, _| !basic.contains(name));
    assert!(unknown.is_empty(), "{unknown:#?}");
}

/// Programs of packages that every Debian has.
const BASIC: &[&str] = &["cat", "chmod"];
