//! When which check is tried: pure, so that its rules can be tried without waiting. Times are
//! durations since the run began.
//!
//! A check that still fails goes back to the queue and others take its place, so that checks
//! which wait for their deadlines hold up none. Checks that something is *not* there are held
//! back until all others have ended.

use std::time::Duration;

/// Waits between two attempts: the first one, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// What a check that was held back has at least from its first attempt on.
const GRACE: Duration = Duration::from_secs(10);

/// A check on its way.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// Its number in the list of checks.
    pub(crate) number: usize,
    /// Whether it is held back until all others have ended.
    pub(crate) negative: bool,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// When it was tried first.
    pub(crate) began: Option<Duration>,
    /// What was seen last, and since when that.
    pub(crate) seen: Option<(String, Duration)>,
    within: Duration,
    due: Duration,
    wait: Duration,
}

impl Task {
    /// A check that may take `within` from its first attempt on.
    pub(crate) fn new(number: usize, negative: bool, within: Duration) -> Self {
        Self {
            number,
            negative,
            attempts: 0,
            began: None,
            seen: None,
            within,
            due: Duration::ZERO,
            wait: FIRST_WAIT,
        }
    }

    /// When its last attempt is.
    fn deadline(&self) -> Duration {
        let began = self.began.unwrap_or(self.due);
        match self.negative {
            true => self.within.max(began + GRACE.min(self.within)),
            false => began + self.within,
        }
    }

    /// Whether an attempt that begins now is its last.
    pub(crate) fn is_last(&self, now: Duration) -> bool {
        now >= self.deadline()
    }

    /// Remembers what an attempt that ended now saw.
    pub(crate) fn note(&mut self, text: &str, now: Duration) {
        match &self.seen {
            Some((last, _)) if last == text => {}
            _ => self.seen = Some((text.into(), now)),
        }
    }
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Try this one.
    Try(Task),
    /// Nothing before this time, unless another attempt ends.
    Wait(Duration),
    /// Nothing unless another attempt ends.
    Idle,
    /// All have ended.
    Done,
}

/// The checks that have not ended.
#[derive(Debug)]
pub(crate) struct Schedule {
    waiting: Vec<Task>,
    held: Vec<Task>,
    /// Attempts that go on.
    running: usize,
    /// Checks that are not held back and have not ended.
    positive: usize,
}

impl Schedule {
    /// All checks of a run.
    pub(crate) fn new(tasks: impl IntoIterator<Item = Task>) -> Self {
        let (held, waiting): (Vec<Task>, Vec<Task>) = tasks.into_iter().partition(|t| t.negative);
        let mut schedule = Self {
            positive: waiting.len(),
            waiting,
            held,
            running: 0,
        };
        schedule.release(Duration::ZERO);
        schedule
    }

    /// Lets those go that were held back, once nothing else is left.
    fn release(&mut self, now: Duration) {
        if self.positive == 0 {
            let due = |task: Task| Task { due: now, ..task };
            self.waiting.extend(self.held.drain(..).map(due));
        }
    }

    /// What to do at a time; a task that is given out comes back by [`Self::again`] or
    /// [`Self::end`].
    pub(crate) fn next(&mut self, now: Duration) -> Next {
        let first = self.waiting.iter().enumerate();
        let first = first.min_by_key(|(_, task)| (task.due, task.number));
        match first {
            Some((at, task)) if task.due <= now => {
                let mut task = self.waiting.swap_remove(at);
                self.running += 1;
                task.attempts += 1;
                task.began.get_or_insert(now);
                Next::Try(task)
            }
            Some((_, task)) => Next::Wait(task.due),
            None if self.running > 0 || !self.held.is_empty() => Next::Idle,
            None => Next::Done,
        }
    }

    /// Takes back a check that is to be tried again, the last time at its deadline.
    pub(crate) fn again(&mut self, mut task: Task, now: Duration) {
        self.running -= 1;
        task.due = (now + task.wait).min(task.deadline().max(now));
        task.wait = (task.wait * 2).min(LONGEST_WAIT);
        self.waiting.push(task);
    }

    /// Takes note that a check has ended.
    pub(crate) fn end(&mut self, task: &Task, now: Duration) {
        self.running -= 1;
        if !task.negative {
            self.positive -= 1;
            self.release(now);
        }
    }

