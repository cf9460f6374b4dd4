//! Comma-separated values (RFC 4180), with the columns of kathara-lab-checker's files, so that
//! what reads those reads these.

use super::Report;
use crate::Finding;

/// `*_result_all.csv`: everything that was looked at.
pub fn csv_of_all(report: &Report) -> String {
    rows(report, |_| true)
}

/// `*_result_failed.csv`: what was not as it must be.
pub fn csv_of_failed(report: &Report) -> String {
    rows(report, |finding| !finding.passed)
}

/// `*_result_summary.csv`: how many.
pub fn csv_of_numbers(report: &Report) -> String {
    let Numbers { all, passed, .. } = numbers(report);
    let failed = all - passed;
    line(&["Total Tests", "Passed Tests", "Failed"])
        + &line(&[all.to_string(), passed.to_string(), failed.to_string()])
}

/// `results.csv`: a line for each of several labs.
pub fn csv_of_labs(reports: &[Report]) -> String {
    let mut out = line(&[
        "Student Name",
        "Tests Passed",
        "Tests Failed",
        "Tests Total Number",
        "Problems",
    ]);
    for report in reports {
        let Numbers {
            all,
            passed,
            problems,
        } = numbers(report);
        let problems = match problems.is_empty() {
            true => "None".to_string(),
            false => problems.join("\n"),
        };
        let cells = [passed, all - passed, all].map(|n| n.to_string());
        let cells: Vec<&str> = std::iter::once(report.lab.as_str())
            .chain(cells.iter().map(String::as_str))
            .chain([problems.as_str()])
            .collect();
        out.push_str(&line(&cells));
    }
    out
}

struct Numbers {
    all: usize,
    passed: usize,
    problems: Vec<String>,
}

fn numbers(report: &Report) -> Numbers {
    let rows: Vec<Finding> = report.outcomes.iter().flat_map(|o| o.rows()).collect();
    let failed = || rows.iter().filter(|r| !r.passed);
    let problem = |(number, row): (usize, &Finding)| {
        format!("{}: {}: {}", number + 1, row.about, row.message)
    };
    Numbers {
        all: rows.len(),
        passed: rows.len() - failed().count(),
        problems: failed().enumerate().map(problem).collect(),
    }
}

fn rows(report: &Report, wanted: impl Fn(&Finding) -> bool) -> String {
    let mut out = line(&["Test Description", "Passed", "Reason"]);
    let all = report.outcomes.iter().flat_map(|o| o.rows());
    for row in all.filter(|row| wanted(row)) {
        let (passed, reason) = match row.passed {
            true => ("True", "OK"),
            false => ("False", row.message.as_str()),
        };
        out.push_str(&line(&[&row.about, passed, reason]));
    }
    out
}

fn line<T: AsRef<str>>(cells: &[T]) -> String {
    let cells: Vec<String> = cells.iter().map(|c| cell(c.as_ref())).collect();
    cells.join(",") + "\r\n"
}

/// A cell, in quotes where it must be. A spreadsheet would take text that begins like a formula
/// for one: a lab's texts are not to be trusted, so that a quote stands before those.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = match formula {
        true => format!("'{text}"),
        false => text.to_string(),
    };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    #[test]
    fn everything_that_was_looked_at_is_a_line() {
        let wanted = "Test Description,Passed,Reason\r\n\
            good,True,OK\r\n\
            r1: `x < y`,False,\"status 1, \"\"<no>\"\"\u{1}\"\r\n\
            r1: table,False,no route to 10.1.0.0/16\r\n\
            r1: table,False,2 routes instead of 3\r\n\
            later,False,stopped\r\n";
        assert_eq!(csv_of_all(&report()), wanted);
        assert_eq!(csv_of_failed(&report()).lines().count(), 5);
        assert_eq!(
            csv_of_numbers(&report()),
            "Total Tests,Passed Tests,Failed\r\n5,1,4\r\n"
        );
    }

    #[test]
    fn labs_are_lines_with_their_problems() {
        let text = csv_of_labs(&[report()]);
        assert!(
            text.contains("a & b,1,4,5,\"1: r1: `x < y`: status 1"),
            "{text}"
        );
        let mut good = report();
        good.outcomes.truncate(1);
        assert!(csv_of_labs(&[good]).ends_with("a & b,1,0,1,None\r\n"));
    }

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("a=1"), "a=1");
    }
}
