use std::collections::BTreeSet;

use diag::{Level, Source};

use super::judge;
use crate::{Feature, Host, Need, Wanted};

fn need(node: &str, wanted: Wanted, certain: bool) -> Need {
    let source = Source::new(format!("{node}.startup"), "ip link add v type vlan id 5\n");
    Need {
        node: node.into(),
        wanted,
        certain,
        place: Some(source.at(0..28)),
    }
}

fn judged(needs: &[Need], without: &[&str]) -> diag::Diagnostics {
    let features: BTreeSet<Feature> = [Feature::Veth, Feature::Bridge].into();
    let without: Vec<String> = without.iter().map(|w| (*w).to_string()).collect();
    let host = Host {
        features: &features,
        has_program: &|name| name == "ip",
        without: &without,
    };
    judge(needs, &host)
}

#[test]
fn a_missing_feature_is_named_with_nodes_place_and_way_out() {
    let vlan = Wanted::Feature(Feature::Vlan);
    let needs: Vec<Need> = (0..7)
        .map(|i| need(&format!("s{i}"), vlan.clone(), true))
        .collect();
    let text = judged(&needs, &[]).render(false);
    assert_eq!(text.matches("error").count(), 1, "{text}");
    for words in [
        "s0, s1, s2, s3 and 3 more need",
        "`vlan`",
        "s0.startup:1:1",
        "--without vlan",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn what_may_not_be_needed_or_is_waived_is_a_warning() {
    let may = [need("a", Wanted::Feature(Feature::Netem), false)];
    assert!(!judged(&may, &[]).has_errors());
    let must = [need("a", Wanted::Feature(Feature::Netem), true)];
    assert!(judged(&must, &[]).has_errors());
    let list = judged(&must, &["netem"]);
    assert_eq!(list.of(Level::Warning).count(), 1);
    assert!(!list.has_errors());
    assert!(judged(&[need("a", Wanted::Feature(Feature::Bridge), true)], &[]).is_empty());
}

#[test]
fn missing_programs_are_one_line_with_one_command() {
    let needs = [
        need("a", Wanted::Program("ifconfig".into()), true),
        need("b", Wanted::Program("route".into()), true),
        need("b", Wanted::Program("ip".into()), true),
        need("b", Wanted::Program("sometimes".into()), false),
        need("c", Wanted::Service("bind9".into()), true),
        need("c", Wanted::Service("networking".into()), true),
        need("d", Wanted::Service("nobody-knows".into()), true),
    ];
    let list = judged(&needs, &[]);
    let text = list.render(false);
    assert_eq!(list.of(Level::Error).count(), 1, "{text}");
    assert_eq!(list.of(Level::Warning).count(), 2, "{text}");
    assert!(text.contains("telaio tools add bind9 net-tools"), "{text}");
    assert!(text.contains("`ifconfig` (a), `route` (b)"), "{text}");
    assert!(!text.contains("sometimes"), "{text}");
    assert!(!judged(&needs, &["x,bind9"]).has_errors());
}
