//! `/etc/frr/daemons` and its forerunner in `/etc/quagga`: which daemons run, with which options.
//! FRR's and Quagga's own scripts read them as shell variables; so does this reader, as far as
//! plain assignments go.

use std::collections::BTreeMap;
use std::fmt::Write;

/// FRR's daemons in the order that they start. `zebra` comes first, since the others talk to it.
pub(crate) const DAEMONS: &[&str] = &[
    "mgmtd", "zebra", "bgpd", "ripd", "ripngd", "ospfd", "ospf6d", "isisd", "babeld", "pimd",
    "pim6d", "ldpd", "nhrpd", "eigrpd", "sharpd", "pbrd", "staticd", "bfdd", "fabricd", "vrrpd",
    "pathd",
];

/// What a `daemons` file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Daemons {
    /// Those that are on, in the order of [`DAEMONS`].
    pub(crate) on: Vec<&'static str>,
    values: BTreeMap<String, String>,
}

impl Daemons {
    /// Reads a file; what is no assignment is passed over.
    pub(crate) fn parse(text: &str) -> Self {
        let mut values = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|l| !l.starts_with('#')) {
            if let Some((name, value)) = line.split_once('=') {
                values.insert(name.trim().to_owned(), unquoted(value));
            }
        }
        let on = |d: &&&str| values.get(**d).is_some_and(|v| is_on(v));
        let on = DAEMONS.iter().filter(on).copied().collect();
        Self { on, values }
    }

    /// A file that turns just these on.
    pub(crate) fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<_> = names.into_iter().collect();
        let on = DAEMONS
            .iter()
            .filter(|d| names.contains(*d))
            .copied()
            .collect();
        Self {
            on,
            values: BTreeMap::new(),
        }
    }

    /// A daemon's options. `--daemon` is dropped: FRR's scripts always say `-d`.
    pub(crate) fn options(&self, daemon: &str) -> Vec<String> {
        let value = self.values.get(&format!("{daemon}_options"));
        let default = if daemon.contains("6d") || daemon == "ripngd" {
            "-A ::1"
        } else {
            "-A 127.0.0.1"
        };
        let words = value.map_or(default, String::as_str).split_whitespace();
        words
            .filter(|w| *w != "--daemon" && *w != "-d")
            .map(str::to_owned)
            .collect()
    }

    /// Instances of a daemon that runs several times.
    pub(crate) fn instances(&self, daemon: &str) -> Vec<String> {
        let value = self.values.get(&format!("{daemon}_instances"));
        let words = value.map_or("", String::as_str).split([',', ' ']);
        words
            .filter(|w| w.parse::<u16>().is_ok())
            .map(str::to_owned)
            .collect()
    }

    /// Options of all daemons, and the profile of defaults.
    pub(crate) fn common(&self) -> Vec<String> {
        let get = |name: &str| self.values.get(name).map_or("", String::as_str);
        let profile = Some(get("frr_profile"))
            .filter(|p| !p.is_empty())
            .unwrap_or("traditional");
        let mut out = vec!["-F".to_owned(), profile.to_owned()];
        out.extend(
            get("frr_global_options")
                .split_whitespace()
                .map(str::to_owned),
        );
        out
    }

    /// Whether `vtysh -b` gives the daemons their configuration.
    pub(crate) fn vtysh(&self) -> bool {
        self.values.get("vtysh_enable").is_none_or(|v| is_on(v))
    }

    /// The file as FRR's scripts read it.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for daemon in DAEMONS.iter().filter(|d| !["mgmtd", "staticd"].contains(d)) {
            let word = if self.on.contains(daemon) {
                "yes"
            } else {
                "no"
            };
            let _ = writeln!(text, "{daemon}={word}");
        }
        text.push_str("\nvtysh_enable=yes\n");
        for daemon in DAEMONS {
            let _ = writeln!(
                text,
                "{daemon}_options=\"{}\"",
                self.options(daemon).join(" ")
            );
        }
        text
    }
}

/// `yes`, or one of Debian's priorities from 1 to 10.
fn is_on(value: &str) -> bool {
    value == "yes" || value == "true" || value.parse::<u8>().is_ok_and(|p| p > 0)
}

fn unquoted(value: &str) -> String {
    let value = value.trim();
    match value.chars().next() {
        Some(q @ ('"' | '\'')) => value[1..].split(q).next().unwrap_or_default().to_owned(),
        _ => value
            .split(['#', ' ', '\t', ';'])
            .next()
            .unwrap_or_default()
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_kinds() {
        let d = Daemons::parse(
            "# x\nzebra=yes\nbgpd=1   # prio\nospfd=no\nripd=0\nripngd=\"yes\"\r\nwatchquagga=yes\n",
        );
        assert_eq!(d.on, ["zebra", "bgpd", "ripngd"]);
        assert!(d.vtysh());
        assert_eq!(d.options("bgpd"), ["-A", "127.0.0.1"]);
        assert_eq!(d.options("ospf6d"), ["-A", "::1"]);
        let d = Daemons::parse(
            "vtysh_enable=no\nospfd=yes\nospfd_options=\"  --daemon -A 127.0.0.1 -M snmp\"\n\
            ospfd_instances=1,2\nfrr_profile=\"datacenter\"\n",
        );
        assert_eq!(d.options("ospfd"), ["-A", "127.0.0.1", "-M", "snmp"]);
        assert_eq!(d.instances("ospfd"), ["1", "2"]);
        assert_eq!(d.common(), ["-F", "datacenter"]);
        assert!(!d.vtysh());
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let d = Daemons::of(["ospfd", "zebra", "nonsense"]);
        assert_eq!(d.on, ["zebra", "ospfd"]);
        assert_eq!(Daemons::parse(&d.text()).on, d.on);
    }
}
