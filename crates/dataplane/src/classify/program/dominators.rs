//! Branches led past tests whose outcome is known.
//!
//! For each step there are up to four *lists* of branches, such that every way to the step goes
//! through all branches of one of the lists at least. A test that every list of a step decides in
//! the same way is not needed after it.
//!
//! Where both ways of a step lead to the same step, its branches must not be in the lists of that.
//! Click (`DominatorOptimizer`) leaves one of them in some lists, and may then lead packets wrong.
//! As programs are to be Click's, its lists are used; but what such a branch had a part in is
//! undone, and done again with lists that are right.

use super::insn::{Insn, Test};
use super::jump::Jump;
use super::predecessors::{Branch, Predecessors, branch, step_of, way_of};
use std::collections::HashMap;

/// More lists for a step than this are replaced by what they have in common.
const MAX_LISTS: usize = 4;
/// The length that is known of packets at steps that none leads to.
const ANY_LENGTH: u32 = i32::MAX as u32;

/// Leads branches past tests whose outcome is known on all ways to them.
pub(super) fn optimize(insns: &mut [Insn]) {
    let before = insns.to_vec();
    if !Dominators::of(insns, Lists::AsClick).run() {
        insns.copy_from_slice(&before);
        Dominators::of(insns, Lists::Right).run();
    }
}

/// What happens where both ways of a step lead to the same step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lists {
    AsClick,
    Right,
}

/// Branches that packets took.
#[derive(Clone, Default)]
struct List {
    /// The last one is of the step that the list belongs to; which one is written before use.
    branches: Vec<Branch>,
    /// Those of them that packets may not have taken.
    doubtful: Vec<Branch>,
}

struct Dominators<'a> {
    insns: &'a mut [Insn],
    kind: Lists,
    predecessors: Predecessors,
    /// How many bytes packets have at a step at least.
    known: Vec<u32>,
    /// The first step with the same test. Branches in the lists are of those.
    same: Vec<usize>,
    /// The lists of each step.
    lists: Vec<Vec<List>>,
    /// No doubtful branch had a part in what was done.
    sure: bool,
}

/// A list of a predecessor: its step, its number there, and how many branches count.
struct Source {
    from: usize,
    number: usize,
    length: usize,
    /// Both ways of the predecessor lead here, but the last branch counts.
    doubtful: bool,
}

impl<'a> Dominators<'a> {
    fn of(insns: &'a mut [Insn], kind: Lists) -> Self {
        Self {
            predecessors: Predecessors::of(insns),
            known: known_lengths(insns),
            same: same_tests(insns),
            lists: vec![Vec::new(); insns.len()],
            sure: true,
            kind,
            insns,
        }
    }

    /// Goes through all steps. Whether what was done is right.
    fn run(mut self) -> bool {
        for step in 0..self.insns.len() {
            self.find_lists(step);
            self.shift(step, true);
            self.shift(step, false);
            self.forget(step);
        }
        self.sure
    }

    fn set(&mut self, branch: Branch, to: Jump) {
        let jump = &mut self.insns[step_of(branch)].jumps[usize::from(way_of(branch))];
        self.predecessors.set(branch, jump.as_step(), to.as_step());
        *jump = to;
    }

    /// Finds the lists of a step from those of its predecessors, or takes the step out if they
    /// decide its test or no packet comes here.
    fn find_lists(&mut self, step: usize) {
        let predecessors = self.predecessors.get(step).to_vec();
        let sources = match self.kind {
            Lists::AsClick => self.sources(&predecessors),
            Lists::Right => self.right_sources(&predecessors),
        };
        let sources: Vec<List> = sources.iter().map(|source| self.list(source)).collect();
        let own = branch(self.same[step], false);
        if sources.len() > MAX_LISTS {
            self.lists[step] = vec![common(&sources, own)];
            return;
        }
        let lists: Vec<(List, Option<Branch>)> =
            sources.iter().map(|list| list.extended(own)).collect();
        if let Some(way) = decided(&lists) {
            self.sure &= lists
                .iter()
                .all(|(list, branch)| branch.is_some_and(|b| list.is_sure(b)));
            let target = self.insns[step].jumps[usize::from(way)];
            predecessors
                .iter()
                .for_each(|&branch| self.set(branch, target));
            self.take_out(step);
        } else if lists.is_empty() {
            self.take_out(step);
        } else {
            self.lists[step] = lists.into_iter().map(|(list, _)| list).collect();
        }
    }

    /// A step that nothing leads to leads nowhere.
    fn take_out(&mut self, step: usize) {
        if step == 0 {
            let branches = vec![branch(0, false)];
            self.lists[0] = vec![List {
                branches,
                doubtful: Vec::new(),
            }];
            return;
        }
        self.set(branch(step, false), Jump::NEVER);
        self.set(branch(step, true), Jump::NEVER);
    }

