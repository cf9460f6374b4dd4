//! Where things of a lab stand in its files, for languages that have no tree of keys.

use std::collections::HashMap;

use diag::Place;

/// Places by the path of keys that [`lab::Locate`] asks with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(HashMap<String, Place>);

impl Places {
    /// Remembers a place, unless there is one already.
    pub(crate) fn put(&mut self, path: &[&str], place: Place) {
        self.0.entry(path.join("\n")).or_insert(place);
    }

    /// The place of something, or of the nearest thing that it belongs to.
    pub(crate) fn get(&self, path: &[&str]) -> Option<Place> {
        (1..=path.len())
            .rev()
            .find_map(|n| self.0.get(&path[..n].join("\n")))
            .cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_place_counts() {
        let source = diag::Source::new("x", "abc");
        let mut places = Places::default();
        places.put(&["nodes", "a"], source.at(1..2));
        assert_eq!(
            places.get(&["nodes", "a", "files", "0"]).unwrap().span,
            1..2
        );
        assert!(places.get(&["nodes", "b"]).is_none());
    }
}
