//! Rates of events: moving averages in fixed point, and evenly spaced sources.

/// Ticks a second of the rate estimators.
const TICKS: u64 = 1000;
/// Nanoseconds a tick.
const TICK_NS: u64 = 1_000_000_000 / TICKS;
/// An average moves by 1/2^STABILITY towards each new value.
const STABILITY: u32 = 4;
/// Binary digits after the point.
const SCALE: u32 = 10;
/// After so many ticks without events an average is as good as zero.
const FORGOTTEN: u64 = 600;

/// An exponentially weighted moving average with 10 binary digits after the point; each value weighs 1/16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ewma {
    scaled: i64,
}

impl Ewma {
    /// Moves the average towards `value`; the division rounds to the nearest.
    pub fn update(&mut self, value: i64) {
        let compensation = 1 << (STABILITY - 1);
        let distance = value.saturating_mul(1 << SCALE).saturating_sub(self.scaled);
        self.scaled += distance.saturating_add(compensation) >> STABILITY;
    }

    /// The average times 1024.
    #[must_use]
    pub fn scaled(self) -> i64 {
        self.scaled
    }

    /// The average, rounded to the nearest.
    #[must_use]
    pub fn unscaled(self) -> i64 {
        (self.scaled + (1 << (SCALE - 1))) >> SCALE
    }
}

/// The rate of events, as the handler `rate` of `Counter`: an average over ticks of a millisecond.
#[derive(Clone, Copy, Debug, Default)]
pub struct RateMeter {
    average: Ewma,
    current: i64,
    /// The tick being counted; `None` before the first.
    tick: Option<u64>,
}

impl RateMeter {
    /// Counts `events` at `now_ns`.
    pub fn count(&mut self, events: u32, now_ns: u64) {
        self.advance(now_ns);
        self.current += i64::from(events);
    }

    /// Brings the average up to `now_ns`: each tick that ended weighs in, idle ones with zero.
    pub fn advance(&mut self, now_ns: u64) {
        let now = now_ns / TICK_NS;
        let ended = now.saturating_sub(*self.tick.get_or_insert(now));
        if ended == 0 {
            return;
        }
        self.average.update(self.current);
        self.current = 0;
        for _ in 1..ended.min(FORGOTTEN) {
            self.average.update(0);
        }
        self.tick = Some(now);
    }

    /// Events a second times 1024, as of the last counting or advancing: the handler `rate` shows the fraction.
    #[must_use]
    pub fn scaled_per_second(&self) -> i64 {
        self.average.scaled().saturating_mul(TICKS as i64)
    }

    /// Events a second, rounded down, as of the last counting or advancing.
    #[must_use]
    pub fn per_second(&self) -> i64 {
        self.scaled_per_second() >> SCALE
    }
}

/// When the events of a steady rate are due (what `RatedSource` goes by).
#[derive(Clone, Copy, Debug)]
pub struct Gap {
    per_second: u32,
    start_ns: u64,
    done: u64,
}

impl Gap {
    /// `per_second` events a second from `start_ns` on, the first at once.
    #[must_use]
    pub fn new(per_second: u32, start_ns: u64) -> Self {
        Self {
            per_second,
            start_ns,
            done: 0,
        }
    }

    /// When the next event is due, exactly; `None`: never.
    #[must_use]
    pub fn next_ns(&self) -> Option<u64> {
        let span = u128::from(self.done) * 1_000_000_000;
        let after = span.checked_div(u128::from(self.per_second))?;
        u64::try_from(after).ok()?.checked_add(self.start_ns)
    }

    /// How many events are due at `now_ns` and not done.
    #[must_use]
    pub fn due(&self, now_ns: u64) -> u64 {
        let Some(passed) = now_ns.checked_sub(self.start_ns) else {
            return 0;
        };
        let rate = u128::from(self.per_second);
        let all = (u128::from(passed) * rate + rate.saturating_sub(1)) / 1_000_000_000
            + u128::from(rate > 0);
        let all = u64::try_from(all).unwrap_or(u64::MAX);
        all.saturating_sub(self.done)
    }

    /// Says that `events` of them happened.
    pub fn advance(&mut self, events: u64) {
        self.done = self.done.saturating_add(events);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_found_and_forgotten() {
        let mut meter = RateMeter::default();
        for ms in 0..2_000 {
            meter.count(5, ms * TICK_NS);
        }
        let rate = meter.per_second();
        assert!((4_950..=5_050).contains(&rate), "{rate}");
        meter.advance(10_000 * TICK_NS);
        assert!(meter.per_second() < 10, "{}", meter.per_second());
    }

    #[test]
    fn the_nearest_whole_average() {
        let mut average = Ewma::default();
        average.update(16);
        assert_eq!((average.scaled(), average.unscaled()), (1024, 1));
    }

    #[test]
    fn due_and_next_agree() {
        let mut gap = Gap::new(3, 1_000);
        for _ in 0..50 {
            let next = gap.next_ns().unwrap();
            assert_eq!(gap.due(next), 1, "{next}");
            assert_eq!(gap.due(next - 1), 0, "{next}");
            gap.advance(1);
        }
        assert_eq!(Gap::new(0, 0).next_ns(), None);
        assert_eq!(Gap::new(0, 0).due(1 << 40), 0);
        assert_eq!(Gap::new(10, 0).due(1_000_000_000), 11);
    }
}
