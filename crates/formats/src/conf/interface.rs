//! `machine[N]=…`: which domain an interface is plugged into.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use lab::{Interface, Mac, Route};

use super::lex::{Value, Word};
use super::{Machine, Reader};
use crate::Dialect;

/// Highest number that an interface can have.
const HIGHEST: u32 = 4095;

impl Reader<'_> {
    pub(super) fn interface(&mut self, machine: &Word, arg: &Word, value: &Value) {
        let number = arg.text.parse().ok().filter(|n| *n <= HIGHEST);
        let Some(number) = number else {
            let text = format!("interface number {} is too large", arg.text);
            return self.error(&arg.span, text, format!("the highest is {HIGHEST}"));
        };
        let Some(interface) = self.plugged(machine, number, &value.word) else {
            return;
        };
        let name = machine.text.as_str();
        let if_name = format!("eth{number}");
        let place = self.place(&value.word.span);
        self.places
            .put(&["nodes", name, "interfaces", &if_name], place);
        let kathara = self.kathara();
        let known = &mut self.machines[name].interfaces;
        match known.get(&number) {
            Some((other, _)) if *other == interface => {
                let text = format!("interface {number} of {name} is given twice");
                self.warning(&arg.span, text, "remove one of the lines");
            }
            Some((other, _)) if kathara => {
                let other = other.segment.clone().unwrap_or_default();
                let text = format!("interface {number} of {name} is already on `{other}`");
                self.error(
                    &arg.span,
                    text,
                    "give this one another number, or remove one",
                );
            }
            Some((other, _)) => {
                let other = other.segment.clone().unwrap_or_default();
                let text = format!("interface {number} of {name} stays on `{other}`");
                self.warning(&arg.span, text, "the first line counts: remove one of them");
            }
            None => drop(known.insert(number, (interface, arg.span.clone()))),
        }
    }

    fn plugged(&mut self, machine: &Word, number: u32, value: &Word) -> Option<Interface> {
        let parts: Vec<&str> = value.text.split(',').map(str::trim).collect();
        let jh_tap = self.dialect == Dialect::NetkitJh && parts.len() == 3;
        if parts.len() > 1 && (jh_tap || parts[0] == "tap") {
            return self.tap(machine, number, value, &parts);
        }
        let (domain, mac) = match value.text.split_once('/') {
            Some((domain, mac)) => (domain.trim_end(), Some(mac)),
            None => (value.text.as_str(), None),
        };
        let domain = match self.dialect {
            // Netkit deletes them, so that `LAN_1` and `LAN1` are one
            Dialect::Netkit => domain.replace([',', '.', '_', ' ', '\t'], ""),
            _ => domain.to_string(),
        };
        if !self.good_domain(value, &domain) {
            return None;
        }
        let mac = match mac.map(|m| (m, m.trim().parse::<Mac>())) {
            Some((text, Err(e))) => {
                let start = value.span.end - text.len();
                let message = format!("bad MAC address `{text}`");
                self.error(&(start..value.span.end), message, e.to_string());
                return None;
            }
            Some((_, Ok(mac))) => Some(mac),
            None => None,
        };
        Some(Interface {
            segment: Some(domain),
            mac,
            ..Interface::default()
        })
    }

    fn good_domain(&mut self, value: &Word, domain: &str) -> bool {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
        if (1..=63).contains(&domain.len()) && domain.bytes().all(fits) {
            return true;
        }
        let (text, help) = match domain.is_empty() {
            true => (
                "no collision domain is named".to_string(),
                "name one, like `A`",
            ),
            false => (
                format!("bad collision domain `{domain}`"),
                "a name has 1 to 63 letters, digits, `_`, `-` and `.`",
            ),
        };
        // nothing can be marked but the sign before it
        let start = value.span.start - usize::from(domain.is_empty());
        self.error(&(start..value.span.end), text, help);
        false
    }

    /// An uplink of Netkit: `tap,HOST,GUEST`. The addresses are kept; the way out is not there.
    fn tap(
        &mut self,
        machine: &Word,
        number: u32,
        value: &Word,
        parts: &[&str],
    ) -> Option<Interface> {
        let addresses: Vec<Option<Ipv4Addr>> = parts[1..].iter().map(|p| p.parse().ok()).collect();
        let [Some(host), Some(guest)] = addresses[..] else {
            let help = "write `tap,HOST-ADDRESS,MACHINE-ADDRESS`, like `tap,10.0.0.1,10.0.0.2`";
            self.error(&value.span, "bad uplink", help);
            return None;
        };
        let place = self.place(&value.span);
        self.groups.warn(
            "`tap` gives no way out to the host's network yet",
            "the interface has its address, and others on the same domain reach it",
            &machine.text,
            place,
        );
        let machine: &mut Machine = &mut self.machines[machine.text.as_str()];
        let hints = machine.node.hints.entry("tap".into()).or_default();
        hints.push(format!("{number}={}", value.text));
        machine.node.routes.push(Route {
            to: "default".into(),
            via: Some(host.into()),
            dev: None,
            metric: None,
        });
        Some(Interface {
            segment: Some(parts[0].to_string()),
            // Netkit's guests have this prefix length always
            addresses: Ipv4Net::new(guest, 24)
                .ok()
                .map(IpNet::V4)
                .into_iter()
                .collect(),
            ..Interface::default()
        })
    }
}
