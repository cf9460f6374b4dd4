//! Tests of DNS and of web servers.

use std::collections::HashMap;
use std::net::IpAddr;

use diag::yaml::Tree;
use lab::{Record, Test};

use super::reader::{Reader, entries_of, items_of, net, quoted};

const DNS: [&str; 4] = ["authoritative", "local_ns", "records", "reachability"];
const HTTP: [&str; 5] = [
    "url",
    "method",
    "status_code",
    "regex_body",
    "body_contains",
];

/// `{dns: {…}, http: {…}}`; devices are found by their addresses in `ip_mapping`.
pub(super) fn applications(reader: &mut Reader<'_>, tree: &Tree, ip_mapping: Option<&Tree>) {
    reader.fields(tree, "applications", &["dns", "http"]);
    if let Some(tests) = tree.get("dns") {
        dns(reader, tests, &owners(ip_mapping));
    }
    if let Some(tests) = tree.get("http") {
        for (node, item) in reader.pairs(tests, "http") {
            http(reader, node, item);
        }
    }
}

/// The devices that have an address, by it; the first one where several have it.
fn owners(ip_mapping: Option<&Tree>) -> HashMap<IpAddr, &str> {
    let mut out = HashMap::new();
    let devices = ip_mapping.map(entries_of).unwrap_or_default();
    for (node, interfaces) in devices {
        for (_, value) in entries_of(interfaces) {
            for address in items_of(value).iter().filter_map(|t| net(t.text()?.trim())) {
                out.entry(address.addr()).or_insert(node.text.as_str());
            }
        }
    }
    out
}

fn dns(reader: &mut Reader<'_>, tests: &Tree, owners: &HashMap<IpAddr, &str>) {
    reader.fields(tests, "dns", &DNS);
    let local = tests.get("local_ns").map(|t| local_servers(reader, t));
    let local = local.unwrap_or_default();
    if let Some(tree) = tests.get("authoritative") {
        for (zone, list) in reader.entries(tree, "authoritative") {
            authorities(reader, &zone.text, list, &local, owners);
        }
    }
    for (server, devices) in &local {
        for item in reader.items(devices, "local_ns") {
            name_server(reader, *server, item);
        }
    }
    if let Some(tree) = tests.get("records") {
        records(reader, tree, &clients(&local));
    }
    if let Some(tree) = tests.get("reachability") {
        // documented for older releases; its newer ones, whose verdicts count, pass over it
        reader.warn(
            &tree.span,
            "kathara-lab-checker passes over `reachability` below `dns`, and so does this",
            "write it one level higher, as `reachability: {pc1: [www.net]}` of `test`",
        );
    }
}

/// The devices that have a local name server, each once.
fn clients<'t>(local: &[(IpAddr, &'t Tree)]) -> Vec<&'t str> {
    let mut out = Vec::new();
    let all = local.iter().flat_map(|(_, devices)| items_of(devices));
    for client in all.filter_map(Tree::text) {
        if !out.contains(&client) {
            out.push(client);
        }
    }
    out
}

/// `{server: [device, …]}`.
fn local_servers<'t>(reader: &mut Reader<'_>, tree: &'t Tree) -> Vec<(IpAddr, &'t Tree)> {
    let mut out = Vec::new();
    for (key, devices) in reader.entries(tree, "local_ns") {
        match key.text.trim().parse() {
            Ok(server) => out.push((server, devices)),
            Err(_) => {
                let message = format!("`{}` is no address of a name server", key.text);
                reader.error(devices, &message, "write `address: [devices]`");
            }
        }
    }
    out
}

fn name_server(reader: &mut Reader<'_>, server: IpAddr, item: &Tree) {
    if let Some(node) = reader.text(item, "device") {
        let test = Test::Nameserver {
            node: node.into(),
            server,
        };
        reader.add(format!("{node}: {server} is the name server"), test);
    }
}

/// The servers of a zone, each asked for itself; those of the root are known to each other and
/// to the local name servers too.
fn authorities(
    reader: &mut Reader<'_>,
    zone: &str,
    list: &Tree,
    local: &[(IpAddr, &Tree)],
    owners: &HashMap<IpAddr, &str>,
) {
    let items = reader.items(list, zone);
    let servers: Vec<(IpAddr, &Tree)> = items
        .iter()
        .filter_map(|t| Some((reader.address(t)?, t)))
        .collect();
    for (authority, place) in &servers {
        authority_check(reader, zone, *authority, (*authority, place), owners);
        if zone == "." {
            for asked in servers.iter().chain(local) {
                authority_check(reader, zone, *authority, *asked, owners);
            }
        }
    }
}

