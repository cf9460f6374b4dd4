//! Tests of single devices: startup files, addresses, parameters, daemons, routes, reachability,
//! commands.

use diag::yaml::{Tree, Value};
use lab::{ExpectedRoute, NextHop, Test};

use super::reader::{Reader, items_of, negated, net};
use super::words;

/// `[device, …]`: each has a startup file.
pub(super) fn startup(reader: &mut Reader<'_>, tree: &Tree) {
    for item in reader.items(tree, "requiring_startup") {
        if let Some(node) = reader.text(item, "device") {
            let name = format!("{node}: there is a {node}.startup");
            reader.add(name, Test::StartupScript { node: node.into() });
        }
    }
}

/// `[device, …]`: IPv6 is on.
pub(super) fn ipv6(reader: &mut Reader<'_>, tree: &Tree) {
    for item in reader.items(tree, "ipv6_enabled") {
        if let Some(node) = reader.text(item, "device") {
            let test = Test::Sysctl {
                node: node.into(),
                key: "net.ipv6.conf.all.disable_ipv6".into(),
                value: "0".into(),
            };
            reader.add(format!("{node}: IPv6 is on"), test);
        }
    }
}

/// `device: ["key=value", …]`.
pub(super) fn sysctls(reader: &mut Reader<'_>, tree: &Tree) {
    for (node, text, item) in reader.texts(tree, "sysctls") {
        let Some((key, value)) = text.split_once('=') else {
            let message = format!("`{text}` names no value");
            reader.error(item, &message, "such as `net.ipv4.ip_forward=1`");
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        let test = Test::Sysctl {
            node: node.into(),
            key: key.into(),
            value: value.into(),
        };
        reader.add(format!("{node}: {key} is {value}"), test);
    }
}

/// `device: {interface: address/length}`; a number is that of an `eth`.
pub(super) fn addresses(reader: &mut Reader<'_>, tree: &Tree) {
    for (node, interfaces) in reader.entries(tree, "ip_mapping") {
        for (key, value) in reader.entries(interfaces, &node.text) {
            for item in items_of(value) {
                address(reader, &node.text, &interface(&key.text), item);
            }
        }
    }
}

fn interface(key: &str) -> String {
    match !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit()) {
        true => format!("eth{key}"),
        false => key.into(),
    }
}

fn address(reader: &mut Reader<'_>, node: &str, interface: &str, item: &Tree) {
    let Some(text) = reader.text(item, "address") else {
        return;
    };
    let Some(net) = net(text.trim()) else {
        let message = format!("`{text}` is no address with prefix length");
        return reader.error(item, &message, "such as 10.0.0.1/24 or 2001:db8::1/64");
    };
    let test = Test::Address {
        node: node.into(),
        interface: interface.into(),
        address: net.to_string(),
    };
    reader.add(format!("{node}: {interface} has the address {net}"), test);
}

/// `device: [target, "!target", …]`.
pub(super) fn reachability(reader: &mut Reader<'_>, tree: &Tree) {
    for (from, text, _) in reader.texts(tree, "reachability") {
        let (to, not) = negated(text);
        let (from, to) = (from.to_string(), to.to_string());
        match not {
            false => reader.add(format!("{from} reaches {to}"), Test::Reaches { from, to }),
            true => reader.add(
                format!("{from} does not reach {to}"),
                Test::NotReaches { from, to },
            ),
        }
    }
}

/// `device: [name, "!name", …]`, names as `pgrep` takes them.
pub(super) fn daemons(reader: &mut Reader<'_>, tree: &Tree) {
    for (node, text, item) in reader.texts(tree, "daemons") {
        let (name, absent) = negated(text);
        if crate::attempt::regex(name).is_err() {
            let message = format!("`{name}` is no pattern for names of processes");
            reader.error(item, &message, "write the daemon's name, such as `bgpd`");
            continue;
        }
        let verb = if absent { "does not run" } else { "runs" };
        let test = Test::Daemon {
            node: node.into(),
            name: name.into(),
            pattern: true,
            absent,
        };
        reader.add(format!("{node}: {name} {verb}"), test);
    }
}

