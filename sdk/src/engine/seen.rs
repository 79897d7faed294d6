use std::collections::BTreeSet;

use parvis_wire::Location;

/// The places of a track's newest objects, by which those that come a second time are known.
#[derive(Debug, Default)]
pub(super) struct Seen {
    places: BTreeSet<Location>,
}

/// Places that are remembered: some twenty seconds of sound.
const CAPACITY: usize = 1024;

impl Seen {
    /// Notes an object; returns whether it is new. What is older than everything remembered
    /// counts as seen.
    pub(super) fn insert(&mut self, place: Location) -> bool {
        let full = self.places.len() >= CAPACITY;
        if full && self.places.first().is_some_and(|oldest| place < *oldest) {
            return false;
        }
        let is_new = self.places.insert(place);
        if is_new && full {
            self.places.pop_first();
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_new_once() {
        let mut seen = Seen::default();
        assert!(seen.insert(Location::new(2, 0)));
        assert!(seen.insert(Location::new(1, 5)));
        assert!(!seen.insert(Location::new(2, 0)));
    }

    #[test]
    fn memory_is_bounded_and_what_is_forgotten_stays_seen() {
        let mut seen = Seen::default();
        for group in 0..10_000 {
            assert!(seen.insert(Location::new(group, 0)));
        }
        assert_eq!(seen.places.len(), CAPACITY);
        assert!(!seen.insert(Location::new(3, 0)));
        assert!(!seen.insert(Location::new(9_999, 0)));
    }
}
