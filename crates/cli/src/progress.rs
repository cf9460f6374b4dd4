//! Watching a lab come up: one line that changes on a terminal, plain lines elsewhere, and what
//! goes wrong as soon as it does.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use supervisor::client::Events;
use supervisor::proto::{Event, What};
use sys::epoll::{Poller, Signals};

use crate::failure::{Failure, reason};
use crate::problems;
use crate::ui::{self, Look};

const SIGNALS: u64 = 0;
const EVENTS: u64 = 1;

/// How often the line's time moves on.
const TICK: Duration = Duration::from_millis(100);

/// How often a plain line tells what is still waited for.
const REMINDER: Duration = Duration::from_secs(30);

/// After that time people are told how not to wait.
const LONG: Duration = Duration::from_secs(15);

/// How watching ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Every startup has ended.
    Ready,
    /// The time was over before that; the lab is built.
    TimeOver,
    /// A node could not be made: the node and why.
    Broken(Option<String>, String),
    /// The lab has ended.
    Gone,
    /// A signal came.
    Interrupted(i32),
}

/// A lab coming up.
#[derive(Debug)]
pub(crate) struct Watch {
    nodes: usize,
    wires: usize,
    began: Instant,
    built: bool,
    /// Nodes whose startup runs.
    starting: BTreeSet<String>,
    ended: usize,
    /// Nodes whose startup failed.
    pub(crate) failed: Vec<String>,
    /// Whether standard error shows the changing line, or plain lines, or (`None`) nothing.
    live: Option<bool>,
    shown: bool,
    wide: bool,
}

impl Watch {
    /// Of a lab of so many nodes and wires; `quiet`: only problems are told.
    pub(crate) fn new(nodes: usize, wires: usize, quiet: bool, wide: bool) -> Self {
        Self {
            nodes,
            wires,
            began: Instant::now(),
            built: false,
            starting: BTreeSet::new(),
            ended: 0,
            failed: Vec::new(),
            live: (!quiet).then(|| io::stderr().is_terminal()),
            shown: false,
            wide,
        }
    }

    /// Watches until the lab is ready, or built and `at_most` over. `when_built` is called once.
    pub(crate) fn until_ready(
        &mut self,
        mut events: Events,
        signals: &Signals,
        at_most: Option<Duration>,
        mut when_built: impl FnMut(),
    ) -> Result<End, Failure> {
        let mut poller = poller(&events, signals).map_err(unwatchable)?;
        let by = at_most.map(|t| self.began + t);
        loop {
            let left = by.map(|by| by.saturating_duration_since(Instant::now()));
            if self.built && left.is_some_and(|l| l.is_zero()) {
                self.wipe();
                return Ok(End::TimeOver);
            }
            self.draw();
            let ready = poller.wait(self.patience(left)).map_err(unwatchable)?;
            if ready.is_empty() && left.is_none_or(|l| l > REMINDER) {
                self.say(&self.line(usize::MAX));
            }
            for ready in ready {
                let end = match ready.token {
                    SIGNALS => signals.take().map(End::Interrupted),
                    _ => self.hear(&mut events, &mut when_built)?,
                };
                if let Some(end) = end {
                    self.wipe();
                    return Ok(end);
                }
            }
        }
    }

    /// How long to wait for the next event.
    fn patience(&self, left: Option<Duration>) -> Option<Duration> {
        let tick = self.live.map(|live| if live { TICK } else { REMINDER });
        let left = left.filter(|_| self.built);
        match (tick, left) {
            (Some(tick), Some(left)) => Some(tick.min(left)),
            (one, other) => one.or(other),
        }
    }

    fn hear(
        &mut self,
        events: &mut Events,
        when_built: &mut impl FnMut(),
    ) -> Result<Option<End>, Failure> {
        let Some(list) = events.poll()? else {
            return Ok(Some(End::Gone));
        };
        for event in list {
            let built = self.built;
            if let Some(end) = self.note(event) {
                return Ok(Some(end));
            }
            if self.built && !built {
                when_built();
            }
        }
        Ok(None)
    }

    /// Takes an event in.
    fn note(&mut self, event: Event) -> Option<End> {
        let node = event.node.unwrap_or_default();
        match event.what {
            What::Built => {
                self.built = true;
                self.say(&self.built_line());
            }
            What::Broken { message } if !self.built => {
                return Some(End::Broken(Some(node).filter(|n| !n.is_empty()), message));
            }
            What::Broken { message } => self.problem(&format!("{node}: {message}")),
            What::Starting => drop(self.starting.insert(node)),
            What::Script {
                title,
                status,
                failures,
            } => {
                if status != 0 || (self.wide && !failures.is_empty()) {
                    self.wipe();
                    problems::tell(&node, &title, status, &failures);
                }
            }
            What::Ready => self.end(&node),
            What::Failed { .. } => {
                self.end(&node);
                self.failed.push(node);
            }
            What::Blocked { by } => {
                self.problem(&format!(
                    "{node}: does not start, for the startup of {by} failed"
                ));
                self.end(&node);
                self.failed.push(node);
            }
            What::Stopped => {
                self.problem(&format!("{node}: its process 1 has ended"));
                self.starting.remove(&node);
                self.failed.push(node);
            }
            What::Warning { message } => self.warn(&node, &message),
            What::AllReady => return Some(End::Ready),
            What::Ending => return Some(End::Gone),
            What::Restarted | What::Plugged { .. } => {}
        }
        None
    }