/// `device: [route, [route, [hop, …]], …]`: exactly these but those to attached networks. A list
/// with a `!route` is of the older kind, where each item stands for itself.
pub(super) fn routes(reader: &mut Reader<'_>, tree: &Tree) {
    for (key, list) in reader.entries(tree, "kernel_routes") {
        let items = reader.items(list, &key.text);
        let read: Vec<(ExpectedRoute, bool)> = items
            .iter()
            .filter_map(|item| route(reader, item))
            .collect();
        let node = &key.text;
        if read.iter().any(|(_, absent)| *absent) {
            for (route, absent) in read {
                single_route(reader, node, route, absent);
            }
            continue;
        }
        if list.is_null() {
            continue;
        }
        let routes: Vec<ExpectedRoute> = read.into_iter().map(|(route, _)| route).collect();
        let name = format!(
            "{node}: the routing table has exactly its {} routes",
            routes.len()
        );
        let node = node.clone();
        reader.add(name, Test::Routes { node, routes });
    }
}

fn single_route(reader: &mut Reader<'_>, node: &str, route: ExpectedRoute, absent: bool) {
    let not = if absent { "no" } else { "a" };
    let name = format!("{node}: there is {not} route to {}", route.to);
    let test = Test::Route {
        node: node.into(),
        to: route.to,
        exact: !route.via.is_empty() && !absent,
        via: route.via,
        absent,
    };
    reader.add(name, test);
}

fn route(reader: &mut Reader<'_>, item: &Tree) -> Option<(ExpectedRoute, bool)> {
    let (to, via) = match &item.value {
        Value::List(parts) => match parts.as_slice() {
            [to] => (to, &[][..]),
            [to, hops] => (to, items_of(hops)),
            _ => {
                let help = "such as [10.0.0.0/8, [eth0, 10.0.0.1]]";
                reader.error(
                    item,
                    "a route in a list has a network and a list of next hops",
                    help,
                );
                return None;
            }
        },
        _ => (item, &[][..]),
    };
    let (text, absent) = negated(reader.text(to, "network")?);
    let to = reader.prefix(to, text)?.to_string();
    let via = via.iter().filter_map(|hop| next_hop(reader, hop)).collect();
    Some((ExpectedRoute { to, via }, absent))
}

fn next_hop(reader: &mut Reader<'_>, tree: &Tree) -> Option<NextHop> {
    let text = reader.text(tree, "next hop")?.trim();
    let gateway = text.parse().ok();
    let dev = gateway.is_none().then(|| text.to_string());
    Some(NextHop { gateway, dev })
}

/// `device: [{command, regex_match, output, exit_code}, …]`.
pub(super) fn commands(reader: &mut Reader<'_>, tree: &Tree) {
    for (node, item) in reader.pairs(tree, "custom_commands") {
        command(reader, node, item);
    }
}

fn command(reader: &mut Reader<'_>, node: &str, item: &Tree) {
    let known = ["command", "regex_match", "output", "exit_code"];
    let item = reader.fields(item, "custom_commands", &known);
    let Some(run) = reader.needed(item, "command") else {
        return;
    };
    let Some(run) = reader.text(run, "command") else {
        return;
    };
    let matches = item
        .get("regex_match")
        .and_then(|t| reader.regex(t, "regex_match"));
    let status = item
        .get("exit_code")
        .and_then(|t| reader.parse(t, "an exit status", "a number, such as 0"));
    let output = item.get("output").and_then(|t| match &t.value {
        Value::Scalar { text, .. } => Some(text.clone()),
        _ => reader.text(t, "output").map(Into::into),
    });
    if known[1..].iter().all(|key| item.get(key).is_none()) {
        let message = "nothing is expected of this command but that it succeeds";
        reader.warn(
            &item.span,
            message,
            "add `regex_match`, `output` or `exit_code`",
        );
    }
    let test = Test::Command {
        node: node.into(),
        run: words::for_bash(run),
        matches: matches.map(Into::into),
        output,
        status,
    };
    reader.add(format!("{node}: `{run}`"), test);
}
