//! What came of a lab's checks, for people and for programs.

mod csv;
mod junit;

use serde::{Deserialize, Serialize};

use crate::Finding;

pub use csv::{csv_of_all, csv_of_failed, csv_of_labs, csv_of_numbers};

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What it was about.
    pub name: String,
    /// The node it looked from.
    pub node: String,
    /// Whether it held.
    pub passed: bool,
    /// Whether it was stopped before it ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skipped: bool,
    /// What was seen last.
    pub message: String,
    /// Seconds that just this had been seen when it ended.
    pub unchanged: f64,
    /// One by one, where it looks at several things.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// How often it was tried.
    pub attempts: u32,
    /// Seconds from its first attempt to its end.
    pub seconds: f64,
}

/// What came of a lab's checks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The lab's name.
    pub lab: String,
    /// Seconds for all of them.
    pub seconds: f64,
    /// One by one, in the order of the checks.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// Whether all passed; not so if any was skipped.
    pub fn passed(&self) -> bool {
        self.outcomes.iter().all(|o| o.passed)
    }

    /// How many failed.
    pub fn failures(&self) -> usize {
        let failed = |o: &&Outcome| !o.passed && !o.skipped;
        self.outcomes.iter().filter(failed).count()
    }

    /// How many were stopped before they ended.
    pub fn skipped(&self) -> usize {
        self.outcomes.iter().filter(|o| o.skipped).count()
    }

    /// The exit status for it: 0, or 1 unless all passed.
    pub fn exit_status(&self) -> u8 {
        u8::from(!self.passed())
    }

    /// One line a check and one for all.
    pub fn text(&self) -> String {
        let lines: String = self.outcomes.iter().map(Outcome::line).collect();
        lines + &self.summary()
    }

    /// One line for all.
    pub fn summary(&self) -> String {
        let (failed, skipped, time) = (self.failures(), self.skipped(), self.seconds);
        let passed = self.outcomes.len() - failed - skipped;
        let skipped = match skipped {
            0 => String::new(),
            n => format!(", {n} skipped"),
        };
        format!("{passed} passed, {failed} failed{skipped} in {time:.1} s\n")
    }

    /// A table: outcome, node, what it was about, seconds, and what was seen in place of what
    /// should be.
    pub fn table(&self) -> String {
        let mut rows = vec![["OUTCOME", "NODE", "CHECK", "SECONDS", "SEEN"].map(String::from)];
        rows.extend(self.outcomes.iter().map(Outcome::row));
        let width = |at: usize| {
            let widths = rows.iter().map(|r| r[at].chars().count());
            widths.max().unwrap_or_default()
        };
        let widths: [usize; 5] = std::array::from_fn(width);
        let line = |row: &[String; 5]| {
            let cell = |(text, width): (&String, &usize)| format!("{text:width$}");
            let cells: Vec<String> = row.iter().zip(&widths).map(cell).collect();
            format!("{}\n", cells.join("  ").trim_end())
        };
        rows.iter().map(line).collect::<String>() + &self.summary()
    }

    /// As JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// As a JUnit test suite, as build servers read it.
    pub fn junit(&self) -> String {
        junit::write(std::slice::from_ref(self))
    }
}

/// Reports of several labs as JUnit test suites.
pub fn junit(reports: &[Report]) -> String {
    junit::write(reports)
}

impl Outcome {
    /// `passed  name (seconds)`, and what was seen instead where it failed.
    pub fn line(&self) -> String {
        let (name, time) = (clean(&self.name), self.seconds);
        let word = self.word();
        if self.passed {
            return format!("{word}  {name} ({time:.1} s)\n");
        }
        let mut out = format!("{word}  {name} ({time:.1} s)\n");
        for problem in self.problems() {
            out.push_str(&format!("         {}\n", clean(problem)));
        }
        out
    }

    fn word(&self) -> &'static str {
        match (self.passed, self.skipped) {
            (true, _) => "passed ",
            (false, true) => "skipped",
            (false, false) => "FAILED ",
        }
    }

    fn row(&self) -> [String; 5] {
        let seen = match self.passed {
            true => String::new(),
            false => clean(&self.problems().join("; ")),
        };
        [
            self.word().trim_end().into(),
            clean(&self.node),
            clean(&self.name),
            format!("{:.1}", self.seconds),
            seen,
        ]
    }

    /// What was seen in place of what should be.
    fn problems(&self) -> Vec<&str> {
        let failed = self.findings.iter().filter(|f| !f.passed);
        let mut texts: Vec<&str> = failed.map(|f| f.message.as_str()).collect();
        texts.dedup();
        match texts.is_empty() {
            true => vec![&self.message],
            false => texts,
        }
    }

    /// One by one what it looked at, itself if that is one thing.
    pub fn rows(&self) -> Vec<Finding> {
        match self.findings.is_empty() {
            true => vec![Finding::new(&self.name, self.passed, &self.message)],
            false => self.findings.clone(),
        }
    }
}

/// Text as a terminal takes it in one line.
fn clean(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn report() -> Report {
        let outcome = |name: &str, passed| Outcome {
            name: name.into(),
            node: "r1".into(),
            passed,
            skipped: false,
            message: "status 1, \"<no>\"\u{1}".into(),
            unchanged: 0.0,
            findings: Vec::new(),
            attempts: 2,
            seconds: 0.25,
        };
        let mut several = outcome("r1: routing table", false);
        several.findings = vec![
            Finding::new("r1: table", false, "no route to 10.1.0.0/16"),
            Finding::new("r1: table", false, "2 routes instead of 3"),
        ];
        let mut skipped = outcome("later", false);
        skipped.skipped = true;
        skipped.message = "stopped".into();
        Report {
            lab: "a & b".into(),
            seconds: 1.5,
            outcomes: vec![
                outcome("good", true),
                outcome("r1: `x < y`", false),
                several,
                skipped,
            ],
        }
    }

    #[test]
    fn text_says_what_was_seen_instead() {
        let wanted = "\
passed   good (0.2 s)
FAILED   r1: `x < y` (0.2 s)
         status 1, \"<no>\"\u{20}
FAILED   r1: routing table (0.2 s)
         no route to 10.1.0.0/16
         2 routes instead of 3
skipped  later (0.2 s)
         stopped
1 passed, 2 failed, 1 skipped in 1.5 s
";
        assert_eq!(report().text(), wanted);
    }

    #[test]
    fn a_table_is_aligned() {
        let wanted = "\
OUTCOME  NODE  CHECK              SECONDS  SEEN
passed   r1    good               0.2
FAILED   r1    r1: `x < y`        0.2      status 1, \"<no>\"
FAILED   r1    r1: routing table  0.2      no route to 10.1.0.0/16; 2 routes instead of 3
skipped  r1    later              0.2      stopped
1 passed, 2 failed, 1 skipped in 1.5 s
";
        assert_eq!(report().table(), wanted);
    }

    #[test]
    fn json_has_what_programs_ask_for() {
        let json = report().json();
        assert_eq!(json["lab"], "a & b");
        assert_eq!(json["outcomes"][0]["passed"], true);
        assert_eq!(json["outcomes"][2]["findings"][1]["passed"], false);
        assert_eq!(json["outcomes"][3]["skipped"], true);
    }

    #[test]
    fn only_all_passed_is_passed() {
        let mut report = report();
        assert_eq!(report.exit_status(), 1);
        report.outcomes.truncate(1);
        assert_eq!(report.exit_status(), 0);
    }
}
