//! Steps that one step can do the work of, and steps that none leads to.

use super::Draft;
use super::insn::Insn;
use super::jump::Jump;

impl Draft {
    /// Joins steps that look at the same word with the step that follows, from the last to the first.
    pub(super) fn combine_compatible(&mut self) {
        for i in (0..self.insns.len()).rev() {
            while self.combine(i) {}
        }
    }

    /// Joins a step with one that follows it. Whether there may be more to join.
    fn combine(&mut self, i: usize) -> bool {
        if let Some(no) = self.insns[i].no().as_step() {
            let follower = self.insns[no];
            let insn = &mut self.insns[i];
            if follower.compatible(insn, false) && insn.flippable() {
                insn.flip();
            } else if let Some(bit) = insn.pair_bit(&follower) {
                insn.value &= !bit;
                insn.mask &= !bit;
                insn.jumps[0] = follower.no();
                return true;
            }
        }
        let insn = self.insns[i];
        let Some(yes) = insn.yes().as_step() else {
            return false;
        };
        let follower = &mut self.insns[yes];
        if insn.no() == follower.yes() && follower.flippable() {
            follower.flip();
        }
        let follower = *follower;
        if insn.no() != follower.no() || !follower.compatible(&insn, true) {
            return false;
        }
        self.insns[i] = both(&insn, &follower);
        true
    }

    /// Leaves out the steps that decide nothing, and then those that none leads to.
    pub(super) fn remove_unused(&mut self) {
        if self.insns.is_empty() {
            return;
        }
        let first = self.skip_undecided();
        self.all = first.err();
        let Ok(first) = first else {
            return self.insns.clear();
        };
        self.insns[0] = self.insns[first];
        self.remove_unreached();
    }

    /// Leads branches past the steps that decide nothing. The first step that decides, or where
    /// all packets go.
    fn skip_undecided(&mut self) -> Result<usize, Jump> {
        let mut target = vec![Ok(0); self.insns.len()];
        for i in (0..self.insns.len()).rev() {
            for way in 0..2 {
                if let Some(step) = self.insns[i].jumps[way].as_step() {
                    self.insns[i].jumps[way] = target[step].map_or_else(|end| end, Jump::step);
                }
            }
            let insn = &self.insns[i];
            target[i] = match insn.yes().as_step() {
                _ if insn.yes() != insn.no() && insn.mask != 0 => Ok(i),
                Some(step) => Ok(step),
                None => Err(insn.yes()),
            };
        }
        target[0]
    }

    fn remove_unreached(&mut self) {
        let mut place = vec![None; self.insns.len()];
        place[0] = Some(0);
        let mut kept: Vec<Insn> = Vec::new();
        for i in 0..self.insns.len() {
            if place[i].is_some() {
                place[i] = Some(kept.len());
                kept.push(self.insns[i]);
                let steps = self.insns[i]
                    .jumps
                    .into_iter()
                    .filter_map(|jump| jump.as_step());
                steps.for_each(|step| place[step] = Some(0));
            }
        }
        for jump in kept.iter_mut().flat_map(|insn| &mut insn.jumps) {
            if let Some(place) = jump.as_step().and_then(|step| place[step]) {
                *jump = Jump::step(place);
            }
        }
        self.insns = kept;
    }
}

/// One test for two in a row.
fn both(insn: &Insn, follower: &Insn) -> Insn {
    let offset = if insn.mask == 0 {
        follower.offset
    } else {
        insn.offset
    };
    Insn {
        offset,
        value: insn.value | follower.value,
        mask: insn.mask | follower.mask,
        jumps: [insn.no(), follower.yes()],
        ..*insn
    }
}
