//! What came of a lab's checks, for people and for programs.

use lab::Test;
use serde::Serialize;

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// What it was about.
    pub name: String,
    /// The node it looked from.
    pub node: String,
    /// Whether it held.
    pub passed: bool,
    /// What was seen last.
    pub message: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Seconds until it ended.
    pub seconds: f64,
}

/// What came of a lab's checks.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The lab's name.
    pub lab: String,
    /// Seconds for all of them.
    pub seconds: f64,
    /// One by one, in the order of the checks.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// Whether all passed.
    pub fn passed(&self) -> bool {
        self.failures() == 0
    }

    /// How many failed.
    pub fn failures(&self) -> usize {
        self.outcomes.iter().filter(|o| !o.passed).count()
    }

    /// One line a check and one for all.
    pub fn text(&self) -> String {
        let lines: String = self.outcomes.iter().map(Outcome::line).collect();
        lines + &self.summary()
    }

    /// One line for all.
    pub fn summary(&self) -> String {
        let (failed, time) = (self.failures(), self.seconds);
        let passed = self.outcomes.len() - failed;
        format!("{passed} passed, {failed} failed in {time:.1} s\n")
    }

    /// As a JUnit test suite, as build servers read it.
    pub fn junit(&self) -> String {
        let mut out = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  \
             <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" time=\"{:.3}\">\n",
            xml(&self.lab),
            self.outcomes.len(),
            self.failures(),
            self.seconds
        );
        for one in &self.outcomes {
            out.push_str(&format!(
                "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
                xml(&one.node),
                xml(&one.name),
                one.seconds
            ));
            if one.passed {
                out.push_str("/>\n");
            } else {
                let message = xml(&one.message);
                out.push_str(&format!(
                    ">\n      <failure message=\"{message}\"/>\n    </testcase>\n"
                ));
            }
        }
        out.push_str("  </testsuite>\n</testsuites>\n");
        out
    }
}

impl Outcome {
    /// `passed  name (seconds)`, and what was seen instead where it failed.
    pub fn line(&self) -> String {
        let clean = |text: &str| text.replace(|c: char| c.is_control(), " ");
        let (name, time) = (clean(&self.name), self.seconds);
        if self.passed {
            return format!("passed  {name} ({time:.1} s)\n");
        }
        format!(
            "FAILED  {name} ({time:.1} s)\n        {}\n",
            clean(&self.message)
        )
    }
}

/// Text as XML attributes take it; characters that XML has not become spaces.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// What a test is about, in a few words.
pub(crate) fn describe(test: &Test) -> String {
    let not = |absent: &bool| if *absent { "no " } else { "" };
    match test {
        Test::Reaches { from, to } => format!("{from} reaches {to}"),
        Test::NotReaches { from, to } => format!("{from} does not reach {to}"),
        Test::Route {
            node, to, absent, ..
        } => format!("{node}: {}route to {to}", not(absent)),
        Test::RouteCount { node, count } => format!("{node}: {count} routes"),
        Test::Daemon { node, name, absent } => {
            format!(
                "{node}: {name} {}",
                if *absent { "does not run" } else { "runs" }
            )
        }
        Test::Address {
            node,
            interface,
            address,
        } => format!("{node}: {interface} has {address}"),
        Test::Dns {
            node,
            name,
            record,
            server,
            ..
        } => {
            let kind = record.map_or("A".into(), |r| format!("{r:?}").to_uppercase());
            let server = server.map(|s| format!(" of {s}")).unwrap_or_default();
            format!("{node}: {kind} record of {name}{server}")
        }
        Test::Http { node, url, .. } => format!("{node}: {url}"),
        Test::Command { node, run, .. } => format!("{node}: `{run}`"),
        Test::Node { node } => format!("there is {node}"),
        Test::Plugged {
            node,
            interface,
            segment,
        } => format!("{node}: {interface} on {segment}"),
        Test::Sysctl { node, key, value } => format!("{node}: {key} = {value}"),
        Test::Bgp { node, neighbors } => format!("{node}: {} BGP neighbours", neighbors.len()),
        Test::BgpNetwork {
            node,
            network,
            absent,
        } => {
            format!("{node}: BGP announces {}{network}", not(absent))
        }
        Test::Redistributes {
            node,
            into,
            from,
            absent,
        } => {
            format!("{node}: {into} takes in {}{from}", not(absent))
        }
        Test::Startup { node } => format!("{node}: startup without failed commands"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let outcome = |name: &str, passed| Outcome {
            name: name.into(),
            node: "r1".into(),
            passed,
            message: "status 1, \"<no>\"\u{1}".into(),
            attempts: 2,
            seconds: 0.25,
        };
        Report {
            lab: "a & b".into(),
            seconds: 1.5,
            outcomes: vec![outcome("good", true), outcome("r1: `x < y`", false)],
        }
    }

    #[test]
    fn text_says_what_was_seen_instead() {
        let text = report().text();
        assert!(text.contains("passed  good (0.2 s)\n"), "{text}");
        assert!(
            text.contains("FAILED  r1: `x < y` (0.2 s)\n        status 1"),
            "{text}"
        );
        assert!(text.ends_with("1 passed, 1 failed in 1.5 s\n"), "{text}");
    }

    #[test]
    fn junit_is_xml_whatever_the_texts() {
        let text = report().junit();
        let document = roxmltree::Document::parse(&text).unwrap();
        let cases: Vec<_> = document
            .descendants()
            .filter(|n| n.has_tag_name("testcase"))
            .collect();
        assert_eq!(cases[1].attribute("name"), Some("r1: `x < y`"));
        let failure = cases[1].first_element_child().unwrap();
        assert_eq!(failure.attribute("message"), Some("status 1, \"<no>\" "));
    }
}
