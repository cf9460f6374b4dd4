//! One attempt at a check: what is seen now, and whether that is what must be.

mod bridge;
mod frr;
mod reach;
mod route;
mod service;

use std::time::Duration;

use fancy_regex::Regex;
use lab::{Lab, Test};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::probe::PROGRAM;
use crate::{NodeAccess, Output};

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One of several things that a test looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is about.
    pub about: String,
    /// Whether it is as it must be.
    pub passed: bool,
    /// What was seen.
    pub message: String,
}

impl Finding {
    pub(crate) fn new(about: impl Into<String>, passed: bool, message: impl Into<String>) -> Self {
        Self {
            about: about.into(),
            passed,
            message: message.into(),
        }
    }
}

/// What an attempt found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// What must be.
    Right(String),
    /// Something else, so far.
    Wrong(String),
    /// Something else, and waiting cannot change that.
    Never(String),
    /// Several things, of which some may be right and others wrong so far.
    Several(Vec<Finding>),
}

use Seen::{Never, Right, Several, Wrong};

impl Seen {
    /// Right or wrong so far, with the same words.
    fn of(right: bool, message: String) -> Self {
        if right {
            Right(message)
        } else {
            Wrong(message)
        }
    }
}

/// Whether it passes only when something is *not* there, which is also so before it comes.
pub(crate) fn is_negative(test: &Test) -> bool {
    matches!(
        test,
        Test::NotReaches { .. }
            | Test::Route { absent: true, .. }
            | Test::Daemon { absent: true, .. }
            | Test::BgpNetwork { absent: true, .. }
            | Test::Redistributes { absent: true, .. }
            | Test::Configured { absent: true, .. }
            | Test::RouteCount { .. }
    )
}

/// Tries a test once.
pub(crate) fn attempt(lab: &Lab, access: &dyn NodeAccess, test: &Test) -> Seen {
    let node = test.node();
    if !lab.nodes.contains_key(node) {
        return Never(format!("the lab has no node `{node}`"));
    }
    let look = Look { lab, access, node };
    look.at(test).unwrap_or_else(Wrong)
}

/// A look into a node; its methods, one for each kind of test, are in the modules below.
struct Look<'a> {
    lab: &'a Lab,
    access: &'a dyn NodeAccess,
    node: &'a str,
}

impl Look<'_> {
    /// What is seen; an error is what kept it from being seen so far.
    fn at(&self, test: &Test) -> Result<Seen, String> {
        match test {
            Test::Reaches { to, .. } => self.reaches(to),
            Test::NotReaches { to, .. } => self.not_reaches(to),
            Test::Route { .. } | Test::RouteCount { .. } | Test::Routes { .. } => {
                self.at_routes(test)
            }
            Test::Address {
                interface, address, ..
            } => self.address(interface, address),
            Test::Bridge {
                interfaces, vxlan, ..
            } => self.bridge(interfaces, vxlan),
            Test::Vtep { vni, address, .. } => self.vtep(*vni, *address),
            Test::Daemon { .. }
            | Test::Dns { .. }
            | Test::Nameserver { .. }
            | Test::DnsAuthority { .. }
            | Test::Http { .. }
            | Test::Command { .. }
            | Test::Sysctl { .. } => self.at_service(test),
            Test::Bgp { .. }
            | Test::BgpNetwork { .. }
            | Test::BgpRoute { .. }
            | Test::EvpnNeighbor { .. }
            | Test::OspfNeighbor { .. }
            | Test::OspfRoute { .. }
            | Test::OspfInterface { .. }
            | Test::Redistributes { .. }
            | Test::Configured { .. } => self.at_daemon(test),
            Test::Node { .. } => Ok(Right("it is there".into())),
            Test::Plugged {
                interface, segment, ..
            } => Ok(self.plugged(interface, segment)),
            Test::StartupScript { .. } => Ok(self.startup_script()),
            Test::Startup { .. } => self.startup(),
        }
    }

    /// Runs the probe in the node.
    fn probe<T: DeserializeOwned>(&self, words: &[&str]) -> Result<T, String> {
        let mut argv = vec![PROGRAM, "__probe"];
        argv.extend(words);
        let output = self.exec(&argv)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let json: serde_json::Value = serde_json::from_str(text.trim()).map_err(|_| {
            let errors = String::from_utf8_lossy(&output.stderr);
            format!(
                "the probe failed with status {}: {}",
                output.status,
                errors.trim()
            )
        })?;
        if let Some(error) = json.get("error").and_then(|e| e.as_str()) {
            return Err(error.to_string());
        }
        serde_json::from_value(json).map_err(|e| format!("the probe said something else: {e}"))
    }

    fn exec(&self, argv: &[&str]) -> Result<Output, String> {
        self.access
            .exec(self.node, argv, PATIENCE)
            .map_err(|e| e.to_string())
    }

    /// Runs a command that writes JSON.
    fn json(&self, argv: &[&str]) -> Result<serde_json::Value, String> {
        let output = self.exec(argv)?;
        let parsed = serde_json::from_slice(&output.stdout);
        parsed.map_err(|_| no_answer(argv, &output))
    }

    fn plugged(&self, interface: &str, segment: &str) -> Seen {
        let data = &self.lab.nodes[self.node];
        match data.interfaces.get(interface).map(|i| i.segment.as_deref()) {
            None => Never(format!("there is no interface {interface}")),
            Some(Some(found)) if found == segment => Right(format!("{interface} is on {found}")),
            Some(found) => Never(format!("{interface} is on {}", found.unwrap_or("nothing"))),
        }
    }

    fn startup_script(&self) -> Seen {
        match self.lab.nodes[self.node].startup.is_empty() {
            false => Right("there is a startup script".into()),
            true => Never("there is no startup script".into()),
        }
    }

    fn startup(&self) -> Result<Seen, String> {
        match self.access.startup(self.node).map_err(|e| e.to_string())? {
            None => Ok(Wrong("it still runs".into())),
            Some(failed) if failed.is_empty() => Ok(Right("no command failed".into())),
            Some(failed) => Ok(Never(failed.join("; "))),
        }
    }
}

