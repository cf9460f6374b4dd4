//! A stanza's meaning, said to the kernel by `ip` and the stanza's own commands.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use super::file::Stanza;

type Done = Result<(), String>;

/// A command and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    words: Vec<String>,
    /// What it makes may be there already.
    may_fail: bool,
}

fn step(text: &str) -> Step {
    Step {
        words: text.split_whitespace().map(str::to_owned).collect(),
        may_fail: false,
    }
}

fn attempt(text: &str) -> Step {
    Step {
        may_fail: true,
        ..step(text)
    }
}

/// Brings an interface up by all its stanzas.
pub(super) fn up(name: &str, stanzas: &[&Stanza]) -> Done {
    for stanza in stanzas {
        hooks(stanza, "pre-up")?;
        for step in steps_up(name, stanza) {
            run(&step)?;
        }
        hooks(stanza, "up")?;
        hooks(stanza, "post-up")?;
    }
    Ok(())
}

/// Takes it down; commands that fail do not keep it up.
pub(super) fn down(name: &str, stanzas: &[&Stanza]) -> Done {
    let mut result = Ok(());
    for stanza in stanzas.iter().rev() {
        result = result
            .and(hooks(stanza, "pre-down"))
            .and(hooks(stanza, "down"));
        for step in steps_down(name, stanza) {
            drop(run(&step));
        }
        result = result.and(hooks(stanza, "post-down"));
    }
    result
}

/// What the kernel is told for a stanza, in order.
fn steps_up(name: &str, stanza: &Stanza) -> Vec<Step> {
    let mut steps = devices(name, stanza);
    if let Some(mac) = stanza.option("hwaddress") {
        let mac = mac.trim_start_matches("ether").trim();
        steps.push(step(&format!("ip link set dev {name} address {mac}")));
    }
    if let Some(mtu) = stanza.option("mtu") {
        steps.push(step(&format!("ip link set dev {name} mtu {mtu}")));
    }
    if stanza.method != "manual" || stanza.option("bridge-ports").is_some() || name.contains('.') {
        steps.push(step(&format!("ip link set dev {name} up")));
    }
    match stanza.method.as_str() {
        "static" => steps.extend(addresses(name, stanza)),
        "dhcp" if stanza.family == "inet6" => steps.push(step(&format!("dhclient -6 -v {name}"))),
        "dhcp" => steps.push(dhcp(name)),
        "auto" => {
            steps.push(attempt(&format!(
                "sysctl -q -w net.ipv6.conf.{}.accept_ra=2",
                name.replace('.', "/")
            )));
            steps.push(attempt(&format!(
                "sysctl -q -w net.ipv6.conf.{}.autoconf=1",
                name.replace('.', "/")
            )));
        }
        _ => {}
    }
    steps
}

/// Bridges and VLAN interfaces that are made on the way.
fn devices(name: &str, stanza: &Stanza) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(ports) = stanza.option("bridge-ports") {
        steps.push(attempt(&format!("ip link add name {name} type bridge")));
        let on = ["on", "yes"].contains(&stanza.option("bridge-stp").unwrap_or("off"));
        steps.push(step(&format!(
            "ip link set dev {name} type bridge stp_state {}",
            u8::from(on)
        )));
        for port in ports.split_whitespace().filter(|p| *p != "none") {
            steps.push(step(&format!("ip link set dev {port} master {name}")));
            steps.push(step(&format!("ip link set dev {port} up")));
        }
    }
    let raw = stanza.option("vlan-raw-device");
    let by_name = name
        .split_once('.')
        .filter(|(_, id)| id.parse::<u16>().is_ok());
    let vlan = match (raw, by_name) {
        (Some(raw), Some((_, id))) => Some((raw, id)),
        (Some(raw), None) => name.strip_prefix("vlan").map(|id| (raw, id)),
        (None, by_name) => by_name,
    };
    if let Some((raw, id)) = vlan {
        steps.push(step(&format!("ip link set dev {raw} up")));
        steps.push(attempt(&format!(
            "ip link add link {raw} name {name} type vlan id {id}"
        )));
    }
    steps
}

fn addresses(name: &str, stanza: &Stanza) -> Vec<Step> {
    let mut steps = Vec::new();
    let default = if stanza.family == "inet6" { 64 } else { 32 };
    for address in stanza.all("address") {
        let address = match address.contains('/') {
            true => address.to_owned(),
            false => format!(
                "{address}/{}",
                stanza
                    .option("netmask")
                    .map_or(default, |m| prefix_length(m, default))
            ),
        };
        let broadcast = match (stanza.family.as_str(), stanza.option("broadcast")) {
            ("inet6", _) => String::new(),
            (_, Some(b)) if b.parse::<Ipv4Addr>().is_ok() => format!("broadcast {b}"),
            _ => "broadcast +".to_owned(),
        };
        let nodad = if stanza.family == "inet6" {
            "nodad"
        } else {
            ""
        };
        steps.push(attempt_if_there(&format!(
            "ip address add {address} {broadcast} dev {name} {nodad}"
        )));
    }
    if let Some(gateway) = stanza.option("gateway") {
        let family = if stanza.family == "inet6" { "-6" } else { "-4" };
        let metric = stanza
            .option("metric")
            .map_or(String::new(), |m| format!("metric {m}"));
        steps.push(step(&format!(
            "ip {family} route replace default via {gateway} dev {name} {metric}"
        )));
    }
    steps
}

/// An address that the interface has already is no error: `replace` says the same twice.
fn attempt_if_there(text: &str) -> Step {
    step(&text.replacen(" add ", " replace ", 1))
}