    /// The lists of the predecessors, less those that contradict the branch taken.
    fn sources(&mut self, predecessors: &[Branch]) -> Vec<Source> {
        let mut sources: Vec<Source> = Vec::new();
        for (i, &way) in predecessors.iter().enumerate() {
            let from = step_of(way);
            if i > 0 && step_of(predecessors[i - 1]) == from {
                if let Some(last) = sources.last_mut() {
                    last.length = last.length.saturating_sub(1);
                    last.doubtful = false;
                }
                continue;
            }
            let taken = branch(self.same[from], way_of(way));
            let doubtful = predecessors.contains(&(way ^ 1));
            for (number, list) in self.lists[from].iter_mut().enumerate() {
                let Some((last, before)) = list.branches.split_last_mut() else {
                    continue;
                };
                if before.contains(&(taken ^ 1)) {
                    self.sure &= !list.doubtful.contains(&(taken ^ 1));
                } else {
                    *last = taken;
                    sources.push(Source {
                        from,
                        number,
                        length: before.len() + 1,
                        doubtful,
                    });
                }
            }
        }
        sources
    }

    /// The same, without the branches of steps of which both ways lead here.
    fn right_sources(&mut self, predecessors: &[Branch]) -> Vec<Source> {
        let mut sources: Vec<Source> = Vec::new();
        for (i, &way) in predecessors.iter().enumerate() {
            let from = step_of(way);
            let taken = branch(self.same[from], way_of(way));
            let both = predecessors.contains(&(way ^ 1));
            if both && predecessors[..i].contains(&(way ^ 1)) {
                continue;
            }
            for (number, list) in self.lists[from].iter_mut().enumerate() {
                let Some((last, before)) = list.branches.split_last_mut() else {
                    continue;
                };
                if both || !before.contains(&(taken ^ 1)) {
                    *last = taken;
                    let length = before.len() + usize::from(!both);
                    sources.push(Source {
                        from,
                        number,
                        length,
                        doubtful: false,
                    });
                }
            }
        }
        sources
    }

    /// The list of a predecessor, as far as it counts.
    fn list(&self, source: &Source) -> List {
        let List { branches, doubtful } = &self.lists[source.from][source.number];
        let branches = branches[..source.length].to_vec();
        let mut doubtful = doubtful.clone();
        if source.doubtful {
            doubtful.extend(branches.last());
        }
        List { branches, doubtful }
    }

    /// Leads one way of a step past the tests that its lists decide.
    fn shift(&mut self, step: usize, way: bool) {
        let next = self.insns[step].jumps[usize::from(way)];
        let count = self.lists[step].len();
        if count == 0 || next.as_step().is_none() {
            return;
        }
        let taken = branch(self.same[step], way);
        let mut sure = true;
        let ways: Vec<Vec<i32>> = (0..count)
            .map(|list| self.follow(step, list, taken, next, &mut sure))
            .collect();
        if let Some(last) = last_common(&ways)
            && last != next.0
        {
            self.sure &= sure;
            self.set(branch(step, way), Jump(last));
        }
    }

    /// The targets that a branch could lead to instead, one after the other, as one list says.
    fn follow(
        &mut self,
        step: usize,
        list: usize,
        taken: Branch,
        next: Jump,
        sure: &mut bool,
    ) -> Vec<i32> {
        if let Some(last) = self.lists[step][list].branches.last_mut() {
            *last = taken;
        }
        let list = &self.lists[step][list];
        let mut targets = vec![next.0];
        let mut next = next;
        while let Some(target) = next.as_step() {
            let deciding = |&b: &Branch| self.decides(b, target).map(|way| (b, way));
            let Some((branch, way)) = list.branches.iter().rev().find_map(deciding) else {
                break;
            };
            *sure &= list.is_sure(branch);
            next = self.insns[target].jumps[usize::from(way)];
            targets.push(next.0);
        }
        targets
    }

    /// Which way packets that took a branch go at a later step, if that is certain.
    fn decides(&self, taken: Branch, step: usize) -> Option<bool> {
        let (from, way) = (step_of(taken), way_of(taken));
        let (insn, later, known) = (&self.insns[from], &self.insns[step], self.known[from]);
        if insn.implies(way, later, known) {
            Some(true)
        } else {
            insn.excludes(way, later, known).then_some(false)
        }
    }

    /// Gives the memory of lists back that no later step needs.
    fn forget(&mut self, step: usize) {
        let before = self
            .predecessors
            .get(step)
            .iter()
            .map(|&branch| step_of(branch));
        for from in before.chain([step]) {
            let later = |jump: &Jump| jump.as_step().is_some_and(|next| next > step);
            if !self.insns[from].jumps.iter().any(later) {
                self.lists[from] = Vec::new();
            }
        }
    }
}

impl List {
    /// Whether packets took a branch of the list.
    fn is_sure(&self, branch: Branch) -> bool {
        !self.doubtful.contains(&branch)
    }

