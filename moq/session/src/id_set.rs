/// Numbers that were seen once, as ranges; for counters that come nearly in order.
#[derive(Debug, Default)]
pub(crate) struct IdSet {
    /// Inclusive, ascending, not adjacent.
    ranges: Vec<(u64, u64)>,
}

/// Ranges beyond this are joined from below: what was left out there counts as seen.
const MAX_RANGES: usize = 1024;

impl IdSet {
    /// Adds a number; returns whether it is new.
    pub(crate) fn insert(&mut self, id: u64) -> bool {
        let next = self.ranges.partition_point(|(start, _)| *start <= id);
        if next > 0 && self.ranges[next - 1].1 >= id {
            return false;
        }
        let joins_before = next > 0 && self.ranges[next - 1].1 + 1 == id;
        let joins_after = self
            .ranges
            .get(next)
            .is_some_and(|(start, _)| start - 1 == id);
        match (joins_before, joins_after) {
            (true, true) => {
                self.ranges[next - 1].1 = self.ranges[next].1;
                self.ranges.remove(next);
            }
            (true, false) => self.ranges[next - 1].1 = id,
            (false, true) => self.ranges[next].0 = id,
            (false, false) => self.ranges.insert(next, (id, id)),
        }
        if self.ranges.len() > MAX_RANGES {
            self.ranges[0].1 = self.ranges[1].1;
            self.ranges.remove(1);
        }
        true
    }

    /// The smallest number above all that were seen.
    pub(crate) fn end(&self) -> u64 {
        self.ranges
            .last()
            .map_or(0, |(_, end)| end.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_new_once() {
        let mut set = IdSet::default();
        for id in [0, 1, 5, 3, 4, 2, u64::MAX, u64::MAX - 1] {
            assert!(set.insert(id), "{id}");
            assert!(!set.insert(id), "{id}");
        }
        assert_eq!(set.ranges, [(0, 5), (u64::MAX - 1, u64::MAX)]);
        assert_eq!(set.end(), u64::MAX);
    }

    #[test]
    fn gaps_are_bounded() {
        let mut set = IdSet::default();
        for id in 0..10_000 {
            assert!(set.insert(id * 2));
        }
        assert_eq!(set.ranges.len(), MAX_RANGES);
        assert!(!set.insert(1), "a gap that was joined counts as seen");
        assert!(set.insert(19_997));
    }
}
