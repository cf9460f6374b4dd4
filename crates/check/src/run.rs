//! Runs checks: several at once, each again and again until it holds or its deadline is over.
//!
//! A check that something is *not* there would also hold before it comes. Such checks are looked
//! at when the lab shows what it is to show: when all others have ended and so has the startup of
//! all nodes (at their deadline, that of their own node).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lab::{Check, Lab};

use crate::attempt::{Finding, Seen, attempt, is_negative};
use crate::describe::describe;
use crate::schedule::{Next, Schedule, Task};
use crate::{AccessError, NodeAccess, Outcome, Report};

/// Deadline of a check that names none, in seconds.
const WITHIN: f64 = 60.0;
/// How often a worker that waits looks whether it is to stop.
const GLANCE: Duration = Duration::from_millis(50);

/// How checks are run.
pub struct Options<'a> {
    /// Checks at once.
    pub jobs: usize,
    /// Deadline in seconds of checks that name none.
    pub within: Option<f64>,
    /// Set from elsewhere: stop; what has not ended counts as skipped.
    pub cancel: &'a AtomicBool,
    /// Told each outcome as it comes, from any thread.
    pub progress: &'a (dyn Fn(&Outcome) + Sync),
}

/// Runs all checks of a lab; their outcomes are in the order of the checks.
pub fn run(lab: &Lab, checks: &[Check], access: &dyn NodeAccess, options: &Options<'_>) -> Report {
    let task = |(number, check): (usize, &Check)| {
        let seconds = check.within.or(options.within).unwrap_or(WITHIN);
        let within = Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0));
        Task::new(number, is_negative(&check.test), within)
    };
    let run = Run {
        lab,
        checks,
        access,
        options,
        began: Instant::now(),
        schedule: Mutex::new(Schedule::new(checks.iter().enumerate().map(task))),
        changed: Condvar::new(),
        done: Mutex::new(Vec::with_capacity(checks.len())),
        started: Mutex::new(0),
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, 64).min(checks.len()) {
            scope.spawn(|| run.work());
        }
    });
    let mut outcomes = run
        .done
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(number, _)| *number);
    Report {
        lab: lab.name.clone(),
        seconds: run.began.elapsed().as_secs_f64(),
        outcomes: outcomes.into_iter().map(|(_, o)| o).collect(),
    }
}

