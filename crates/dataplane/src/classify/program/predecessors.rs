//! Which branches lead to a step, in the order in which the optimiser looks at them.

use super::insn::Insn;

/// A branch as a number: the step, doubled, and one more for the way of packets that match.
pub(super) type Branch = i32;

pub(super) fn branch(step: usize, way: bool) -> Branch {
    i32::try_from(step * 2 + usize::from(way)).unwrap_or(i32::MAX)
}

pub(super) fn step_of(branch: Branch) -> usize {
    branch.unsigned_abs() as usize / 2
}

pub(super) fn way_of(branch: Branch) -> bool {
    branch & 1 == 1
}

/// For each step the branches that lead to it. Those that led there from the beginning stand last
/// first; one that comes later stands before the first that is not smaller.
pub(super) struct Predecessors(Vec<Vec<Branch>>);

impl Predecessors {
    pub(super) fn of(insns: &[Insn]) -> Self {
        let mut lists = vec![Vec::new(); insns.len()];
        for (i, insn) in insns.iter().enumerate().rev() {
            for way in [true, false] {
                if let Some(step) = insn.jumps[usize::from(way)].as_step() {
                    lists[step].push(branch(i, way));
                }
            }
        }
        Self(lists)
    }

    pub(super) fn get(&self, step: usize) -> &[Branch] {
        &self.0[step]
    }

    /// Notes that a branch leads elsewhere.
    pub(super) fn set(&mut self, branch: Branch, from: Option<usize>, to: Option<usize>) {
        if let Some(from) = from {
            self.0[from].retain(|&other| other != branch);
        }
        if let Some(to) = to {
            let list = &mut self.0[to];
            let place = list
                .iter()
                .position(|&other| other >= branch)
                .unwrap_or(list.len());
            list.insert(place, branch);
        }
    }
}
