//! Expressions to programs: subtrees of steps, joined from the inside out.

use super::Draft;
use super::insn::Insn;
use super::jump::Jump;

/// How the parts of an expression make the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::classify) enum Join {
    And,
    Or,
    /// The first part chooses between the second and the third.
    Choice,
}

/// A program being written. Expressions are opened and finished like parentheses; in between are
/// tests and finished expressions, the parts.
#[derive(Debug)]
pub(in crate::classify) struct Tree {
    insns: Vec<Insn>,
    /// For each step: the depth of the part that it begins, if it begins one.
    begins: Vec<Option<usize>>,
    depth: usize,
    align: u16,
}

impl Tree {
    /// An empty one, whose offsets are `align` greater than those in the packet.
    pub(in crate::classify) fn new(align: u16) -> Self {
        Self {
            insns: Vec::new(),
            begins: Vec::new(),
            depth: 0,
            align,
        }
    }

    /// How many steps there are.
    pub(in crate::classify) fn len(&self) -> usize {
        self.insns.len()
    }

    /// Opens an expression.
    pub(in crate::classify) fn open(&mut self) {
        self.depth += 1;
    }

    /// Adds a test of the open expression.
    pub(in crate::classify) fn test(&mut self, offset: u16, value: u32, mask: u32) {
        self.insns.push(Insn::new(offset, value, mask));
        self.begins.push(Some(self.depth));
    }

    /// Adds a test that every packet passes.
    pub(in crate::classify) fn always(&mut self) {
        self.test(0, 0, 0);
    }

    /// Finishes the open expression: it is a part of the one around it.
    pub(in crate::classify) fn finish(&mut self, join: Join) {
        self.finish_to(join, Jump::SUCCESS, Jump::FAILURE);
    }

    /// Finishes the open expression with known ends.
    pub(in crate::classify) fn finish_to(&mut self, join: Join, success: Jump, failure: Jump) {
        let mut bounds = self.parts();
        if let Some(&first) = bounds.first() {
            self.begins[first] = self.depth.checked_sub(1);
            self.begins[first + 1..].fill(None);
            bounds.push(self.insns.len());
            self.join(&bounds, join, success, failure);
        }
        self.depth = self.depth.saturating_sub(1);
    }

    /// Where the parts of the open expression begin.
    fn parts(&self) -> Vec<usize> {
        let outside = |begin: &Option<usize>| begin.is_some_and(|depth| depth < self.depth);
        let first = self
            .begins
            .iter()
            .rposition(outside)
            .map_or(0, |last| last + 1);
        let open = Some(self.depth);
        (first..self.begins.len())
            .filter(|&i| self.begins[i] == open)
            .collect()
    }

    /// Joins the parts between each two of `bounds`.
    fn join(&mut self, bounds: &[usize], join: Join, success: Jump, failure: Jump) {
        let parts = bounds.len() - 1;
        let mut part = 0;
        while part < parts {
            let (from, to) = (bounds[part], bounds[part + 1]);
            let next = Jump::step(to);
            match join {
                _ if part + 1 == parts => self.redirect(from..to, success, failure),
                Join::Or => self.redirect(from..to, success, next),
                Join::Choice if part + 2 < parts => {
                    let (otherwise, end) = (bounds[part + 2], bounds[part + 2]);
                    self.redirect(from..to, next, Jump::step(otherwise));
                    self.redirect(to..end, success, failure);
                    part += 1;
                }
                Join::And | Join::Choice => self.redirect(from..to, next, failure),
            }
            part += 1;
        }
    }

    fn redirect(&mut self, steps: std::ops::Range<usize>, success: Jump, failure: Jump) {
        for jump in self.insns[steps]
            .iter_mut()
            .flat_map(|insn| &mut insn.jumps)
        {
            if *jump == Jump::SUCCESS {
                *jump = success;
            } else if *jump == Jump::FAILURE {
                *jump = failure;
            }
        }
    }

    /// Turns the last part of the open expression into its opposite; packets too short for it then
    /// match as they did before.
    pub(in crate::classify) fn negate(&mut self) {
        for insn in self.last_part() {
            insn.jumps = insn.jumps.map(opposite);
        }
    }

    /// Like [`negate`](Self::negate), for packets too short as well.
    pub(in crate::classify) fn negate_short(&mut self) {
        self.negate();
        self.last_part()
            .iter_mut()
            .for_each(|insn| insn.short_yes = !insn.short_yes);
    }

    fn last_part(&mut self) -> &mut [Insn] {
        let open = Some(self.depth);
        match self.begins.iter().rposition(|&begin| begin == open) {
            Some(first) => &mut self.insns[first..],
            None => &mut [],
        }
    }

    /// The finished program, not yet optimised.
    pub(in crate::classify) fn draft(self) -> Draft {
        Draft::of(self.insns, self.align)
    }
}

fn opposite(jump: Jump) -> Jump {
    match jump {
        Jump::SUCCESS => Jump::FAILURE,
        Jump::FAILURE => Jump::SUCCESS,
        other => other,
    }
}
