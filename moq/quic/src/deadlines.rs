use std::{cmp::Reverse, collections::BinaryHeap, time::Instant};

/// When each connection wants to be woken.
///
/// A deadline that moves later costs nothing: the old entry stays, and is put off when it comes up.
#[derive(Default)]
pub(crate) struct Deadlines {
    heap: BinaryHeap<Reverse<(Instant, usize)>>,
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    deadline: Option<Instant>,
    /// The one entry of the heap that counts; others of this slot are stale.
    armed: Option<Instant>,
}

impl Deadlines {
    pub(crate) fn set(&mut self, index: usize, deadline: Option<Instant>) {
        if self.slots.len() <= index {
            self.slots.resize(index + 1, Slot::default());
        }
        let slot = &mut self.slots[index];
        slot.deadline = deadline;
        if let Some(deadline) = deadline
            && slot.armed.is_none_or(|armed| deadline < armed)
        {
            slot.armed = Some(deadline);
            self.heap.push(Reverse((deadline, index)));
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&mut self) -> Option<Instant> {
        loop {
            let &Reverse((time, index)) = self.heap.peek()?;
            if self.slots[index].armed == Some(time) && self.slots[index].deadline == Some(time) {
                return Some(time);
            }
            self.settle_top();
        }
    }

    /// Takes one connection whose deadline has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<usize> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, index)) = self.heap.pop()?;
        self.slots[index] = Slot::default();
        Some(index)
    }

    /// Drops the top entry, which is stale or too early, and puts its slot's deadline in again.
    fn settle_top(&mut self) {
        let Some(Reverse((time, index))) = self.heap.pop() else {
            return;
        };
        let slot = &mut self.slots[index];
        if slot.armed == Some(time) {
            slot.armed = slot.deadline;
            if let Some(deadline) = slot.deadline {
                self.heap.push(Reverse((deadline, index)));
            }
        }
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
}