    fn end(&mut self, node: &str) {
        self.starting.remove(node);
        self.ended += 1;
    }

    fn warn(&mut self, node: &str, message: &str) {
        self.wipe();
        let message = match node {
            "" => ui::harmless(message),
            node => format!("{node}: {}", ui::harmless(message)),
        };
        ui::warning(&message, None);
    }

    fn problem(&mut self, message: &str) {
        self.wipe();
        ui::error(&ui::harmless(message), None);
    }

    fn built_line(&self) -> String {
        format!(
            "built {} and {} in {}",
            ui::count(self.nodes, "node"),
            ui::count(self.wires, "wire"),
            crate::span::show(self.began.elapsed().as_secs_f64())
        )
    }

    /// A plain line, where lines are plain.
    fn say(&self, text: &str) {
        if self.live == Some(false) {
            ui::err(&format!("{text}\n"));
        }
    }

    fn draw(&mut self) {
        if self.live != Some(true) {
            return;
        }
        let color = ui::err_color();
        let time = crate::span::show(self.began.elapsed().as_secs_f64());
        let (_, columns) = crate::terminal::size();
        let text = self.line(usize::from(columns).saturating_sub(2 + time.len()));
        ui::err(&format!(
            "\r\x1b[K{} {text}",
            Look::Faint.paint(&time, color)
        ));
        self.shown = true;
    }

    fn line(&self, width: usize) -> String {
        let text = match (self.built, self.starting.len()) {
            (false, _) => format!("building {}", ui::count(self.nodes, "node")),
            (true, 0) => format!("started {} of {}", self.ended, self.nodes),
            (true, _) => {
                let names: Vec<&str> = self.starting.iter().take(8).map(String::as_str).collect();
                let more = self.starting.len().saturating_sub(names.len());
                let more = if more > 0 {
                    format!(" and {more} more")
                } else {
                    String::new()
                };
                format!(
                    "started {} of {}; starting {}{more}",
                    self.ended,
                    self.nodes,
                    names.join(" ")
                )
            }
        };
        let hint = if self.began.elapsed() > LONG {
            " (Ctrl-C ends the lab)"
        } else {
            ""
        };
        let room = width.max(20).saturating_sub(hint.len());
        let text: String = text.chars().take(room).collect();
        text + hint
    }

    /// Takes the changing line away, so that something else can be written.
    pub(crate) fn wipe(&mut self) {
        if std::mem::take(&mut self.shown) {
            ui::err("\r\x1b[K");
        }
    }
}

fn unwatchable(error: io::Error) -> Failure {
    Failure::failed(format!("the lab cannot be watched: {}", reason(&error)))
}

fn poller(events: &Events, signals: &Signals) -> io::Result<Poller> {
    let poller = Poller::new()?;
    poller.add(signals, SIGNALS)?;
    poller.add(events, EVENTS)?;
    Ok(poller)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(node: &str, what: What) -> Event {
        Event {
            at: 0.0,
            node: Some(node.into()).filter(|n: &String| !n.is_empty()),
            what,
        }
    }

    fn watch() -> Watch {
        Watch::new(3, 2, true, false)
    }

    #[test]
    fn a_lab_is_ready_when_it_says_so() {
        let mut watch = watch();
        assert_eq!(watch.note(event("", What::Built)), None);
        assert_eq!(watch.note(event("r1", What::Starting)), None);
        assert!(watch.line(80).contains("starting r1"));
        assert_eq!(watch.note(event("r1", What::Ready)), None);
        assert_eq!(watch.line(80), "started 1 of 3");
        assert_eq!(watch.note(event("", What::AllReady)), Some(End::Ready));
        assert!(watch.failed.is_empty());
    }

    #[test]
    fn a_node_that_cannot_be_made_ends_a_lab_only_while_it_is_built() {
        let broken = || What::Broken {
            message: "no".into(),
        };
        let mut watch = watch();
        assert_eq!(
            watch.note(event("r1", broken())),
            Some(End::Broken(Some("r1".into()), "no".into()))
        );
        watch.note(event("", What::Built));
        assert_eq!(watch.note(event("r1", broken())), None);
    }

    #[test]
    fn failures_are_kept_by_node() {
        let mut watch = watch();
        watch.note(event(
            "r1",
            What::Failed {
                message: "x".into(),
            },
        ));
        watch.note(event("r2", What::Blocked { by: "r1".into() }));
        assert_eq!(watch.failed, ["r1", "r2"]);
    }
}