    /// Gives up all that is not being tried.
    pub(crate) fn give_up(&mut self) -> Vec<Task> {
        let mut all = std::mem::take(&mut self.waiting);
        all.append(&mut self.held);
        self.positive -= all.iter().filter(|t| !t.negative).count();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MOMENT: Duration = Duration::from_millis(10);

    /// Runs a schedule by one worker whose attempts take a moment; gives who ended when, and
    /// whether it passed.
    fn drive(
        tasks: Vec<Task>,
        passes: impl Fn(usize, Duration) -> bool,
    ) -> Vec<(usize, Duration, bool)> {
        let mut schedule = Schedule::new(tasks);
        let (mut now, mut out) = (Duration::ZERO, Vec::new());
        loop {
            match schedule.next(now) {
                Next::Done => return out,
                Next::Idle => panic!("nothing runs, and nothing is due"),
                Next::Wait(until) => now = until,
                Next::Try(task) => {
                    let last = task.is_last(now);
                    now += MOMENT;
                    let right = passes(task.number, now);
                    match right || last {
                        true => {
                            schedule.end(&task, now);
                            out.push((task.number, now, right));
                        }
                        false => schedule.again(task, now),
                    }
                }
            }
        }
    }

    fn task(number: usize, negative: bool, seconds: u64) -> Task {
        Task::new(number, negative, Duration::from_secs(seconds))
    }

    #[test]
    fn a_check_is_tried_until_it_holds() {
        let ended = drive(vec![task(0, false, 60)], |_, now| now >= 5 * SECOND);
        assert!(ended[0].2);
        assert!(ended[0].1 < 7 * SECOND, "{ended:?}");
    }

    #[test]
    fn the_last_attempt_is_at_the_deadline() {
        let ended = drive(vec![task(0, false, 3)], |_, _| false);
        assert_eq!(ended, [(0, 3 * SECOND + MOMENT, false)]);
        let ended = drive(vec![task(0, false, 0)], |_, _| false);
        assert_eq!(ended, [(0, MOMENT, false)]);
    }

    #[test]
    fn checks_that_fail_hold_up_none() {
        let tasks = (0..50).map(|n| task(n, false, 60)).collect();
        let ended = drive(tasks, |number, _| number == 49);
        assert_eq!(ended[0].0, 49);
        assert!(ended[0].1 <= SECOND, "{:?}", ended[0]);
        // one worker gives fifty checks an attempt each in half a second
        assert!(ended.iter().all(|e| e.1 < 62 * SECOND), "{ended:?}");
    }

    #[test]
    fn what_must_not_be_there_is_looked_at_in_the_end() {
        let tasks = vec![task(0, true, 60), task(1, false, 60)];
        let ended = drive(tasks, |number, now| number == 0 || now > 4 * SECOND);
        assert_eq!([ended[0].0, ended[1].0], [1, 0]);
        assert!(ended[1].1 > 4 * SECOND && ended[1].2);
        let ended = drive(vec![task(0, true, 60)], |_, _| true);
        assert_eq!(ended, [(0, MOMENT, true)]);
    }

    #[test]
    fn what_was_held_back_has_time_left() {
        let tasks = vec![task(0, true, 20), task(1, false, 20)];
        let ended = drive(tasks, |_, _| false);
        let after = ended[1].1 - ended[0].1;
        assert!(after >= GRACE && after < GRACE + SECOND, "{ended:?}");
    }

    #[test]
    fn since_when_the_same_is_seen() {
        let mut task = task(0, false, 1);
        task.note("a", SECOND);
        task.note("b", 2 * SECOND);
        task.note("b", 3 * SECOND);
        assert_eq!(task.seen, Some(("b".into(), 2 * SECOND)));
    }

    #[test]
    fn giving_up_ends_it() {
        let mut schedule = Schedule::new([task(0, false, 60), task(1, true, 60)]);
        let Next::Try(tried) = schedule.next(Duration::ZERO) else {
            panic!("nothing to try")
        };
        assert_eq!(schedule.give_up().len(), 1);
        assert!(matches!(schedule.next(SECOND), Next::Idle));
        schedule.end(&tried, SECOND);
        assert!(matches!(schedule.next(SECOND), Next::Done));
    }
}
