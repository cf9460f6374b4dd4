//! Token buckets: how many packets or bytes may pass by now, counted as Click counts them.
//!
//! Tokens are kept as fractions of the capacity in 32 bits and refilled once per *epoch*, a millisecond, in
//! whole steps, so that an element lets exactly as many packets through as the same element of Click.

/// Epochs a second.
const EPOCHS: u64 = 1000;
/// Nanoseconds an epoch.
const EPOCH_NS: u64 = 1_000_000_000 / EPOCHS;
/// The content of a full bucket.
const FULL: u32 = u32::MAX;

/// How a bucket fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// Always full.
    Unlimited,
    /// Never anything in it.
    Idle,
    /// Some parts an epoch, of which `scale` make a token.
    Normal {
        /// Parts a token; positive.
        scale: u32,
        /// Parts that an epoch brings.
        per_epoch: u32,
    },
}

impl Rate {
    /// `tokens` a second, of which `capacity` can gather: no limit with a rate of 0, else idle with a capacity of 0.
    #[must_use]
    pub fn new(tokens: u32, capacity: u32) -> Self {
        let Some(scale) = FULL.checked_div(capacity) else {
            return if tokens == 0 {
                Self::Unlimited
            } else {
                Self::Idle
            };
        };
        // a bucket that fills within an epoch cannot fill faster
        let per_epoch = (u64::from(tokens) * u64::from(scale) / EPOCHS).min(u64::from(FULL)) as u32;
        match (tokens, per_epoch) {
            (0, _) => Self::Unlimited,
            (_, 0) => Self::Idle,
            _ => Self::Normal { scale, per_epoch },
        }
    }

    /// Tokens a second as far as the parts can tell; 0 if idle or unlimited.
    #[must_use]
    pub fn tokens(self) -> u32 {
        match self {
            Self::Normal { scale, per_epoch } => {
                (u64::from(per_epoch) * EPOCHS / u64::from(scale)) as u32
            }
            Self::Unlimited | Self::Idle => 0,
        }
    }

    /// The most tokens that gather.
    #[must_use]
    pub fn capacity(self) -> u32 {
        match self {
            Self::Normal { scale, .. } => FULL / scale,
            Self::Unlimited => FULL,
            Self::Idle => 0,
        }
    }
}

/// A bucket and its rate.
#[derive(Clone, Copy, Debug)]
pub struct TokenBucket {
    rate: Rate,
    parts: u32,
    epoch: u64,
}

impl TokenBucket {
    /// A bucket, full or empty, last filled at the beginning of time.
    #[must_use]
    pub fn new(rate: Rate, full: bool) -> Self {
        Self {
            rate,
            parts: if full { FULL } else { 0 },
            epoch: 0,
        }
    }

    /// How the bucket fills.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Changes the rate; the bucket keeps its tokens as far as they fit.
    pub fn set_rate(&mut self, rate: Rate) {
        if let (Rate::Normal { scale: old, .. }, Rate::Normal { scale: new, .. }) =
            (self.rate, rate)
            && (self.parts != FULL || new < old)
        {
            let parts = u64::from(self.parts) * u64::from(new) / u64::from(old);
            self.parts = u32::try_from(parts).unwrap_or(FULL);
        }
        self.rate = rate;
    }

    /// The whole tokens in the bucket.
    #[must_use]
    pub fn size(&self) -> u32 {
        match self.rate {
            Rate::Normal { scale, .. } => self.parts / scale,
            Rate::Unlimited => FULL,
            Rate::Idle => 0,
        }
    }

    /// Whether there are `tokens` tokens.
    #[must_use]
    pub fn contains(&self, tokens: u32) -> bool {
        tokens <= self.size()
    }

