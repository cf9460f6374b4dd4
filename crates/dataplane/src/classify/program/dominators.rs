//! Branches led past tests whose outcome is known.
//!
//! For each step there are up to four *lists* of branches, such that every way to the step goes
//! through all branches of one of the lists at least. A test that every list of a step decides in the same
//! way is not needed after it.

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
    let mut dominators = Dominators::of(insns);
    for step in 0..dominators.insns.len() {
        dominators.find_lists(step);
        dominators.shift(step, true);
        dominators.shift(step, false);
        dominators.forget(step);
    }
}

struct Dominators<'a> {
    insns: &'a mut [Insn],
    predecessors: Predecessors,
    /// How many bytes packets have at a step at least.
    known: Vec<u32>,
    /// The first step with the same test. Branches in the lists are of those.
    same: Vec<usize>,
    /// The lists of each step. The last element of a list is a branch of the step itself, which
    /// one is written before use.
    lists: Vec<Vec<Vec<Branch>>>,
}

/// A list of a predecessor: its step, its number there, and how many elements count.
type Source = (usize, usize, usize);

impl<'a> Dominators<'a> {
    fn of(insns: &'a mut [Insn]) -> Self {
        Self {
            predecessors: Predecessors::of(insns),
            known: known_lengths(insns),
            same: same_tests(insns),
            lists: vec![Vec::new(); insns.len()],
            insns,
        }
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
        let sources = self.sources(&predecessors);
        let own = branch(self.same[step], false);
        if sources.len() > MAX_LISTS {
            let mut common = intersection(&self.slices(&sources));
            common.push(own);
            self.lists[step] = vec![common];
            return;
        }
        match self.extend(&sources, own) {
            Extended::Decided(way) => {
                let target = self.insns[step].jumps[usize::from(way)];
                predecessors
                    .iter()
                    .for_each(|&branch| self.set(branch, target));
                self.take_out(step);
            }
            Extended::Lists(lists) if lists.is_empty() => self.take_out(step),
            Extended::Lists(lists) => self.lists[step] = lists,
        }
    }

    /// A step that nothing leads to leads nowhere.
    fn take_out(&mut self, step: usize) {
        if step == 0 {
            self.lists[0] = vec![vec![branch(0, false)]];
            return;
        }
        self.set(branch(step, false), Jump::NEVER);
        self.set(branch(step, true), Jump::NEVER);
    }

    /// The lists of the predecessors, less those that contradict the branch taken.
    fn sources(&mut self, predecessors: &[Branch]) -> Vec<Source> {
        let mut sources: Vec<Source> = Vec::new();
        for (i, &taken) in predecessors.iter().enumerate() {
            let from = step_of(taken);
            if i > 0 && step_of(predecessors[i - 1]) == from {
                // both ways of a step lead here: it decides nothing
                if let Some((_, _, length)) = sources.last_mut() {
                    *length = length.saturating_sub(1);
                }
                continue;
            }
            let taken = branch(self.same[from], way_of(taken));
            for (number, list) in self.lists[from].iter_mut().enumerate() {
                let Some((last, before)) = list.split_last_mut() else {
                    continue;
                };
                if !before.contains(&(taken ^ 1)) {
                    *last = taken;
                    sources.push((from, number, before.len() + 1));
                }
            }
        }
        sources
    }

    fn slices(&self, sources: &[Source]) -> Vec<&[Branch]> {
        let slice = |&(from, number, length): &Source| &self.lists[from][number][..length];
        sources.iter().map(slice).collect()
    }

    /// The lists of a step whose first branch is `own`.
    fn extend(&self, sources: &[Source], own: Branch) -> Extended {
        let mut outcome = None;
        let mut agreed = true;
        let mut lists = Vec::with_capacity(sources.len());
        for list in self.slices(sources) {
            let (mut list, decided) = extend_list(list, own);
            agreed &= decided.is_some() && (outcome.is_none() || outcome == decided);
            outcome = outcome.or(decided);
            list.push(own);
            lists.push(list);
        }
        match outcome {
            Some(branch) if agreed => Extended::Decided(way_of(branch)),
            _ => Extended::Lists(lists),
        }
    }

    /// Leads one way of a step past the tests that its lists decide.
    fn shift(&mut self, step: usize, way: bool) {
        let next = self.insns[step].jumps[usize::from(way)];
        let count = self.lists[step].len();
        if count == 0 || next.as_step().is_none() {
            return;
        }
        let taken = branch(self.same[step], way);
        let ways: Vec<Vec<i32>> = (0..count)
            .map(|list| self.follow(step, list, taken, next))
            .collect();
        if let Some(last) = last_common(&ways)
            && last != next.0
        {
            self.set(branch(step, way), Jump(last));
        }
    }

    /// The targets that a branch could lead to instead, one after the other, as one list says.
    fn follow(&mut self, step: usize, list: usize, taken: Branch, next: Jump) -> Vec<i32> {
        if let Some(last) = self.lists[step][list].last_mut() {
            *last = taken;
        }
        let list = &self.lists[step][list];
        let mut targets = vec![next.0];
        let mut next = next;
        while let Some(target) = next.as_step() {
            let Some(way) = list.iter().rev().find_map(|&b| self.decides(b, target)) else {
                break;
            };
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

/// What the lists of the predecessors say of a step.
enum Extended {
    /// All of them know which way packets go here.
    Decided(bool),
    /// The lists of the step.
    Lists(Vec<Vec<Branch>>),
}

/// A copy of a list in which each test stands once; and the last branch in it of the test of `own`.
fn extend_list(list: &[Branch], own: Branch) -> (Vec<Branch>, Option<Branch>) {
    let mut copy = Vec::with_capacity(list.len() + 1);
    let mut decided = None;
    if let Some((&last, before)) = list.split_last() {
        let kept = before.iter().filter(|&&branch| branch / 2 != last / 2);
        for &branch in kept.chain([&last]) {
            if branch / 2 == own / 2 {
                decided = Some(branch);
            }
            copy.push(branch);
        }
    }
    (copy, decided)
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
        assert_eq!(intersection(&[&[0, 2], &[1, 3]]), []);
        assert_eq!(
            intersection(&[&[3, 1], &[3, 1]]),
            [3],
            "only what rises counts"
        );
        assert_eq!(intersection(&[]), []);
    }

    #[test]
    fn last_common_targets() {
        assert_eq!(last_common(&[vec![3, -1], vec![3, 5, -1]]), Some(-1));
        assert_eq!(last_common(&[vec![3, 5, -1], vec![3, 5, 7]]), Some(5));
        assert_eq!(last_common(&[vec![3, 8]]), Some(8));
    }
}