struct Run<'a> {
    lab: &'a Lab,
    checks: &'a [Check],
    access: &'a dyn NodeAccess,
    options: &'a Options<'a>,
    began: Instant,
    schedule: Mutex<Schedule>,
    changed: Condvar,
    done: Mutex<Vec<(usize, Outcome)>>,
    /// How many nodes, from the first one on, are known to have started.
    started: Mutex<usize>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run<'_> {
    fn work(&self) {
        while let Some(task) = self.take() {
            self.see(task);
            self.changed.notify_all();
        }
        self.changed.notify_all();
    }

    /// The next task, when it is due; none when all have ended or are to.
    fn take(&self) -> Option<Task> {
        let mut schedule = lock(&self.schedule);
        loop {
            if self.options.cancel.load(Ordering::Relaxed) {
                let left = schedule.give_up();
                drop(schedule);
                left.into_iter().for_each(|task| self.skip(task));
                return None;
            }
            let now = self.began.elapsed();
            let wait = match schedule.next(now) {
                Next::Try(task) => return Some(task),
                Next::Done => return None,
                Next::Wait(until) => until.saturating_sub(now).min(GLANCE),
                Next::Idle => GLANCE,
            };
            let waited = self.changed.wait_timeout(schedule, wait);
            schedule = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Tries a check once, and ends it or puts it back.
    fn see(&self, mut task: Task) {
        let last = task.is_last(self.began.elapsed());
        let seen = self.attempt(&task, last);
        let now = self.began.elapsed();
        let stopped = self.options.cancel.load(Ordering::Relaxed);
        let (passed, never, message, findings) = summary(seen);
        task.note(&message, now);
        if passed || never || last {
            let outcome = self.outcome(&task, passed, message, findings);
            self.tell(&task, outcome);
            lock(&self.schedule).end(&task, now);
        } else if stopped {
            lock(&self.schedule).end(&task, now);
            self.skip(task);
        } else {
            lock(&self.schedule).again(task, now);
        }
    }

    fn attempt(&self, task: &Task, last: bool) -> Seen {
        let test = &self.checks[task.number].test;
        if task.negative
            && let Some(node) = self.starts()
            && (!last || node == test.node())
        {
            return Seen::Wrong(format!("the startup of {node} has not ended"));
        }
        attempt(self.lab, self.access, test)
    }

    /// A node whose startup goes on.
    fn starts(&self) -> Option<&str> {
        let mut started = lock(&self.started);
        while let Some((name, _)) = self.lab.nodes.get_index(*started) {
            match self.access.startup(name) {
                Ok(None) | Err(AccessError::Timeout(_)) => return Some(name),
                // a node that does not run does not start either
                Ok(Some(_)) | Err(AccessError::Node(_)) => *started += 1,
            }
        }
        None
    }

    fn outcome(
        &self,
        task: &Task,
        passed: bool,
        message: String,
        findings: Vec<Finding>,
    ) -> Outcome {
        let check = &self.checks[task.number];
        let now = self.began.elapsed();
        let since = |moment: Option<Duration>| {
            let moment = moment.unwrap_or(now);
            now.saturating_sub(moment).as_secs_f64()
        };
        Outcome {
            name: check.name.clone().unwrap_or_else(|| describe(&check.test)),
            node: check.test.node().to_string(),
            passed,
            skipped: false,
            message,
            unchanged: since(task.seen.as_ref().map(|s| s.1)),
            findings,
            attempts: task.attempts,
            seconds: since(task.began),
        }
    }

    /// Says of a check that it was stopped before it ended.
    fn skip(&self, task: Task) {
        let message = match &task.seen {
            Some((seen, _)) => format!("stopped; {seen}"),
            None => "stopped before it was tried".into(),
        };
        let outcome = Outcome {
            skipped: true,
            ..self.outcome(&task, false, message, Vec::new())
        };
        self.tell(&task, outcome);
    }

    fn tell(&self, task: &Task, outcome: Outcome) {
        (self.options.progress)(&outcome);
        lock(&self.done).push((task.number, outcome));
    }
}

/// Whether it is right, whether it can never be, and what was seen, in words and one by one.
fn summary(seen: Seen) -> (bool, bool, String, Vec<Finding>) {
    match seen {
        Seen::Right(message) => (true, false, message, Vec::new()),
        Seen::Wrong(message) => (false, false, message, Vec::new()),
        Seen::Never(message) => (false, true, message, Vec::new()),
        Seen::Several(findings) => {
            let passed = findings.iter().all(|f| f.passed);
            let told = findings.iter().filter(|f| f.passed == passed);
            let mut texts: Vec<&str> = told.map(|f| f.message.as_str()).collect();
            texts.dedup();
            (passed, false, texts.join("; "), findings)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Output;
    use lab::Test;
    use std::sync::atomic::AtomicUsize;

    /// A node where a command succeeds from the third time on, but for `never`.
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

    fn run_all(checks: &[Check], access: &dyn NodeAccess, cancel: &AtomicBool) -> Report {
        let options = Options {
            jobs: 2,
            within: None,
            cancel,
            progress: &|_| {},
        };
        run(&lab(), checks, access, &options)
    }

    fn slow(checks: &[Check]) -> Report {
        run_all(checks, &Slow(AtomicUsize::new(0)), &AtomicBool::new(false))
    }

    #[test]
    fn a_check_is_tried_until_it_holds() {
        let report = slow(&[command("n", "x", 30.0)]);
        assert!(report.passed());
        assert_eq!(report.outcomes[0].attempts, 3);
    }

    #[test]
    fn what_was_seen_last_is_told() {
        let report = slow(&[command("n", "never", 0.0), command("absent", "x", 30.0)]);
        assert_eq!(report.failures(), 2);
        let [first, second] = &report.outcomes[..] else {
            panic!("two outcomes")
        };
        assert!(first.message.contains("status 1"), "{first:?}");
        assert_eq!(second.message, "the lab has no node `absent`");
    }

    #[test]
    fn failed_startup_never_passes() {
        let report = slow(&[Check::new(Test::Startup { node: "n".into() })]);
        assert_eq!(report.outcomes[0].attempts, 1);
        assert_eq!(report.outcomes[0].message, "line 3: false");
    }

    /// A node that starts for as long as it was asked less than five times.
    struct Starting(AtomicUsize);

    impl NodeAccess for Starting {
        fn exec(&self, _: &str, _: &[&str], _: Duration) -> Result<Output, AccessError> {
            assert!(self.0.load(Ordering::SeqCst) >= 5, "asked too early");
            Ok(Output {
                stdout: b"[]".to_vec(),
                ..Output::default()
            })
        }

        fn startup(&self, _: &str) -> Result<Option<Vec<String>>, AccessError> {
            let asked = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            Ok((asked >= 5).then(Vec::new))
        }
    }

    #[test]
    fn what_must_not_be_there_waits_for_the_startup() {
        let absent = Check::new(Test::Daemon {
            node: "n".into(),
            name: "ospfd".into(),
            pattern: false,
            absent: true,
        });
        let access = Starting(AtomicUsize::new(0));
        let report = run_all(&[absent], &access, &AtomicBool::new(false));
        assert!(report.passed(), "{report:?}");
        assert_eq!(report.outcomes[0].attempts, 5);
    }

    #[test]
    fn stopped_checks_are_skipped() {
        let cancel = AtomicBool::new(true);
        let access = Slow(AtomicUsize::new(0));
        let report = run_all(&[command("n", "x", 30.0)], &access, &cancel);
        assert!(report.outcomes[0].skipped && !report.passed());
        assert_eq!(report.failures(), 0);
    }
}
