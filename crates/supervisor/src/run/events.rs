//! What has happened in a lab, kept for whoever asks later.

use std::time::Instant;

use crate::proto::{Event, What};

/// Events kept; older ones are forgotten.
const KEPT: usize = 100_000;

/// The lab's events so far.
pub(super) struct Events {
    began: Instant,
    /// Events forgotten at the front.
    forgotten: usize,
    list: std::collections::VecDeque<Event>,
}

impl Events {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            forgotten: 0,
            list: std::collections::VecDeque::new(),
        }
    }

    pub(super) fn push(&mut self, node: Option<&str>, what: What) {
        if self.list.len() == KEPT {
            self.list.pop_front();
            self.forgotten += 1;
        }
        self.list.push_back(Event {
            at: self.began.elapsed().as_secs_f64(),
            node: node.map(str::to_string),
            what,
        });
    }

    /// How many there were so far.
    pub(super) fn count(&self) -> usize {
        self.forgotten + self.list.len()
    }

    /// Those from number `from` on.
    pub(super) fn since(&self, from: usize) -> impl Iterator<Item = &Event> {
        self.list.iter().skip(from.saturating_sub(self.forgotten))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_when_old_ones_are_forgotten() {
        let mut events = Events::new();
        for _ in 0..KEPT + 5 {
            events.push(None, What::Built);
        }
        events.push(Some("r1"), What::Starting);
        assert_eq!(events.count(), KEPT + 6);
        let last: Vec<_> = events.since(KEPT + 5).collect();
        assert_eq!(last.len(), 1);
        assert_eq!(last[0].node.as_deref(), Some("r1"));
        assert_eq!(events.since(0).count(), KEPT);
    }
}
