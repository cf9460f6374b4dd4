//! Tests of bridges inside devices, their VLANs and VXLANs.

use diag::yaml::Tree;
use indexmap::IndexMap;
use lab::{BridgePort, Test};

use super::reader::Reader;

const VLAN: &str = "a VLAN";
const VLAN_HELP: &str = "a number from 1 to 4094";

/// `device: [{interfaces: {name: {vlan_tags: […], pvid}}, vxlan: {vni: {pvid}}}, …]`.
pub(super) fn bridges(reader: &mut Reader<'_>, tree: &Tree) {
    for (node, item) in reader.pairs(tree, "bridges") {
        let item = reader.fields(item, "bridges", &["interfaces", "vxlan"]);
        let Some(list) = reader.needed(item, "interfaces") else {
            continue;
        };
        let interfaces: IndexMap<String, BridgePort> = reader
            .entries(list, "interfaces")
            .iter()
            .map(|(key, value)| (key.text.clone(), port(reader, value)))
            .collect();
        let vxlan = item.get("vxlan").map(|t| vxlans(reader, t));
        let names: Vec<&str> = interfaces.keys().map(String::as_str).collect();
        let name = format!("{node}: {} are ports of one bridge", names.join(", "));
        let test = Test::Bridge {
            node: node.into(),
            interfaces,
            vxlan: vxlan.unwrap_or_default(),
        };
        reader.add(name, test);
    }
}

fn port(reader: &mut Reader<'_>, tree: &Tree) -> BridgePort {
    let tree = reader.fields(tree, "interfaces", &["vlan_tags", "pvid"]);
    let vlans = tree.get("vlan_tags").map(|list| {
        let items = reader.items(list, "vlan_tags").iter();
        items
            .filter_map(|t| reader.parse(t, VLAN, VLAN_HELP))
            .collect()
    });
    let pvid = tree
        .get("pvid")
        .and_then(|t| reader.parse(t, VLAN, VLAN_HELP));
    BridgePort { vlans, pvid }
}

fn vxlans(reader: &mut Reader<'_>, tree: &Tree) -> IndexMap<String, u16> {
    let mut out = IndexMap::new();
    for (key, value) in reader.entries(tree, "vxlan") {
        if key.text.parse::<u32>().is_err() {
            let message = format!("`{}` is no number of a VXLAN", key.text);
            reader.error(value, &message, "such as `10: {pvid: 2}`");
            continue;
        }
        let value = reader.fields(value, "vxlan", &["pvid"]);
        let pvid = reader.needed(value, "pvid");
        if let Some(pvid) = pvid.and_then(|t| reader.parse(t, VLAN, VLAN_HELP)) {
            out.insert(key.text.clone(), pvid);
        }
    }
    out
}
