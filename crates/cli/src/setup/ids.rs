//! A free range of subordinate ids.

use super::facts::Facts;

/// How many ids a user gets.
pub(super) const COUNT: u64 = 65536;

/// The first id that no range of the host has, at a multiple of [`COUNT`] from 100000 up.
pub(super) fn free(facts: &Facts) -> u64 {
    let files = ["/etc/subuid", "/etc/subgid"];
    let texts = files.iter().filter_map(|f| facts.read(f));
    let ends = texts.flat_map(|t| t.lines().filter_map(end).collect::<Vec<_>>());
    let above = ends.max().unwrap_or(0).max(100_000);
    let steps = (above - 100_000).div_ceil(COUNT);
    100_000 + steps * COUNT
}

/// Where a line's range ends.
fn end(line: &str) -> Option<u64> {
    let mut parts = line.trim().split(':').skip(1);
    let start: u64 = parts.next()?.parse().ok()?;
    let count: u64 = parts.next()?.parse().ok()?;
    start.checked_add(count)
}

/// Whether a user has a range of a file.
pub(super) fn has(facts: &Facts, file: &str, user: &str) -> bool {
    let text = facts.read(file).unwrap_or_default();
    text.lines().any(|l| l.split(':').next() == Some(user))
}
