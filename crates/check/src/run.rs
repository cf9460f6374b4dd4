//! Runs checks: several at once, each again and again until it holds or its deadline is over.
//!
//! A check that something is *not* there would also hold before it comes. Such checks run when
//! all others have ended, and so when the lab shows what it is to show.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lab::{Check, Lab};

use crate::attempt::{Seen, attempt, is_negative};
use crate::report::describe;
use crate::{NodeAccess, Outcome, Report};

/// Deadline of a check that names none.
const WITHIN: f64 = 60.0;
/// Waits between two attempts: the first one, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_millis(1000);
/// How often a check that waits looks whether it is to stop.
const GLANCE: Duration = Duration::from_millis(50);

/// How checks are run.
pub struct Options<'a> {
    /// Checks at once.
    pub jobs: usize,
    /// Deadline in seconds of checks that name none.
    pub within: Option<f64>,
    /// Set from elsewhere: stop, what has not passed fails.
    pub cancel: &'a AtomicBool,
    /// Told each outcome as it comes, from any thread.
    pub progress: &'a (dyn Fn(&Outcome) + Sync),
}

/// Runs all checks of a lab; their outcomes are in the order of the checks.
pub fn run(lab: &Lab, checks: &[Check], access: &dyn NodeAccess, options: &Options<'_>) -> Report {
    let began = Instant::now();
    let numbered = || checks.iter().enumerate();
    let mut outcomes: Vec<(usize, Outcome)> = Vec::with_capacity(checks.len());
    let (negative, positive): (Vec<_>, Vec<_>) =
        numbered().partition(|(_, c)| is_negative(&c.test));
    for round in [positive, negative] {
        outcomes.extend(run_round(lab, round, access, options));
    }
    outcomes.sort_by_key(|(number, _)| *number);
    Report {
        lab: lab.name.clone(),
        seconds: began.elapsed().as_secs_f64(),
        outcomes: outcomes.into_iter().map(|(_, o)| o).collect(),
    }
}

fn run_round(
    lab: &Lab,
    round: Vec<(usize, &Check)>,
    access: &dyn NodeAccess,
    options: &Options<'_>,
) -> Vec<(usize, Outcome)> {
    let began = Instant::now();
    let workers = options.jobs.clamp(1, 64).min(round.len());
    let queue = Mutex::new(VecDeque::from(round));
    let done = Mutex::new(Vec::new());
    let next = || {
        queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((number, check)) = next() {
                    let outcome = see_through(lab, check, access, options, began);
                    (options.progress)(&outcome);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((number, outcome));
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Tries a check until it holds, cannot hold any more, or has had its time. The time of a check
/// that waited for a free worker counts from its first attempt, not from the round's begin.
fn see_through(
    lab: &Lab,
    check: &Check,
    access: &dyn NodeAccess,
    options: &Options<'_>,
    round: Instant,
) -> Outcome {
    let within = check
        .within
        .or(options.within)
        .unwrap_or(WITHIN)
        .clamp(0.0, 86_400.0);
    let began = Instant::now();
    let deadline = round.max(began) + Duration::from_secs_f64(within);
    let mut wait = FIRST_WAIT;
    let mut attempts = 0;
    loop {
        attempts += 1;
        let (passed, message, last) = match attempt(lab, access, &check.test) {
            Seen::Right(message) => (true, message, true),
            Seen::Never(message) => (false, message, true),
            Seen::Wrong(message) => (false, message, false),
        };
        let stopped = options.cancel.load(Ordering::Relaxed);
        if last || stopped || Instant::now() >= deadline {
            let message = if stopped && !passed {
                format!("stopped; {message}")
            } else {
                message
            };
            return Outcome {
                name: check.name.clone().unwrap_or_else(|| describe(&check.test)),
                node: check.test.node().to_string(),
                passed,
                message,
                attempts,
                seconds: began.elapsed().as_secs_f64(),
            };
        }
        pause(
            wait.min(deadline.saturating_duration_since(Instant::now())),
            options.cancel,
        );
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

fn pause(time: Duration, cancel: &AtomicBool) {
    let until = Instant::now() + time;
    while !cancel.load(Ordering::Relaxed) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(GLANCE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccessError, Output};
    use lab::Test;
    use std::sync::atomic::AtomicUsize;

    /// A node where a command succeeds from the third time on.
    struct Slow(AtomicUsize);

    impl NodeAccess for Slow {
        fn exec(&self, _: &str, argv: &[&str], _: Duration) -> Result<Output, AccessError> {
            let ready = self.0.fetch_add(1, Ordering::SeqCst) >= 2;
            let status = i32::from(!ready || argv.last() == Some(&"never"));
            Ok(Output {
                status,
                stdout: b"out".to_vec(),
                ..Output::default()
            })
        }

        fn startup(&self, _: &str) -> Result<Option<Vec<String>>, AccessError> {
            Ok(Some(vec!["line 3: false".into()]))
        }
    }

    fn lab() -> Lab {
        let mut lab = Lab::default();
        lab.nodes.insert("n".into(), lab::Node::default());
        lab
    }

    fn command(node: &str, run: &str, within: f64) -> Check {
        let test = Test::Command {
            node: node.into(),
            run: run.into(),
            matches: None,
            output: None,
            status: None,
        };
        Check {
            within: Some(within),
            ..Check::new(test)
        }
    }

    fn run_all(checks: &[Check]) -> Report {
        let cancel = AtomicBool::new(false);
        let options = Options {
            jobs: 2,
            within: None,
            cancel: &cancel,
            progress: &|_| {},
        };
        run(&lab(), checks, &Slow(AtomicUsize::new(0)), &options)
    }

    #[test]
    fn a_check_is_tried_until_it_holds() {
        let report = run_all(&[command("n", "x", 30.0)]);
        assert!(report.passed());
        assert_eq!(report.outcomes[0].attempts, 3);
    }

    #[test]
    fn a_deadline_ends_it_and_what_was_seen_is_told() {
        let report = run_all(&[command("n", "never", 0.2), command("absent", "x", 30.0)]);
        assert!(!report.passed());
        assert!(
            report.outcomes[0].message.contains("status 1"),
            "{:?}",
            report.outcomes[0]
        );
        assert_eq!(report.outcomes[1].message, "the lab has no node `absent`");
    }

    #[test]
    fn failed_startup_never_passes() {
        let report = run_all(&[Check::new(Test::Startup { node: "n".into() })]);
        assert_eq!(report.outcomes[0].attempts, 1);
        assert_eq!(report.outcomes[0].message, "line 3: false");
    }
}
