//! Where a step of a program leads: to a later step, to an output, or nowhere.

use std::fmt;

/// The target of a branch. Positive numbers are steps, others negated outputs; three of the
/// smallest numbers stand for no output and for ends that are not yet known.
///
/// Kept as one number, as Click has it: the optimiser compares targets by their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jump(pub(super) i32);

impl Jump {
    /// The packet goes nowhere.
    pub const NEVER: Self = Self(-i32::MAX);
    /// The end of an expression that does not match, while the program is built.
    pub(in crate::classify) const FAILURE: Self = Self(-i32::MAX + 1);
    /// The end of an expression that matches, while the program is built.
    pub(super) const SUCCESS: Self = Self(-i32::MAX + 2);

    /// To an output; those beyond what a number holds lead nowhere.
    #[must_use]
    pub fn output(port: usize) -> Self {
        match i32::try_from(port) {
            Ok(port) if -port > Self::SUCCESS.0 => Self(-port),
            _ => Self::NEVER,
        }
    }

    /// To a step after the first.
    pub(in crate::classify) fn step(step: usize) -> Self {
        debug_assert!(step > 0, "no branch leads back to the first step");
        Self(i32::try_from(step).unwrap_or(i32::MAX))
    }

    /// The step that it leads to, if it is one.
    #[must_use]
    pub fn as_step(self) -> Option<usize> {
        (self.0 > 0).then(|| self.0.unsigned_abs() as usize)
    }

    /// The output that it leads to, if it is one.
    #[must_use]
    pub fn as_output(self) -> Option<usize> {
        (self.0 <= 0 && self > Self::SUCCESS).then(|| self.0.unsigned_abs() as usize)
    }

    /// The same target in a program that follows `steps` others.
    pub(super) fn moved(self, steps: usize) -> Self {
        self.as_step().map_or(self, |step| Self::step(step + steps))
    }
}

impl fmt::Display for Jump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NEVER => f.write_str("[X]"),
            Self::FAILURE => f.write_str("[-]"),
            Self::SUCCESS => f.write_str("[+]"),
            Self(step @ 1..) => write!(f, "step {step}"),
            Self(output) => write!(f, "[{}]", -output),
        }
    }
}
