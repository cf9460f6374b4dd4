//! Programs of steps: a decision graph whose branches all lead forward.
//!
//! [`tree`] builds one from an expression, [`dominators`], [`combine`] and [`sort`] make it smaller,
//! [`group`] joins steps that differ in their value only. The order of steps, and which of them
//! are left, is Click's (`elements/standard/classification.cc`), as users and tests see it.

mod combine;
mod dominators;
mod draft;
mod group;
mod insn;
mod jump;
mod predecessors;
mod run;
mod sort;
mod tree;

pub(super) use draft::{Draft, SortKey, Step};
pub use group::Group;
pub(super) use group::Grouping;
pub use jump::Jump;
pub use run::NOWHERE;
pub(super) use tree::{Join, Tree};

use insn::Insn;
use std::fmt;

/// A finished program: which output a packet leaves by.
///
/// Its text is that of the handler `program` of Click's classifiers: the steps, one a line, then
/// the length of packets that no test is too long for, and the alignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    groups: Vec<Group>,
    all: Option<Jump>,
    safe_length: u32,
    align: u16,
}

impl Program {
    /// The groups of steps. Jumps lead to groups, by their index.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Where all packets go, if they do not need to be looked at; there are no groups then.
    #[must_use]
    pub fn all(&self) -> Option<Jump> {
        self.all
    }

    /// Packets of this length in the program's offsets are long enough for each test.
    #[must_use]
    pub fn safe_length(&self) -> u32 {
        self.safe_length
    }

    /// Those of outputs 0 to `outputs` - 1 that no packet can leave by.
    #[must_use]
    pub fn unused_outputs(&self, outputs: usize) -> Vec<usize> {
        let mut unused = vec![true; outputs];
        let ends = self.groups.iter().flat_map(|group| [group.no, group.yes]);
        for output in ends.chain(self.all).filter_map(Jump::as_output) {
            if let Some(unused) = unused.get_mut(output) {
                *unused = false;
            }
        }
        (0..outputs).filter(|&output| unused[output]).collect()
    }

    /// The number of each group's first step.
    fn first_steps(&self) -> Vec<usize> {
        let count = |step: &mut usize, group: &Group| {
            let first = *step;
            *step += group.values.len();
            Some(first)
        };
        self.groups.iter().scan(0, count).collect()
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.first_steps();
        let to_step = |jump: Jump| match jump.as_step() {
            Some(group) => Jump::step(steps[group]),
            None => jump,
        };
        for (group, &first) in self.groups.iter().zip(&steps) {
            for (step, &value) in (first..).zip(&group.values) {
                let last = step + 1 == first + group.values.len();
                let no = if last {
                    to_step(group.no)
                } else {
                    Jump::step(step + 1)
                };
                let jumps = [no, to_step(group.yes)];
                // offsets before the packet's first byte are printed as 16 bits without a sign
                let offset = group.at as u16;
                let Group {
                    short_yes, mask, ..
                } = *group;
                writeln!(
                    f,
                    "{step:2} {}",
                    Insn {
                        offset,
                        short_yes,
                        mask,
                        value,
                        jumps
                    }
                )?;
            }
        }
        if let Some(Jump(all)) = self.all {
            writeln!(f, "all->[{}]", all.unsigned_abs())?;
        }
        writeln!(f, "safe length {}", self.safe_length)?;
        writeln!(f, "alignment offset {}", self.align)
    }
}
