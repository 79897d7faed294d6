use std::{collections::BTreeSet, time::Instant};

/// When each connection wants to be woken.
///
/// A deadline that moves later costs nothing: the entry stays and is put off when it comes up.
#[derive(Default)]
pub(crate) struct Deadlines {
    /// At most one entry per slot.
    entries: BTreeSet<(Instant, usize)>,
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    deadline: Option<Instant>,
    /// The slot's entry, which is not later than the deadline.
    entry: Option<Instant>,
}

impl Deadlines {
    pub(crate) fn set(&mut self, index: usize, deadline: Option<Instant>) {
        if self.slots.len() <= index {
            self.slots.resize(index + 1, Slot::default());
        }
        let slot = &mut self.slots[index];
        slot.deadline = deadline;
        let Some(deadline) = deadline else { return };
        if slot.entry.is_none_or(|entry| deadline < entry) {
            if let Some(entry) = slot.entry.replace(deadline) {
                self.entries.remove(&(entry, index));
            }
            self.entries.insert((deadline, index));
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&mut self) -> Option<Instant> {
        loop {
            let &(time, index) = self.entries.first()?;
            let slot = &mut self.slots[index];
            if slot.deadline == Some(time) {
                return Some(time);
            }
            self.entries.pop_first();
            slot.entry = slot.deadline;
            self.entries
                .extend(slot.deadline.map(|deadline| (deadline, index)));
        }
    }

    /// Takes one connection whose deadline has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<usize> {
        if self.next()? > now {
            return None;
        }
        let (_, index) = self.entries.pop_first()?;
        self.slots[index] = Slot::default();
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn deadlines_come_in_order_and_a_moved_one_comes_once() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut deadlines = Deadlines::default();
        deadlines.set(0, Some(at(10)));
        deadlines.set(1, Some(at(20)));
        deadlines.set(0, Some(at(30)));
        deadlines.set(2, Some(at(5)));
        deadlines.set(2, None);

        assert_eq!(deadlines.next(), Some(at(20)));
        assert_eq!(deadlines.pop_due(at(19)), None);
        assert_eq!(deadlines.pop_due(at(30)), Some(1));
        assert_eq!(deadlines.pop_due(at(30)), Some(0));
        assert_eq!(deadlines.pop_due(at(99)), None);
    }

    #[test]
    fn a_deadline_that_moves_to_and_fro_keeps_one_entry() {
        let start = Instant::now();
        let mut deadlines = Deadlines::default();
        for turn in 0..1000 {
            let now = start + Duration::from_millis(turn);
            deadlines.set(0, Some(now + Duration::from_secs(10)));
            deadlines.set(0, Some(now + Duration::from_micros(500)));
            assert_eq!(deadlines.pop_due(now + Duration::from_millis(1)), Some(0));
            deadlines.set(0, Some(now + Duration::from_secs(10)));
            assert_eq!(deadlines.entries.len(), 1);
        }
    }
}
