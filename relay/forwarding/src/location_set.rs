use std::{collections::BTreeMap, ops::Bound};

use parvis_wire::{GroupId, Location, ObjectId};

use crate::window::{Window, next_object};

/// Inclusive ranges of locations; no two of them touch.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct LocationSet(BTreeMap<Location, Location>);

impl LocationSet {
    pub(crate) fn insert(&mut self, window: Window) {
        let Window { mut start, mut end } = window;
        if end < start {
            return;
        }
        if let Some((&first, &last)) = self.0.range(..=start).next_back()
            && (last >= start || next_object(last) == start)
        {
            start = first;
            end = end.max(last);
            self.0.remove(&first);
        }
        // Those that begin inside, or right behind the end.
        while let Some((&first, &last)) = self.0.range(start..=end.max(next_object(end))).next() {
            end = end.max(last);
            self.0.remove(&first);
        }
        self.0.insert(start, end);
    }

    pub(crate) fn remove(&mut self, window: Window) {
        let Window { start, end } = window;
        let touched: Vec<(Location, Location)> = self
            .0
            .range(..=end)
            .rev()
            .map(|(first, last)| (*first, *last))
            .take_while(|(_, last)| *last >= start)
            .collect();
        for (first, last) in touched {
            self.0.remove(&first);
            if let Some(before) = previous_object(start).filter(|before| first <= *before) {
                self.0.insert(first, before);
            }
            if end < last {
                self.0.insert(next_object(end), last);
            }
        }
    }

    /// The range that contains a location.
    pub(crate) fn range_of(&self, at: Location) -> Option<Window> {
        let (&start, &end) = self.0.range(..=at).next_back()?;
        (at <= end).then_some(Window { start, end })
    }

    /// The ranges that begin behind a location, in order.
    pub(crate) fn ranges_after(&self, at: Location) -> impl Iterator<Item = Window> + '_ {
        let behind = self.0.range((Bound::Excluded(at), Bound::Unbounded));
        behind.map(|(&start, &end)| Window { start, end })
    }

    /// The ranges that begin before a location, the last one first.
    pub(crate) fn ranges_before(&self, at: Location) -> impl Iterator<Item = Window> + '_ {
        let before = self.0.range(..at).rev();
        before.map(|(&start, &end)| Window { start, end })
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// The location right before this one; `None`: it is the first of all.
pub(crate) fn previous_object(location: Location) -> Option<Location> {
    match location.object.0.checked_sub(1) {
        Some(object) => Some(Location::new(location.group.0, object)),
        None => Some(Location {
            group: GroupId(location.group.0.checked_sub(1)?),
            object: ObjectId(u64::MAX),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    const GROUP: u64 = 8;

    /// Numbers stand for locations, so that a set of them is easily kept.
    fn at(number: u64) -> Location {
        Location::new(number / GROUP, number % GROUP)
    }

    proptest! {
        #[test]
        fn set_holds_what_was_inserted_and_not_removed(
            steps in vec((any::<bool>(), 0..60_u64, 0..20_u64), 1..40)
        ) {
            let (mut set, mut model) = (LocationSet::default(), BTreeSet::new());
            for (insert, start, len) in steps {
                let window = Window { start: at(start), end: at(start + len) };
                if insert {
                    set.insert(window);
                    model.extend(start..=start + len);
                } else {
                    set.remove(window);
                    model.retain(|n| !(start..=start + len).contains(n));
                }
                for number in 0..100 {
                    let found = set.range_of(at(number)).is_some();
                    prop_assert_eq!(found, model.contains(&number), "{}", number);
                }
            }
        }
    }

    #[test]
    fn ranges_that_touch_become_one_even_across_groups() {
        let mut set = LocationSet::default();
        let end = Location::new(3, u64::MAX);
        set.insert(Window {
            start: Location::new(3, 5),
            end,
        });
        set.insert(Window {
            start: Location::new(4, 0),
            end: Location::new(4, 2),
        });
        assert_eq!(set.len(), 1);
        let whole = Window {
            start: Location::new(3, 5),
            end: Location::new(4, 2),
        };
        assert_eq!(set.range_of(Location::new(4, 1)), Some(whole));
        let behind: Vec<Window> = set.ranges_after(Location::new(3, 4)).collect();
        assert_eq!(behind, [whole]);
        let before: Vec<Window> = set.ranges_before(Location::new(9, 0)).collect();
        assert_eq!(before, [whole]);
    }
}
