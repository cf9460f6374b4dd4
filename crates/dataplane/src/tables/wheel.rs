//! A hierarchical timer wheel over nanoseconds.
//!
//! Eleven levels of 64 places cover all of `u64`; a timer lies on the level of the highest 6-bit digit in
//! which its deadline differs from the wheel's time, so scheduling and cancelling take constant time and a
//! timer moves down at most ten times (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP
//! 1987). The lowest level tells single nanoseconds apart, so expiry is exactly in order of deadlines;
//! timers with the same deadline expire in the order in which they were scheduled.

const BITS: u32 = 6;
const PLACES: usize = 1 << BITS;
const LEVELS: usize = 11;
const NIL: u32 = u32::MAX;

/// A timer that was scheduled; it outlives the timer without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerId {
    at: u32,
    generation: u32,
}

#[derive(Clone, Debug)]
struct Node<T> {
    value: Option<T>,
    deadline: u64,
    generation: u32,
    next: u32,
    previous: u32,
    place: u32,
}

/// The timers of a place, in the order in which they were scheduled: as all timers of one deadline lie in
/// one place at any time and move down together in order, those of one deadline stay in that order.
#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
}

const EMPTY: List = List {
    head: NIL,
    tail: NIL,
};

/// The wheel; `T` is what a timer stands for.
#[derive(Clone, Debug)]
pub struct Wheel<T> {
    now: u64,
    nodes: Vec<Node<T>>,
    free: Vec<u32>,
    lists: Box<[List]>,
    /// The next deadline, where it is known.
    soonest: Option<u64>,
    /// Per level, which places hold something.
    used: [u64; LEVELS],
    count: usize,
}

impl<T> Wheel<T> {
    /// An empty wheel whose time is `now` (nanoseconds).
    #[must_use]
    pub fn new(now: u64) -> Self {
        Self {
            now,
            nodes: Vec::new(),
            free: Vec::new(),
            lists: vec![EMPTY; LEVELS * PLACES].into_boxed_slice(),
            soonest: None,
            used: [0; LEVELS],
            count: 0,
        }
    }

    /// The wheel's time: that up to which timers have expired.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now
    }

    /// The number of timers that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether no timer waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Schedules a timer; a deadline that has passed counts as now.
    pub fn schedule(&mut self, deadline: u64, value: T) -> TimerId {
        let at = self.free.pop().unwrap_or_else(|| self.grow());
        let deadline = deadline.max(self.now);
        let node = &mut self.nodes[at as usize];
        (node.value, node.deadline) = (Some(value), deadline);
        let id = TimerId {
            at,
            generation: node.generation,
        };
        self.soonest = match self.soonest {
            None if self.count > 0 => None,
            other => Some(other.map_or(deadline, |soonest| soonest.min(deadline))),
        };
        self.count += 1;
        self.link(at);
        id
    }

    /// Takes a timer back; `None` if it has expired or was cancelled.
    pub fn cancel(&mut self, id: TimerId) -> Option<T> {
        let node = self.nodes.get(id.at as usize)?;
        if node.generation != id.generation || node.value.is_none() {
            return None;
        }
        self.unlink(id.at);
        self.retire(id.at)
    }

    /// The deadline of the timer that expires next. Constant time, but after that timer went away, when the
    /// timers of one place are looked through.
    pub fn next_deadline(&mut self) -> Option<u64> {
        if self.soonest.is_none() {
            self.soonest = self.find_soonest();
        }
        self.soonest
    }

    fn find_soonest(&self) -> Option<u64> {
        let level = (0..LEVELS).find(|&level| self.used[level] != 0)?;
        let place = level * PLACES + self.used[level].trailing_zeros() as usize;
        let node = |at: u32| self.nodes.get(at as usize);
        let mut timers =
            std::iter::successors(node(self.lists[place].head), |timer| node(timer.next));
        // on the lowest level all timers of a place have one deadline
        if level == 0 {
            timers.next().map(|timer| timer.deadline)
        } else {
            timers.map(|timer| timer.deadline).min()
        }
    }

    /// The next timer whose deadline is at most `now`, with its deadline; the wheel's time moves on to it, and
    /// to `now` when there is none. To be called until it says `None`.
    pub fn expire(&mut self, now: u64) -> Option<(u64, T)> {
        let Some(deadline) = self.next_deadline().filter(|&deadline| deadline <= now) else {
            self.move_to(now.max(self.now));
            return None;
        };
        self.move_to(deadline);
        let at = self.lists[digit(deadline, 0)].head;
        self.unlink(at);
        self.retire(at).map(|value| (deadline, value))
    }

    /// Sets the time, before which no timer waits, and moves the timers of its places down.
    fn move_to(&mut self, now: u64) {
        let differs = now ^ self.now;
        self.now = now;
        for level in (1..LEVELS)
            .rev()
            .filter(|&level| differs >> (BITS * level as u32) != 0)
        {
            let place = level * PLACES + digit(now, level);
            let mut at = std::mem::replace(&mut self.lists[place], EMPTY).head;
            self.used[level] &= !(1 << digit(now, level));
            while at != NIL {
                let next = self.nodes[at as usize].next;
                self.link(at);
                at = next;
            }
        }
    }

    fn grow(&mut self) -> u32 {
        let at = self.nodes.len() as u32;
        self.nodes.push(Node {
            value: None,
            deadline: 0,
            generation: 0,
            next: NIL,
            previous: NIL,
            place: 0,
        });
        at
    }

    fn retire(&mut self, at: u32) -> Option<T> {
        let node = &mut self.nodes[at as usize];
        node.generation = node.generation.wrapping_add(1);
        self.free.push(at);
        self.count -= 1;
        let last_of_place = self.lists[digit(node.deadline, 0)].head == NIL;
        if self.soonest == Some(node.deadline) && (node.place as usize >= PLACES || last_of_place) {
            self.soonest = None;
        }
        node.value.take()
    }

    fn link(&mut self, at: u32) {
        let deadline = self.nodes[at as usize].deadline;
        let differs = deadline ^ self.now;
        let level = (differs.checked_ilog2().unwrap_or(0) / BITS) as usize;
        let place = level * PLACES + digit(deadline, level);
        let tail = std::mem::replace(&mut self.lists[place].tail, at);
        let node = &mut self.nodes[at as usize];
        (node.next, node.previous, node.place) = (NIL, tail, place as u32);
        match self.nodes.get_mut(tail as usize) {
            Some(before) => before.next = at,
            None => self.lists[place].head = at,
        }
        self.used[level] |= 1 << (place % PLACES);
    }

    fn unlink(&mut self, at: u32) {
        let node = &self.nodes[at as usize];
        let (next, previous, place) = (node.next, node.previous, node.place as usize);
        match self.nodes.get_mut(next as usize) {
            Some(after) => after.previous = previous,
            None => self.lists[place].tail = previous,
        }
        match self.nodes.get_mut(previous as usize) {
            Some(before) => before.next = next,
            None => self.lists[place].head = next,
        }
        if self.lists[place].head == NIL {
            self.used[place / PLACES] &= !(1 << (place % PLACES));
        }
    }
}

