//! The order of the steps of a conjunction: by the bytes they look at.

use super::insn::Insn;
use super::{Draft, SortKey};

/// How a step is reached from others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reached {
    Never,
    /// By this step only. The first step is not told from many.
    From(usize),
    ByMany,
}

impl Draft {
    /// Exchanges neighbours whose order does not matter, until those that look at earlier bytes
    /// come first.
    pub(in crate::classify) fn sort(&mut self, key: SortKey) {
        let reached = self.reached();
        let mut i = 0;
        while i < self.insns.len() {
            let exchanged = [false, true]
                .into_iter()
                .any(|way| self.exchange(i, way, &reached, key));
            i = match reached[i] {
                _ if !exchanged => i + 1,
                // look again at the pair that the step before makes now
                Reached::From(before) => before,
                Reached::Never | Reached::ByMany => i,
            };
        }
    }

    fn reached(&self) -> Vec<Reached> {
        let mut reached = vec![Reached::Never; self.insns.len()];
        for (i, insn) in self.insns.iter().enumerate() {
            for step in insn.jumps.into_iter().filter_map(|jump| jump.as_step()) {
                reached[step] = match reached[step] {
                    Reached::Never if i > 0 => Reached::From(i),
                    _ => Reached::ByMany,
                };
            }
        }
        reached
    }

    /// Exchanges a step with the one that `way` leads to, if they may and should.
    fn exchange(&mut self, i: usize, way: bool, reached: &[Reached], key: SortKey) -> bool {
        let first = self.insns[i];
        let way = usize::from(way);
        let Some(j) = first.jumps[way].as_step() else {
            return false;
        };
        let second = self.insns[j];
        let movable =
            matches!(reached[j], Reached::From(_)) && first.jumps[1 - way] == second.jumps[1 - way];
        if !movable || order(&first, key) <= order(&second, key) {
            return false;
        }
        self.insns[j] = first;
        self.insns[j].jumps[way] = second.jumps[way];
        self.insns[i] = second;
        self.insns[i].jumps[way] = first.jumps[way];
        true
    }
}

fn order(insn: &Insn, key: SortKey) -> (u16, u32, u32) {
    (key(insn.offset), insn.mask, insn.value)
}
