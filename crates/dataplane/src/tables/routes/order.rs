//! The orders of listings that are not simply the order of entry.

use super::route::{Prefix, Route};
use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};

/// The number of buckets of the hash table whose order `DirectIPLookup` lists.
const BUCKETS: u32 = 1 << 16;

/// The key by which `DirectIPLookup` lists: bucket, then newest first; the default route is always oldest.
pub(super) fn hash_key(serial: u32, prefix: Prefix) -> (u32, Reverse<u32>) {
    let age = if prefix == Prefix::ALL { 0 } else { serial };
    (bucket(prefix), Reverse(age))
}

/// The bucket of a prefix (the hash function of Click's `DirectIPLookup`).
fn bucket(prefix: Prefix) -> u32 {
    let (address, length) = (prefix.address(), u32::from(prefix.length()));
    let mut hash = address ^ (length << 5) ^ (address >> (length >> 2)).wrapping_sub(length);
    hash ^= (hash >> 23) ^ (hash >> 15).wrapping_mul(length) ^ (address >> 17).wrapping_mul(53);
    let mixed =
        (address >> 3) ^ hash.wrapping_shr(length).wrapping_mul(7) ^ (hash >> 11).wrapping_mul(103);
    hash = hash.wrapping_sub(mixed);
    (hash ^ (hash >> 17)) & (BUCKETS - 1)
}

/// Routes such that each comes before those that hold it: in order of entry as far as possible, and a
/// route right after the last that it had to wait for.
pub(super) fn specific_first(routes: &[Route]) -> Vec<Route> {
    let places: HashMap<Prefix, usize> = routes
        .iter()
        .enumerate()
        .map(|(at, r)| (r.prefix, at))
        .collect();
    let holders = |at: usize| {
        let mut all: Vec<usize> = routes[at]
            .prefix
            .parents()
            .filter_map(|prefix| places.get(&prefix).copied())
            .collect();
        all.sort_unstable();
        all
    };
    let mut waiting = vec![0usize; routes.len()];
    (0..routes.len())
        .flat_map(holders)
        .for_each(|at| waiting[at] += 1);
    let leaves: Vec<usize> = (0..routes.len()).filter(|&at| waiting[at] == 0).collect();
    let mut sorted = Vec::with_capacity(routes.len());
    for leaf in leaves {
        let mut queue = VecDeque::from([leaf]);
        while let Some(at) = queue.pop_front() {
            sorted.push(routes[at]);
            for holder in holders(at) {
                waiting[holder] -= 1;
                if waiting[holder] == 0 {
                    queue.push_back(holder);
                }
            }
        }
    }
    sorted
}