/// Why a command did not write what it should have: what it said instead.
fn no_answer(argv: &[&str], output: &Output) -> String {
    let said = match output.stderr.is_empty() {
        true => &output.stdout,
        false => &output.stderr,
    };
    let said: String = String::from_utf8_lossy(said).chars().take(200).collect();
    let (command, status) = (argv.join(" "), output.status);
    match said.trim() {
        "" => format!("`{command}` says nothing (status {status})"),
        said => format!("`{command}` says: {said} (status {status})"),
    }
}

/// A regular expression, with look-around too, since that of other tools' files has it.
pub(crate) fn regex(pattern: &str) -> Result<Regex, String> {
    let compiled = Regex::new(pattern);
    compiled.map_err(|e| format!("bad regular expression `{pattern}`: {e}"))
}

/// Whether it matches somewhere in a text; an error where that would take too long.
fn matches(pattern: &Regex, text: &str) -> Result<bool, String> {
    let matched = pattern.is_match(text);
    matched.map_err(|_| format!("`{pattern}` takes too long to look for"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccessError;

    /// A node that says one thing to everything.
    pub(super) struct Says(pub(super) &'static str);

    impl NodeAccess for Says {
        fn exec(&self, _: &str, _: &[&str], _: Duration) -> Result<Output, AccessError> {
            Ok(Output {
                stdout: self.0.into(),
                ..Output::default()
            })
        }

        fn startup(&self, _: &str) -> Result<Option<Vec<String>>, AccessError> {
            Ok(None)
        }
    }

    /// What a test sees in a node `n` that says one thing to everything.
    pub(super) fn see(says: &'static str, test: &Test) -> Seen {
        let mut lab = Lab::default();
        lab.nodes.insert("n".into(), lab::Node::default());
        attempt(&lab, &Says(says), test)
    }

    #[test]
    fn what_kept_it_from_being_seen_is_told() {
        let test = Test::RouteCount {
            node: "n".into(),
            count: 1,
        };
        let Wrong(text) = see("nonsense", &test) else {
            panic!("right")
        };
        assert!(text.starts_with("the probe failed"), "{text}");
        let text = r#"{"error": "netlink is closed"}"#;
        assert_eq!(see(text, &test), Wrong("netlink is closed".into()));
    }

    #[test]
    fn structure_is_seen_in_the_lab_alone() {
        let plugged = Test::Plugged {
            node: "n".into(),
            interface: "eth0".into(),
            segment: "a".into(),
        };
        assert_eq!(
            see("", &plugged),
            Never("there is no interface eth0".into())
        );
        let script = Test::StartupScript { node: "n".into() };
        assert_eq!(see("", &script), Never("there is no startup script".into()));
        let node = Test::Node { node: "m".into() };
        assert_eq!(see("", &node), Never("the lab has no node `m`".into()));
    }
}