    /// Whether nothing more fits.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self.rate {
            Rate::Normal { .. } => self.parts == FULL,
            Rate::Unlimited => true,
            Rate::Idle => false,
        }
    }

    /// Empties the bucket.
    pub fn clear(&mut self) {
        self.parts = 0;
    }

    /// Fills the bucket to the brim.
    pub fn set_full(&mut self) {
        self.parts = FULL;
    }

    /// Puts `tokens` tokens into the bucket in place of what it holds, at most its capacity.
    pub fn set(&mut self, tokens: u32) {
        self.parts = match self.rate {
            Rate::Normal { scale, .. } => tokens.checked_mul(scale).unwrap_or(FULL),
            Rate::Unlimited => FULL,
            Rate::Idle => 0,
        };
    }

    /// Fills the bucket by what the time since the last filling brings; time that went back brings nothing.
    pub fn fill(&mut self, now_ns: u64) {
        let epoch = now_ns / EPOCH_NS;
        if let Rate::Normal { per_epoch, .. } = self.rate {
            let passed = epoch.saturating_sub(self.epoch);
            let parts = passed
                .saturating_mul(u64::from(per_epoch))
                .saturating_add(u64::from(self.parts));
            self.parts = u32::try_from(parts).unwrap_or(FULL);
        }
        self.epoch = epoch;
    }

    /// Takes `tokens` tokens, or all if there are fewer.
    pub fn remove(&mut self, tokens: u32) {
        if let Rate::Normal { scale, .. } = self.rate {
            self.parts = self.parts.saturating_sub(tokens.saturating_mul(scale));
        }
    }

    /// Takes `tokens` tokens if there are as many; says whether.
    pub fn remove_if(&mut self, tokens: u32) -> bool {
        let enough = self.contains(tokens);
        if enough {
            self.remove(tokens);
        }
        enough
    }

    /// Nanoseconds of filling until there are `tokens` tokens; `None`: never.
    #[must_use]
    pub fn wait_ns(&self, tokens: u32) -> Option<u64> {
        match self.rate {
            Rate::Unlimited => Some(0),
            Rate::Idle => None,
            Rate::Normal { scale, per_epoch } => {
                let wanted = u64::from(tokens) * u64::from(scale);
                let missing = wanted.saturating_sub(u64::from(self.parts));
                let possible = wanted <= u64::from(FULL);
                possible.then(|| missing.div_ceil(u64::from(per_epoch)) * EPOCH_NS)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// How many of the packets that wait all the time pass in ten seconds, asked each millisecond.
    fn passed(rate: u32, capacity: u32) -> u32 {
        let mut bucket = TokenBucket::new(Rate::new(rate, capacity), true);
        let start = 1_000_000_000_000;
        bucket.fill(start);
        bucket.set(capacity);
        let mut count = 0;
        for ms in 0..10_000 {
            bucket.fill(start + ms * MS);
            while bucket.remove_if(1) {
                count += 1;
            }
        }
        count
    }

    #[test]
    fn bursts_come_first_and_then_the_rate() {
        assert_eq!(passed(2, 50), 69);
        assert!((20..=21).contains(&passed(2, 1)), "{}", passed(2, 1));
        assert!(
            (1000..=1002).contains(&passed(100, 2)),
            "{}",
            passed(100, 2)
        );
    }

    #[test]
    fn the_ends_of_rates() {
        let mut bucket = TokenBucket::new(Rate::new(0, 5), false);
        assert!(bucket.remove_if(u32::MAX) && bucket.is_full() && bucket.wait_ns(9) == Some(0));
        bucket.set_rate(Rate::new(5, 0));
        assert!(!bucket.contains(1) && bucket.contains(0) && bucket.wait_ns(1).is_none());
        bucket.set_rate(Rate::new(u32::MAX, 1));
        bucket.clear();
        bucket.fill(MS);
        assert!(bucket.is_full());
        bucket.fill(0);
        assert_eq!(bucket.wait_ns(2), None);
    }

    #[test]
    fn a_new_rate_keeps_the_tokens() {
        let mut bucket = TokenBucket::new(Rate::new(10, 100), false);
        bucket.set(40);
        bucket.set_rate(Rate::new(10, 50));
        assert!((39..=40).contains(&bucket.size()));
        bucket.set_rate(Rate::new(10, 20));
        assert_eq!(bucket.size(), 20);
        assert_eq!(bucket.rate().capacity(), 20);
    }

    #[test]
    fn waiting_as_long_as_told_is_enough() {
        let mut bucket = TokenBucket::new(Rate::new(7, 20), false);
        let wait = bucket.wait_ns(3).unwrap();
        bucket.fill(wait - MS);
        assert!(!bucket.contains(3));
        bucket.fill(wait);
        assert!(bucket.contains(3));
    }
}