/// `24` or `255.255.255.0`.
fn prefix_length(mask: &str, default: u8) -> u8 {
    let by_mask = |m: Ipv4Addr| m.to_bits().leading_ones() as u8;
    mask.parse()
        .or_else(|_| mask.parse().map(by_mask))
        .unwrap_or(default)
}

fn dhcp(name: &str) -> Step {
    let there = |p: &str| Path::new(p).exists();
    match () {
        () if there("/usr/sbin/dhclient") => step(&format!(
            "dhclient -4 -v -pf /run/dhclient.{name}.pid {name}"
        )),
        () if there("/usr/sbin/udhcpc") => {
            step(&format!("udhcpc -n -p /run/udhcpc.{name}.pid -i {name}"))
        }
        () => step(&format!("dhclient {name}")),
    }
}

fn steps_down(name: &str, stanza: &Stanza) -> Vec<Step> {
    let mut steps = Vec::new();
    if stanza.method == "dhcp" {
        steps.push(attempt(&format!(
            "dhclient -4 -r -pf /run/dhclient.{name}.pid {name}"
        )));
    }
    if ["static", "dhcp"].contains(&stanza.method.as_str()) {
        let family = if stanza.family == "inet6" { "-6" } else { "-4" };
        steps.push(attempt(&format!("ip {family} address flush dev {name}")));
    }
    if stanza.method == "loopback" {
        return steps;
    }
    let made = stanza.option("bridge-ports").is_some()
        || name.contains('.')
        || stanza.option("vlan-raw-device").is_some();
    steps.push(match made {
        true => attempt(&format!("ip link delete dev {name}")),
        false => attempt(&format!("ip link set dev {name} down")),
    });
    steps
}

fn run(step: &Step) -> Done {
    let Some((program, args)) = step.words.split_first() else {
        return Ok(());
    };
    let out = Command::new(program).args(args).output().map_err(|e| match lab::packages::package_of(program) {
        Some(package) => format!("{program} is not installed: run \"telaio tools add {package}\" on the host and restart the lab"),
        None => format!("{program}: {e}"),
    })?;
    match out.status.success() || step.may_fail {
        true => Ok(()),
        false => Err(format!(
            "{}: {}",
            step.words.join(" "),
            String::from_utf8_lossy(&out.stderr).trim()
        )),
    }
}

/// Runs a stanza's own commands, with what ifupdown would tell them.
fn hooks(stanza: &Stanza, when: &str) -> Done {
    for command in stanza.all(when) {
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", command])
            .env("IFACE", &stanza.name)
            .env("LOGICAL", &stanza.name);
        shell
            .env("ADDRFAM", &stanza.family)
            .env("METHOD", &stanza.method);
        shell
            .env(
                "MODE",
                if when.contains("down") {
                    "stop"
                } else {
                    "start"
                },
            )
            .env("PHASE", when);
        for (name, value) in &stanza.options {
            shell.env(
                format!("IF_{}", name.to_uppercase().replace('-', "_")),
                value,
            );
        }
        let status = shell.status().map_err(|e| format!("/bin/sh: {e}"))?;
        if !status.success() {
            return Err(format!("`{when} {command}` ended with {status}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stanza(family: &str, method: &str, options: &[(&str, &str)]) -> Stanza {
        Stanza {
            name: "x".into(),
            family: family.into(),
            method: method.into(),
            options: options
                .iter()
                .map(|(n, v)| ((*n).into(), (*v).into()))
                .collect(),
        }
    }

    fn lines(steps: &[Step]) -> Vec<String> {
        steps.iter().map(|s| s.words.join(" ")).collect()
    }

    #[test]
    fn a_static_interface() {
        let s = stanza(
            "inet",
            "static",
            &[
                ("address", "10.0.0.1"),
                ("netmask", "255.255.255.0"),
                ("gateway", "10.0.0.2"),
                ("mtu", "1400"),
                ("hwaddress", "ether 02:00:00:00:00:01"),
            ],
        );
        assert_eq!(
            lines(&steps_up("eth0", &s)),
            [
                "ip link set dev eth0 address 02:00:00:00:00:01",
                "ip link set dev eth0 mtu 1400",
                "ip link set dev eth0 up",
                "ip address replace 10.0.0.1/24 broadcast + dev eth0",
                "ip -4 route replace default via 10.0.0.2 dev eth0",
            ]
        );
        assert_eq!(
            lines(&steps_down("eth0", &s)),
            ["ip -4 address flush dev eth0", "ip link set dev eth0 down"]
        );
    }

    #[test]
    fn bridges_and_vlans_are_made() {
        let s = stanza(
            "inet",
            "manual",
            &[("bridge-ports", "eth0 eth1"), ("bridge-stp", "on")],
        );
        assert_eq!(
            lines(&steps_up("br0", &s))[..2],
            [
                "ip link add name br0 type bridge",
                "ip link set dev br0 type bridge stp_state 1",
            ]
        );
        let s = stanza(
            "inet6",
            "static",
            &[("address", "2001:db8::1"), ("netmask", "48")],
        );
        assert_eq!(
            lines(&steps_up("eth0.7", &s)),
            [
                "ip link set dev eth0 up",
                "ip link add link eth0 name eth0.7 type vlan id 7",
                "ip link set dev eth0.7 up",
                "ip address replace 2001:db8::1/48 dev eth0.7 nodad",
            ]
        );
    }

    #[test]
    fn masks() {
        assert_eq!(prefix_length("255.255.254.0", 32), 23);
        assert_eq!(prefix_length("20", 32), 20);
        assert_eq!(prefix_length("nonsense", 32), 32);
    }
}
