//! Who answers whom, and the addresses that a node has.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Look;
use super::Seen::{self, Right, Wrong};
use crate::probe::{Address, Echo};

impl Look<'_> {
    /// What a target stands for. A node of the lab stands for each of its addresses, as they are
    /// set inside it, of those families that the asking node has an address of; anything else
    /// stands for itself.
    fn targets(&self, to: &str) -> Result<Vec<String>, String> {
        if !self.lab.nodes.contains_key(to) {
            return Ok(vec![to.into()]);
        }
        let there = Look { node: to, ..*self }.own_addresses()?;
        if there.is_empty() {
            return Err(format!("{to} has no address"));
        }
        let here = match to == self.node {
            true => there.clone(),
            false => self.own_addresses()?,
        };
        let targets: Vec<String> = there
            .iter()
            .filter(|t| here.iter().any(|h| h.is_ipv4() == t.is_ipv4()))
            .map(IpAddr::to_string)
            .collect();
        match targets.is_empty() {
            true => Err(format!(
                "{} has no address of a family that {to} has one of",
                self.node
            )),
            false => Ok(targets),
        }
    }

    /// The node's addresses that others can ask for.
    fn own_addresses(&self) -> Result<Vec<IpAddr>, String> {
        let list: Vec<Address> = self.probe(&["addresses"])?;
        let own = list.iter().map(|a| a.address.addr());
        Ok(own.filter(|a| !is_local(*a)).collect())
    }

    fn echo(&self, to: &str) -> Result<Vec<Echo>, String> {
        let targets = self.targets(to)?;
        let mut words = vec!["ping"];
        words.extend(targets.iter().map(String::as_str));
        self.probe(&words)
    }

    pub(super) fn reaches(&self, to: &str) -> Result<Seen, String> {
        let list = self.echo(to)?;
        let silent: Vec<String> = list.iter().filter(|e| !e.reached).map(told).collect();
        Ok(match silent.as_slice() {
            [] => Right(format!("{} answered", names(&list))),
            silent => Wrong(silent.join(", ")),
        })
    }

    pub(super) fn not_reaches(&self, to: &str) -> Result<Seen, String> {
        let list = self.echo(to)?;
        let (answered, silent): (Vec<Echo>, Vec<Echo>) = list.into_iter().partition(|e| e.reached);
        Ok(match answered.is_empty() {
            true => Right(silent.iter().map(told).collect::<Vec<_>>().join(", ")),
            false => Wrong(format!("{} answered", names(&answered))),
        })
    }

    pub(super) fn address(&self, interface: &str, address: &str) -> Result<Seen, String> {
        let wanted: IpNet = address
            .parse()
            .map_err(|_| format!("{address} is no address/length"))?;
        let list: Vec<Address> = self.probe(&["addresses"])?;
        let own: Vec<&Address> = list.iter().filter(|a| a.dev == interface).collect();
        let right = own.iter().any(|a| a.address == wanted);
        let texts: Vec<String> = own.iter().map(|a| a.address.to_string()).collect();
        Ok(Seen::of(
            right,
            match texts.as_slice() {
                [] => format!("{interface} has no address"),
                texts => format!("{interface} has {}", texts.join(", ")),
            },
        ))
    }
}

fn told(echo: &Echo) -> String {
    match &echo.error {
        Some(error) => format!("{}: {error}", echo.to),
        None => format!("{} is silent", echo.to),
    }
}

fn names(list: &[Echo]) -> String {
    let names: Vec<&str> = list.iter().map(|e| e.to.as_str()).collect();
    names.join(", ")
}

fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => a.is_loopback(),
        IpAddr::V6(a) => a.is_loopback() || a.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::tests::see;
    use crate::{AccessError, NodeAccess, Output};
    use lab::{Lab, Test};
    use std::time::Duration;

    #[test]
    fn an_address_with_its_length() {
        let list = r#"[{"dev": "eth0", "address": "10.0.0.1/24"}]"#;
        let test = |interface: &str, address: &str| Test::Address {
            node: "n".into(),
            interface: interface.into(),
            address: address.into(),
        };
        let seen = see(list, &test("eth0", "10.0.0.1/24"));
        assert_eq!(seen, Right("eth0 has 10.0.0.1/24".into()));
        let seen = see(list, &test("eth0", "10.0.0.1/16"));
        assert_eq!(seen, Wrong("eth0 has 10.0.0.1/24".into()));
        let seen = see(list, &test("eth1", "10.0.0.1/24"));
        assert_eq!(seen, Wrong("eth1 has no address".into()));
    }

    /// `a` with IPv4 alone and `b` with both; everybody answers but 10.0.0.9.
    struct Two;

    impl NodeAccess for Two {
        fn exec(&self, node: &str, argv: &[&str], _: Duration) -> Result<Output, AccessError> {
            let address = |a: &str| serde_json::json!({"dev": "eth0", "address": a});
            let json = match (node, &argv[2..]) {
                ("a", ["addresses"]) => vec![address("10.0.0.1/24"), address("fe80::1/64")],
                (_, ["addresses"]) => vec![
                    address("127.0.0.1/8"),
                    address("10.0.0.2/24"),
                    address("fd00::2/64"),
                ],
                (_, targets) => targets[1..]
                    .iter()
                    .map(|to| serde_json::json!({"to": to, "reached": *to != "10.0.0.9"}))
                    .collect(),
            };
            Ok(Output {
                stdout: serde_json::to_vec(&json).unwrap(),
                ..Output::default()
            })
        }

        fn startup(&self, _: &str) -> Result<Option<Vec<String>>, AccessError> {
            Ok(Some(Vec::new()))
        }
    }

    fn reach(from: &str, to: &str) -> Seen {
        let mut lab = Lab::default();
        lab.nodes.insert("a".into(), lab::Node::default());
        lab.nodes.insert("b".into(), lab::Node::default());
        let [from, to] = [from.into(), to.into()];
        crate::attempt::attempt(&lab, &Two, &Test::Reaches { from, to })
    }

    #[test]
    fn a_node_is_its_addresses_of_families_that_both_have() {
        assert_eq!(reach("a", "b"), Right("10.0.0.2 answered".into()));
        assert_eq!(reach("b", "b"), Right("10.0.0.2, fd00::2 answered".into()));
        assert_eq!(reach("b", "10.0.0.9"), Wrong("10.0.0.9 is silent".into()));
    }
}
