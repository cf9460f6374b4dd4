//! A program under construction: single steps, with ends that may not be known yet.

use super::dominators;
use super::insn::Insn;
use super::jump::Jump;
use super::run::needed;

/// By which offset steps are sorted: that of some words of the packet, which are rarely what
/// decides, is replaced by another.
pub(in crate::classify) type SortKey = fn(u16) -> u16;

/// A test, and where it leads.
#[derive(Clone, Copy, Debug)]
pub(in crate::classify) struct Step {
    pub at: i32,
    pub mask: u32,
    pub value: u32,
    pub yes: Jump,
    pub no: Jump,
}

impl Step {
    /// The least length of packets that do not end before the bytes compared.
    pub(in crate::classify) fn needed(&self) -> i32 {
        needed(self.at, self.mask)
    }
}

/// A program, one test a step.
#[derive(Clone, Debug)]
pub(in crate::classify) struct Draft {
    pub(super) insns: Vec<Insn>,
    /// Where all packets go, if they do not need to be looked at.
    pub(super) all: Option<Jump>,
    pub(super) safe_length: u32,
    pub(super) align: u16,
}

impl Draft {
    /// The program that nothing was written for: no packet goes anywhere.
    pub(in crate::classify) fn empty(align: u16) -> Self {
        Self::of(Vec::new(), align)
    }

    pub(super) fn of(insns: Vec<Insn>, align: u16) -> Self {
        let all = insns.is_empty().then_some(Jump::NEVER);
        Self {
            insns,
            all,
            safe_length: u32::MAX,
            align,
        }
    }

    /// Where all packets go, if they do not need to be looked at.
    pub(in crate::classify) fn all(&self) -> Option<Jump> {
        self.all
    }

    /// The steps.
    pub(in crate::classify) fn steps(&self) -> impl Iterator<Item = Step> {
        let align = i32::from(self.align);
        let step = move |insn: &Insn| Step {
            at: i32::from(insn.offset) - align,
            mask: insn.mask,
            value: insn.value,
            yes: insn.yes(),
            no: insn.no(),
        };
        self.insns.iter().map(step)
    }

    /// Makes the program smaller without changing what it decides.
    pub(in crate::classify) fn optimize(&mut self, key: SortKey) {
        self.sort(key);
        dominators::optimize(&mut self.insns);
        self.combine_compatible();
        self.remove_unused();
        if self.all.is_some() {
            self.insns.clear();
        } else if self.insns.is_empty() {
            self.all = Some(Jump::NEVER);
        }
        let needed = self.insns.iter().map(Insn::required_length).max();
        self.safe_length = needed.unwrap_or(0).wrapping_sub(u32::from(self.align));
    }

    /// Leads what failed until now to `failure`.
    pub(in crate::classify) fn set_failure(&mut self, failure: Jump) {
        if self.all == Some(Jump::FAILURE) {
            self.all = Some(failure);
        }
        let jumps = self.insns.iter_mut().flat_map(|insn| &mut insn.jumps);
        jumps
            .filter(|jump| **jump == Jump::FAILURE)
            .for_each(|jump| *jump = failure);
    }

    /// What fails in this program goes through `next`.
    pub(in crate::classify) fn or(&mut self, next: &Self) {
        if self.all.is_some_and(|all| all != Jump::FAILURE) {
            return;
        }
        let steps = self.insns.len();
        match next.all {
            Some(all) => self.set_failure(all),
            None if steps == 0 => self.all = None,
            None => self.set_failure(Jump::step(steps)),
        }
        self.insns
            .extend(next.insns.iter().map(|insn| moved(insn, steps)));
    }
}

fn moved(insn: &Insn, steps: usize) -> Insn {
    Insn {
        jumps: insn.jumps.map(|jump| jump.moved(steps)),
        ..*insn
    }
}
