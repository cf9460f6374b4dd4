//! JUnit's XML, in the form that build servers share (`testsuites`, `testsuite`, `testcase` with
//! `failure` or `skipped`).

use std::fmt::Write;

use super::{Outcome, Report};

/// Writes one suite for each report.
pub(super) fn write(reports: &[Report]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for report in reports {
        // a String takes all that is written
        let _ = suite(&mut out, report);
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{:.3}\">",
        escape(&report.lab),
        report.outcomes.len(),
        report.failures(),
        report.skipped(),
        report.seconds
    )?;
    for outcome in &report.outcomes {
        case(out, outcome)?;
    }
    writeln!(out, "  </testsuite>")
}

fn case(out: &mut String, outcome: &Outcome) -> std::fmt::Result {
    write!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
        escape(&outcome.node),
        escape(&outcome.name),
        outcome.seconds
    )?;
    if outcome.passed {
        return writeln!(out, "/>");
    }
    let word = if outcome.skipped {
        "skipped"
    } else {
        "failure"
    };
    let message = escape(&outcome.problems().join("; "));
    writeln!(
        out,
        ">\n      <{word} message=\"{message}\"/>\n    </testcase>"
    )
}

/// Text as XML attributes take it; characters that XML has not become spaces.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;

    #[test]
    fn is_xml_whatever_the_texts() {
        let text = report().junit();
        let document = roxmltree::Document::parse(&text).unwrap();
        let suite = document.root_element().first_element_child().unwrap();
        assert_eq!(suite.attribute("name"), Some("a & b"));
        assert_eq!(suite.attribute("failures"), Some("2"));
        let cases: Vec<_> = suite.children().filter(|n| n.is_element()).collect();
        assert_eq!(cases[1].attribute("name"), Some("r1: `x < y`"));
        let failure = cases[1].first_element_child().unwrap();
        assert_eq!(failure.attribute("message"), Some("status 1, \"<no>\" "));
        let skipped = cases[3].first_element_child().unwrap();
        assert!(skipped.has_tag_name("skipped"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_escaped(text: String) {
            let mut report = report();
            report.outcomes[1].message.clone_from(&text);
            report.outcomes[1].name = text;
            let xml = report.junit();
            proptest::prop_assert!(roxmltree::Document::parse(&xml).is_ok(), "{xml}");
        }
    }
}
