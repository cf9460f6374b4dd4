//! Flow tables: fixed small keys to entries, safe against chosen collisions.
//!
//! Open addressing with linear probing over 8-byte slots (32 bits of the hash, index of the entry); entries
//! lie in a slab and are named by handles with a generation, so that a handle to a flow that is gone finds
//! nothing. Keys are hashed with SipHash-1-3 under a secret seed given by the owner of the table: a seed from
//! the system's entropy in real runs, a fixed one in simulations. Timers are the owner's: it schedules a
//! [`FlowId`] in a [`super::wheel::Wheel`] and asks [`FlowTable::get`] when it rings.

use std::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;

/// The least number of slots.
const LEAST: usize = 16;
/// The index of no entry.
const NIL: u32 = u32::MAX;

/// Names an entry for as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowId {
    at: u32,
    generation: u32,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    at: u32,
}

const VACANT: Slot = Slot { hash: 0, at: NIL };

#[derive(Clone, Debug)]
struct Entry<K, V> {
    hash: u32,
    generation: u32,
    content: Option<(K, V)>,
}

/// The table; at most `capacity` entries.
#[derive(Clone, Debug)]
pub struct FlowTable<K, V> {
    slots: Box<[Slot]>,
    entries: Vec<Entry<K, V>>,
    free: Vec<u32>,
    capacity: usize,
    seed: [u64; 2],
}

/// No room for another entry; the value comes back.
#[derive(Debug, PartialEq, Eq)]
pub struct Full<V>(pub V);