/// The digit of a time that says its place on a level.
fn digit(time: u64, level: usize) -> usize {
    (time >> (BITS * level as u32)) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Schedule(u64),
        Cancel(usize),
        Run(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let span = (0u32..50).prop_flat_map(|bits| 0..=(1u64 << bits));
        prop_oneof![
            4 => span.clone().prop_map(Step::Schedule),
            1 => (0usize..100).prop_map(Step::Cancel),
            2 => span.prop_map(Step::Run),
        ]
    }

    /// Runs both to `now` and compares what expires.
    fn run(wheel: &mut Wheel<usize>, model: &mut Vec<(u64, usize)>, now: u64) {
        model.sort_unstable();
        assert_eq!(
            wheel.next_deadline(),
            model.first().map(|&(deadline, _)| deadline)
        );
        let due = model.partition_point(|&(deadline, _)| deadline <= now);
        for expected in model.drain(..due) {
            assert_eq!(wheel.expire(now), Some(expected));
        }
        assert_eq!(wheel.expire(now), None);
        assert_eq!(wheel.len(), model.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn expires_as_a_sorted_list(start in any::<u32>(), steps in prop::collection::vec(step(), 1..150)) {
            let mut wheel = Wheel::new(u64::from(start));
            let (mut ids, mut model) = (Vec::new(), Vec::<(u64, usize)>::new());
            for step in steps {
                match step {
                    Step::Schedule(after) => {
                        let deadline = wheel.now() + after;
                        model.push((deadline, ids.len()));
                        ids.push(wheel.schedule(deadline, ids.len()));
                    }
                    Step::Cancel(which) if !ids.is_empty() => {
                        let which = which % ids.len();
                        let at = model.iter().position(|&(_, id)| id == which);
                        prop_assert_eq!(wheel.cancel(ids[which]), at.map(|at| model.remove(at).1));
                    }
                    Step::Cancel(_) => {}
                    Step::Run(span) => {
                        let now = wheel.now() + span;
                        run(&mut wheel, &mut model, now);
                    }
                }
            }
            run(&mut wheel, &mut model, u64::MAX);
        }
    }
}
