//! What a test is about, in a few words: the name of a check that has none.

use lab::Test;

/// Puts it in words.
pub(crate) fn describe(test: &Test) -> String {
    let node = test.node();
    match test {
        Test::Reaches { from, to } => format!("{from} reaches {to}"),
        Test::NotReaches { from, to } => format!("{from} does not reach {to}"),
        Test::Node { node } => format!("there is {node}"),
        other => format!("{node}: {}", about(other)),
    }
}

fn no(absent: bool) -> &'static str {
    if absent { "no " } else { "" }
}

fn about(test: &Test) -> String {
    match test {
        Test::Route { to, absent, .. } => format!("{}route to {to}", no(*absent)),
        Test::RouteCount { count, .. } => format!("{count} routes"),
        Test::Routes { .. } => "routing table".into(),
        Test::Daemon { name, absent, .. } => {
            let runs = if *absent { "does not run" } else { "runs" };
            format!("{name} {runs}")
        }
        Test::Address {
            interface, address, ..
        } => format!("{interface} has {address}"),
        Test::Plugged {
            interface, segment, ..
        } => format!("{interface} on {segment}"),
        Test::Bridge { interfaces, .. } => {
            let names: Vec<&str> = interfaces.keys().map(String::as_str).collect();
            format!("{} on one bridge", names.join(", "))
        }
        Test::Vtep { vni, address, .. } => format!("VXLAN {vni} from {address}"),
        Test::Command { run, .. } => format!("`{run}`"),
        Test::Sysctl { key, value, .. } => format!("{key} = {value}"),
        Test::StartupScript { .. } => "startup script".into(),
        Test::Startup { .. } => "startup without failed commands".into(),
        other => about_service(other),
    }
}

fn about_service(test: &Test) -> String {
    match test {
        Test::Dns {
            name,
            record,
            server,
            ..
        } => {
            let kind = record.map_or("A".into(), |r| format!("{r:?}").to_uppercase());
            let server = server.map(|s| format!(" of {s}")).unwrap_or_default();
            format!("{kind} record of {name}{server}")
        }
        Test::Nameserver { server, .. } => format!("name server {server}"),
        Test::DnsAuthority {
            zone,
            server,
            authority,
            ..
        } => format!("{server} says that {authority} serves {zone}"),
        Test::Http { url, method, .. } => match method.as_deref() {
            None | Some("GET") => url.clone(),
            Some(method) => format!("{method} {url}"),
        },
        Test::Bgp { neighbors, .. } => match neighbors.as_slice() {
            [one] => format!("BGP neighbour {}", one.ip),
            several => format!("{} BGP neighbours", several.len()),
        },
        Test::BgpNetwork {
            network, absent, ..
        } => format!("BGP announces {}{network}", no(*absent)),
        Test::BgpRoute { network, .. } => format!("BGP paths to {network}"),
        Test::EvpnNeighbor { ip, .. } => format!("EVPN neighbour {ip}"),
        Test::OspfNeighbor { router_id, .. } => format!("OSPF neighbour {router_id}"),
        Test::OspfRoute { network, .. } => format!("OSPF route to {network}"),
        Test::OspfInterface { interface, .. } => format!("OSPF on {interface}"),
        Test::Redistributes {
            into, from, absent, ..
        } => format!("{into} takes in {}{from}", no(*absent)),
        Test::Configured {
            daemon,
            line,
            absent,
            ..
        } => format!("{daemon} has {}line `{line}`", no(*absent)),
        _ => "structure".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_and_what() {
        let test = Test::Route {
            node: "r1".into(),
            to: "default".into(),
            via: Vec::new(),
            absent: true,
            exact: false,
        };
        assert_eq!(describe(&test), "r1: no route to default");
        let [from, to] = ["pc1".to_string(), "r1".to_string()];
        assert_eq!(describe(&Test::Reaches { from, to }), "pc1 reaches r1");
    }
}