impl<K: Copy + Eq + Hash, V> FlowTable<K, V> {
    /// An empty table for at most `capacity` entries (and never more than 2^31).
    #[must_use]
    pub fn new(capacity: usize, seed: [u64; 2]) -> Self {
        Self {
            slots: vec![VACANT; LEAST].into_boxed_slice(),
            entries: Vec::new(),
            free: Vec::new(),
            capacity: capacity.min(1 << 31),
            seed,
        }
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Finds the entry of a key.
    #[inline]
    #[must_use]
    pub fn find(&self, key: &K) -> Option<FlowId> {
        self.find_hashed(self.hash(key), key)
    }

    /// Finds the entries of as many keys as `found` has room for: all hashes first, then their slots, so that
    /// the cache misses of a few dozen keys overlap (a prefetch of slots would go into the first pass).
    pub fn find_batch(&self, keys: &[K], found: &mut [Option<FlowId>]) {
        const STRIDE: usize = 32;
        let mut hashes = [(0u32, VACANT); STRIDE];
        for (keys, found) in keys.chunks(STRIDE).zip(found.chunks_mut(STRIDE)) {
            for (place, key) in hashes.iter_mut().zip(keys) {
                let hash = self.hash(key);
                *place = (hash, self.slots[self.home(hash)]);
            }
            for ((found, &(hash, first)), key) in found.iter_mut().zip(&hashes).zip(keys) {
                *found = if first.at == NIL {
                    None
                } else {
                    self.find_hashed(hash, key)
                };
            }
        }
    }

    /// The value of an entry, `None` if it is gone.
    #[inline]
    #[must_use]
    pub fn get(&self, id: FlowId) -> Option<&V> {
        let entry = self
            .entries
            .get(id.at as usize)
            .filter(|entry| entry.generation == id.generation)?;
        entry.content.as_ref().map(|(_, value)| value)
    }

    /// The value of an entry to change, `None` if it is gone.
    #[inline]
    pub fn get_mut(&mut self, id: FlowId) -> Option<&mut V> {
        let entry = self
            .entries
            .get_mut(id.at as usize)
            .filter(|entry| entry.generation == id.generation)?;
        entry.content.as_mut().map(|(_, value)| value)
    }

    /// The key of an entry, `None` if it is gone.
    #[must_use]
    pub fn key(&self, id: FlowId) -> Option<K> {
        let entry = self
            .entries
            .get(id.at as usize)
            .filter(|entry| entry.generation == id.generation)?;
        entry.content.as_ref().map(|&(key, _)| key)
    }

    /// Gives a key a new entry. An older entry of the same key is removed and returned.
    ///
    /// # Errors
    /// [`Full`] with the value.
    pub fn insert(&mut self, key: K, value: V) -> Result<(FlowId, Option<V>), Full<V>> {
        let old = self.find(&key).and_then(|id| self.remove(id));
        if self.len() >= self.capacity {
            return Err(Full(value));
        }
        self.make_room();
        let hash = self.hash(&key);
        let at = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry {
                hash,
                generation: 0,
                content: None,
            });
            (self.entries.len() - 1) as u32
        });
        let entry = &mut self.entries[at as usize];
        (entry.hash, entry.content) = (hash, Some((key, value)));
        let id = FlowId {
            at,
            generation: entry.generation,
        };
        self.enter(Slot { hash, at });
        Ok((id, old))
    }

    /// Removes an entry, `None` if it is gone.
    pub fn remove(&mut self, id: FlowId) -> Option<V> {
        let entry = self
            .entries
            .get_mut(id.at as usize)
            .filter(|entry| entry.generation == id.generation)?;
        let (_, value) = entry.content.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        let hash = entry.hash;
        self.free.push(id.at);
        self.leave(hash, id.at);
        Some(value)
    }

    /// All entries, in the order of the slab.
    pub fn iter(&self) -> impl Iterator<Item = (FlowId, &K, &V)> {
        self.entries.iter().enumerate().filter_map(|(at, entry)| {
            let (key, value) = entry.content.as_ref()?;
            Some((
                FlowId {
                    at: at as u32,
                    generation: entry.generation,
                },
                key,
                value,
            ))
        })
    }

    /// The bytes that the table takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.slots)
            + self.entries.capacity() * size_of::<Entry<K, V>>()
            + self.free.capacity() * size_of::<u32>()
    }

    fn hash(&self, key: &K) -> u32 {
        let mut hasher = SipHasher13::new_with_keys(self.seed[0], self.seed[1]);
        key.hash(&mut hasher);
        hasher.finish() as u32
    }

    fn home(&self, hash: u32) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.slots.len() - 1)
    }

    fn find_hashed(&self, hash: u32, key: &K) -> Option<FlowId> {
        let mut place = self.home(hash);
        loop {
            let slot = self.slots[place];
            let entry = self.entries.get(slot.at as usize)?;
            if slot.hash == hash && matches!(&entry.content, Some((other, _)) if other == key) {
                return Some(FlowId {
                    at: slot.at,
                    generation: entry.generation,
                });
            }
            place = self.after(place);
        }
    }

    fn enter(&mut self, slot: Slot) {
        let mut place = self.home(slot.hash);
        while self.slots[place].at != NIL {
            place = self.after(place);
        }
        self.slots[place] = slot;
    }

    /// Clears an entry's slot and moves later ones of the run up, so that no search stops too early.
    fn leave(&mut self, hash: u32, at: u32) {
        let mut gap = self.home(hash);
        while self.slots[gap].at != at {
            gap = self.after(gap);
        }
        let mut place = self.after(gap);
        while self.slots[place].at != NIL {
            let mask = self.slots.len() - 1;
            let from_home = place.wrapping_sub(self.home(self.slots[place].hash)) & mask;
            let from_gap = place.wrapping_sub(gap) & mask;
            if from_home >= from_gap {
                self.slots[gap] = self.slots[place];
                gap = place;
            }
            place = self.after(place);
        }
        self.slots[gap] = VACANT;
    }

    /// Doubles the slots when one more entry would fill more than three quarters.
    fn make_room(&mut self) {
        if (self.len() + 1) * 4 <= self.slots.len() * 3 {
            return;
        }
        let size = self.slots.len() * 2;
        let old = std::mem::replace(&mut self.slots, vec![VACANT; size].into_boxed_slice());
        old.iter()
            .filter(|slot| slot.at != NIL)
            .for_each(|&slot| self.enter(slot));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn holds_what_a_map_holds(seed in any::<[u64; 2]>(), steps in prop::collection::vec((0u8..90, any::<bool>()), 0..400)) {
            let (mut table, mut map) = (FlowTable::new(60, seed), HashMap::new());
            let mut gone = Vec::new();
            for (step, (key, add)) in steps.into_iter().enumerate() {
                if add && (map.len() < 60 || map.contains_key(&key)) {
                    let old = table.find(&key);
                    let (id, value) = table.insert(key, step).unwrap();
                    prop_assert_eq!(value, map.insert(key, (step, id)).map(|(step, _)| step));
                    gone.extend(old);
                } else if add {
                    prop_assert_eq!(table.insert(key, step), Err(Full(step)));
                } else if let Some((step, id)) = map.remove(&key) {
                    prop_assert_eq!(table.remove(id), Some(step));
                    gone.push(id);
                }
            }
            prop_assert_eq!(table.len(), map.len());
            let keys: Vec<u8> = (0..90).collect();
            let mut found = [None; 90];
            table.find_batch(&keys, &mut found);
            for (key, found) in keys.iter().zip(found) {
                prop_assert_eq!(found, map.get(key).map(|&(_, id)| id));
                prop_assert_eq!(found.and_then(|id| table.get(id).copied()), map.get(key).map(|&(step, _)| step));
                prop_assert_eq!(found.and_then(|id| table.key(id)), found.map(|_| *key));
            }
            for id in gone {
                prop_assert!(table.get(id).is_none() && table.remove(id).is_none());
            }
        }
    }
}