    /// The list of a step whose first branch is `own`: this one, in which each test stands once, and
    /// that branch. And the last branch of this list of the same test.
    fn extended(&self, own: Branch) -> (Self, Option<Branch>) {
        let Some((&last, before)) = self.branches.split_last() else {
            return (
                Self {
                    branches: vec![own],
                    doubtful: Vec::new(),
                },
                None,
            );
        };
        let kept = before.iter().filter(|&&branch| branch / 2 != last / 2);
        let mut branches: Vec<Branch> = kept.chain([&last]).copied().collect();
        let decided = branches
            .iter()
            .rev()
            .copied()
            .find(|branch| branch / 2 == own / 2);
        let doubts = |branch: &Branch| !self.is_sure(*branch);
        let doubtful = branches.iter().copied().filter(doubts).collect();
        branches.push(own);
        (Self { branches, doubtful }, decided)
    }
}

/// The way at a step, if the branches found of its test agree in all lists.
fn decided(lists: &[(List, Option<Branch>)]) -> Option<bool> {
    let (_, first) = lists.first()?;
    let agreed = lists.iter().all(|(_, branch)| branch == first);
    first.filter(|_| agreed).map(way_of)
}

/// The list of a step with many: what they have in common, and its own branch.
fn common(lists: &[List], own: Branch) -> List {
    let branches: Vec<&[Branch]> = lists.iter().map(|list| &list.branches[..]).collect();
    let mut branches = intersection(&branches);
    branches.push(own);
    let doubts = |branch: &Branch| !lists.iter().all(|list| list.is_sure(*branch));
    let doubtful = branches.iter().copied().filter(doubts).collect();
    List { branches, doubtful }
}

/// How many bytes packets have at each step at least.
fn known_lengths(insns: &[Insn]) -> Vec<u32> {
    let mut known = vec![ANY_LENGTH; insns.len()];
    if let Some(first) = known.first_mut() {
        *first = 0;
    }
    for (i, insn) in insns.iter().enumerate() {
        let tested = insn.required_length().max(known[i]);
        let lengths = if insn.short_yes {
            [tested, known[i]]
        } else {
            [known[i], tested]
        };
        for (jump, length) in insn.jumps.iter().zip(lengths) {
            if let Some(step) = jump.as_step() {
                known[step] = known[step].min(length);
            }
        }
    }
    known
}

/// For each step the first one with the same test.
fn same_tests(insns: &[Insn]) -> Vec<usize> {
    let mut first: HashMap<Test, usize> = HashMap::new();
    insns
        .iter()
        .enumerate()
        .map(|(i, insn)| *first.entry(insn.test()).or_insert(i))
        .collect()
}

/// The last target that is on all ways.
fn last_common(ways: &[Vec<i32>]) -> Option<i32> {
    let ends: Vec<i32> = ways.iter().filter_map(|way| way.last().copied()).collect();
    let end = *ends.first()?;
    if ways.len() == 1 || (end <= 0 && ends.iter().all(|&other| other == end)) {
        return Some(end);
    }
    let ways: Vec<&[i32]> = ways.iter().map(Vec::as_slice).collect();
    intersection(&ways).last().copied()
}

/// What lists that rise have in common: they are walked side by side, none twice over the same
/// element, so what stands out of order in one of them is passed over.
fn intersection(lists: &[&[i32]]) -> Vec<i32> {
    let mut places = vec![0; lists.len()];
    let mut common = Vec::new();
    let mut wanted = -1;
    let (mut list, mut agreeing) = (0, 0);
    if lists.is_empty() {
        return common;
    }
    loop {
        let place = &mut places[list];
        while lists[list]
            .get(*place)
            .is_some_and(|&element| element < wanted)
        {
            *place += 1;
        }
        let Some(&element) = lists[list].get(*place) else {
            return common;
        };
        if element > wanted {
            (wanted, agreeing) = (element, 0);
        }
        (list, agreeing) = ((list + 1) % lists.len(), agreeing + 1);
        if agreeing == lists.len() {
            common.push(wanted);
            (wanted, list, agreeing) = (wanted + 1, 0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lists_have_in_common() {
        assert_eq!(
            intersection(&[&[0, 2, 5, 9], &[0, 5, 7, 9], &[0, 5, 9]]),
            [0, 5, 9]
        );
        assert!(intersection(&[&[0, 2], &[1, 3]]).is_empty());
        assert_eq!(
            intersection(&[&[3, 1], &[3, 1]]),
            [3],
            "only what rises counts"
        );
        assert!(intersection(&[]).is_empty());
    }

    #[test]
    fn last_common_targets() {
        assert_eq!(last_common(&[vec![3, -1], vec![3, 5, -1]]), Some(-1));
        assert_eq!(last_common(&[vec![3, 5, -1], vec![3, 5, 7]]), Some(5));
        assert_eq!(last_common(&[vec![3, 8]]), Some(8));
    }
}