fn authority_check(
    reader: &mut Reader<'_>,
    zone: &str,
    authority: IpAddr,
    (server, place): (IpAddr, &Tree),
    owners: &HashMap<IpAddr, &str>,
) {
    let Some(node) = owners.get(&server) else {
        let message = format!("no device in `ip_mapping` has the address {server}");
        let help = "add it there: the check runs on the device that has it";
        return reader.error(place, &message, help);
    };
    let test = Test::DnsAuthority {
        node: (*node).into(),
        zone: zone.into(),
        server,
        authority,
    };
    let name = format!("{node}: {authority} is the authority for zone `{zone}`, as {server} says");
    reader.add(name, test);
}

/// `{type: {name: [answer, …]}}`, asked by every device that has a local name server.
fn records(reader: &mut Reader<'_>, tree: &Tree, clients: &[&str]) {
    if clients.is_empty() && !tree.is_null() {
        let message = "no device asks for these records";
        reader.warn(
            &tree.span,
            message,
            "name the devices in `local_ns`, which ask",
        );
    }
    for (kind, names) in reader.entries(tree, "records") {
        for (name, list) in reader.entries(names, &kind.text) {
            let items = reader.items(list, &name.text);
            let answers: Vec<&str> = items
                .iter()
                .filter_map(|t| reader.text(t, "answer"))
                .map(str::trim)
                .collect();
            if !is_word(&kind.text) {
                let message = format!("`{}` is no type of records", kind.text);
                reader.error(list, &message, "such as A, AAAA, MX, PTR or SRV");
                continue;
            }
            for client in clients {
                record(reader, client, &kind.text, &name.text, &answers);
            }
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn record(reader: &mut Reader<'_>, node: &str, kind: &str, name: &str, answers: &[&str]) {
    let kind = kind.to_uppercase();
    let about = format!(
        "{node}: the {kind} record of {name} is {}",
        answers.join(" or ")
    );
    let test = match record_type(&kind) {
        Some(record) => Test::Dns {
            node: node.into(),
            name: match record {
                Record::Ptr => reverse(name),
                _ => name.into(),
            },
            record: Some(record),
            server: None,
            answer: None,
            only: answers.iter().map(|a| (*a).into()).collect(),
            authoritative: false,
        },
        None => dig(node, &kind, name, answers),
    };
    reader.add(about, test);
}

/// Types of records that the model has no word for are asked for by `dig`.
fn dig(node: &str, kind: &str, name: &str, answers: &[&str]) -> Test {
    let answers: Vec<String> = answers.iter().map(|a| regex::escape(a)).collect();
    Test::Command {
        node: node.into(),
        run: format!("dig +short {kind} {}", quoted(name)),
        matches: Some(format!("^({})$", answers.join("|"))),
        output: None,
        status: None,
    }
}

fn record_type(kind: &str) -> Option<Record> {
    serde_json::from_value(serde_json::Value::String(kind.into())).ok()
}

/// The name under which DNS knows an address; other names as they are (RFC 1035, 3.5, and
/// RFC 3596, 2.5).
fn reverse(name: &str) -> String {
    match name.trim().parse() {
        Ok(IpAddr::V4(a)) => {
            let [a, b, c, d] = a.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        Ok(IpAddr::V6(a)) => {
            let digits = a.octets().map(|o| format!("{:x}.{:x}.", o & 15, o >> 4));
            let reversed: String = digits.into_iter().rev().collect();
            reversed + "ip6.arpa"
        }
        Err(_) => name.into(),
    }
}

/// `{url, method, status_code, regex_body, body_contains}`.
fn http(reader: &mut Reader<'_>, node: &str, item: &Tree) {
    let item = reader.fields(item, "http", &HTTP);
    let Some(url) = reader.needed(item, "url") else {
        return;
    };
    let Some(url) = reader.text(url, "url") else {
        return;
    };
    let status = item
        .get("status_code")
        .and_then(|t| reader.parse(t, "a status of HTTP", "a number, such as 404"));
    let get = |reader: &mut Reader<'_>, key: &str| {
        let value = item.get(key)?;
        reader.text(value, key).map(str::to_string)
    };
    let method = get(reader, "method").map(|m| m.to_uppercase());
    let contains = get(reader, "body_contains");
    let body = item
        .get("regex_body")
        .and_then(|t| reader.regex(t, "regex_body"));
    let verb = method.as_deref().unwrap_or("GET");
    let name = format!("{node}: {verb} {url} gives {}", status.unwrap_or(200));
    let test = Test::Http {
        node: node.into(),
        url: url.into(),
        method,
        status,
        body: body.map(Into::into),
        contains,
    };
    reader.add(name, test);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_addresses() {
        assert_eq!(reverse("3.1.0.2"), "2.0.1.3.in-addr.arpa");
        let six = reverse("2001:db8::1");
        assert!(
            six.starts_with("1.0.0.") && six.ends_with("8.b.d.0.1.0.0.2.ip6.arpa"),
            "{six}"
        );
        assert_eq!(reverse("www.net"), "www.net");
    }

    #[test]
    fn types_of_records() {
        assert_eq!(record_type("AAAA"), Some(Record::Aaaa));
        assert_eq!(record_type("SRV"), None);
    }
}
