//! Steps that differ in their value only are one test with several values.

use super::insn::Insn;
use super::jump::Jump;
use super::{Draft, Program};

/// So many values are searched in order; in this order they are also printed.
const SEARCHED: usize = 7;

/// Four bytes of the packet, masked, are compared with several values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Where the bytes stand; may be before the packet's first byte, where `mask` is 0 then.
    pub at: i32,
    /// Which way packets go that end before the bytes compared: the way of `yes`, or of `no`.
    pub short_yes: bool,
    /// The bits that are compared, in network order.
    pub mask: u32,
    /// What they are compared with, in network order.
    pub values: Vec<u32>,
    /// Where packets go that equal none of the values.
    pub no: Jump,
    /// Where packets go that equal one of them.
    pub yes: Jump,
}

/// Whether steps are grouped. Programs of `Classifier` are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::classify) enum Grouping {
    Single,
    ByValue,
}

impl Draft {
    /// The finished program.
    pub(in crate::classify) fn finish(&self, grouping: Grouping) -> Program {
        let mut wanted = self.wanted();
        let mut place = vec![None; self.insns.len()];
        let mut groups = Vec::new();
        for i in 0..self.insns.len() {
            if wanted[i] > 0 {
                place[i] = Some(groups.len());
                groups.push(self.group(i, grouping, &mut wanted));
            }
        }
        for jump in groups
            .iter_mut()
            .flat_map(|group| [&mut group.no, &mut group.yes])
        {
            if let Some(group) = jump.as_step().and_then(|step| place[step]) {
                *jump = Jump::step(group);
            }
        }
        let Self {
            all,
            safe_length,
            align,
            ..
        } = *self;
        Program {
            groups,
            all,
            safe_length,
            align,
        }
    }

    /// How many branches lead to each step.
    fn wanted(&self) -> Vec<u32> {
        let mut wanted = vec![0; self.insns.len()];
        wanted.iter_mut().take(1).for_each(|first| *first = 1);
        for (i, insn) in self.insns.iter().enumerate() {
            if wanted[i] > 0 {
                let steps = insn.jumps.into_iter().filter_map(Jump::as_step);
                steps.for_each(|step| wanted[step] += 1);
            }
        }
        wanted
    }

    /// The group that begins with a step. What it takes in is not wanted any more.
    fn group(&self, first: usize, grouping: Grouping, wanted: &mut [u32]) -> Group {
        let insn = &self.insns[first];
        let mut group = self.single(insn);
        if grouping == Grouping::Single {
            return group;
        }
        while let Some(no) = group.no.as_step() {
            let next = &self.insns[no];
            let alike =
                next.yes() == insn.yes() && (next.offset, next.mask) == (insn.offset, insn.mask);
            if wanted[no] != 1 || !alike {
                break;
            }
            wanted[no] = 0;
            group.no = next.no();
            group.values.push(next.value);
        }
        if group.values.len() >= SEARCHED {
            // as a machine with the least byte first compares them
            group.values.sort_by_key(|value| value.swap_bytes());
        }
        group
    }

    fn single(&self, insn: &Insn) -> Group {
        Group {
            at: i32::from(insn.offset) - i32::from(self.align),
            short_yes: insn.short_yes,
            mask: insn.mask,
            values: vec![insn.value],
            no: insn.no(),
            yes: insn.yes(),
        }
    }
}
