use parvis_wire::{GroupId, GroupOrder, Location, ObjectId};

use crate::{
    location_set::previous_object,
    window::{Window, next_object},
};

/// How far a FETCH is: groups in its order, the objects of a group always in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) window: Window,
    pub(crate) order: GroupOrder,
    next: Option<Location>,
}

impl Progress {
    pub(crate) fn new(window: Window, order: GroupOrder) -> Self {
        let mut progress = Self {
            window,
            order,
            next: None,
        };
        if !window.is_empty() {
            progress.next = Some(match order {
                GroupOrder::Ascending => window.start,
                GroupOrder::Descending => progress.first_of(window.end.group),
            });
        }
        progress
    }

    /// The next location; `None`: it is through.
    pub(crate) const fn next(&self) -> Option<Location> {
        self.next
    }

    /// Where a location comes in this order.
    pub(crate) const fn rank(&self, at: Location) -> (u64, u64) {
        match self.order {
            GroupOrder::Ascending => (at.group.0, at.object.0),
            GroupOrder::Descending => (u64::MAX - at.group.0, at.object.0),
        }
    }

    /// Whether a location is still to come.
    pub(crate) fn is_ahead(&self, at: Location) -> bool {
        let next = self.next.map(|next| self.rank(next));
        self.window.contains(at) && next.is_some_and(|next| next <= self.rank(at))
    }

    /// The first location of a group that is inside.
    pub(crate) fn first_of(&self, group: GroupId) -> Location {
        if group == self.window.start.group {
            self.window.start
        } else {
            Location::new(group.0, 0)
        }
    }

    /// The last location of a group that is inside.
    pub(crate) fn last_of(&self, group: GroupId) -> Location {
        if group == self.window.end.group {
            self.window.end
        } else {
            Location::new(group.0, u64::MAX)
        }
    }

    /// The last location of all.
    pub(crate) fn last(&self) -> Location {
        match self.order {
            GroupOrder::Ascending => self.window.end,
            GroupOrder::Descending => self.last_of(self.window.start.group),
        }
    }

    /// The last location in this order of a part of the window: whole groups, or inside of one.
    pub(crate) fn last_in(&self, part: Window) -> Location {
        match self.order {
            GroupOrder::Ascending => part.end,
            GroupOrder::Descending if part.start.group == part.end.group => part.end,
            GroupOrder::Descending => self.last_of(part.start.group),
        }
    }

    /// Everything up to this location is done.
    pub(crate) fn pass(&mut self, at: Location) {
        let Some(next) = self.next else { return };
        if self.rank(at) < self.rank(next) {
            return;
        }
        self.next = if self.rank(at) >= self.rank(self.last()) {
            None
        } else if self.order == GroupOrder::Ascending || at < self.last_of(at.group) {
            Some(next_object(at))
        } else {
            at.group
                .0
                .checked_sub(1)
                .map(|group| self.first_of(GroupId(group)))
        };
    }

    /// What lies between the next location and this one, which is ahead.
    pub(crate) fn skipped(&self, at: Location) -> Vec<Window> {
        let Some(next) = self.next else {
            return Vec::new();
        };
        let before = previous_object(at);
        let up_to = |start: Location| {
            let end = before.filter(|before| start <= *before)?;
            Some(Window { start, end })
        };
        if self.order == GroupOrder::Ascending || at.group == next.group {
            return up_to(next).into_iter().collect();
        }
        let mut parts = vec![Window {
            start: next,
            end: self.last_of(next.group),
        }];
        if next.group.0 - at.group.0 > 1 {
            parts.push(Window {
                start: Location::new(at.group.0 + 1, 0),
                end: Location::new(next.group.0 - 1, u64::MAX),
            });
        }
        parts.extend(up_to(self.first_of(at.group)));
        parts
    }

    /// What lies between the next location and the end.
    pub(crate) fn rest(&self) -> Vec<Window> {
        let Some(next) = self.next else {
            return Vec::new();
        };
        match self.order {
            GroupOrder::Ascending => vec![Window {
                start: next,
                end: self.window.end,
            }],
            GroupOrder::Descending => {
                let mut parts = vec![Window {
                    start: next,
                    end: self.last_of(next.group),
                }];
                if self.window.start.group < next.group {
                    parts.push(Window {
                        start: self.window.start,
                        end: Location::new(next.group.0 - 1, u64::MAX),
                    });
                }
                parts
            }
        }
    }

    /// The least window that contains the rest.
    pub(crate) fn hull(&self) -> Option<Window> {
        let next = self.next?;
        let Window { start, end } = self.window;
        Some(match self.order {
            GroupOrder::Ascending => Window { start: next, end },
            GroupOrder::Descending => Window {
                start,
                end: self.last_of(next.group),
            },
        })
    }

    /// Ends the window here, if it ended later.
    pub(crate) fn truncate(&mut self, end: Location) {
        if end >= self.window.end {
            return;
        }
        let fresh = Self::new(
            Window {
                start: self.window.start,
                end,
            },
            self.order,
        );
        let next = self
            .next
            .filter(|next| fresh.rank(*next) <= fresh.rank(fresh.last()));
        let next = match (next, fresh.next) {
            (Some(next), Some(first)) if fresh.rank(next) > fresh.rank(first) => Some(next),
            (Some(_), first) => first,
            (None, _) => None,
        };
        *self = Self { next, ..fresh };
    }

    /// Where the marker of a range stands that reaches from the next location to `last`. In
    /// descending order whole groups are marked at their very beginning, which is the end that
    /// lies farther from what was sent before.
    pub(crate) fn marker(&self, last: Location) -> Location {
        match (self.order, self.next) {
            (GroupOrder::Descending, Some(next))
                if next.group != last.group || next == self.first_of(next.group) =>
            {
                self.first_of(last.group)
            }
            _ => last,
        }
    }

    /// The last location of the range that a marker ends.
    pub(crate) fn marked(&self, marker: Location) -> Location {
        match (self.order, self.next) {
            (GroupOrder::Descending, Some(next))
                if next.group != marker.group || next == self.first_of(next.group) =>
            {
                self.last_of(marker.group)
            }
            _ => Location {
                group: marker.group,
                object: ObjectId(marker.object.0),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(group: u64, object: u64) -> Location {
        Location::new(group, object)
    }

    fn window(start: Location, end: Location) -> Window {
        Window { start, end }
    }

    #[test]
    fn ascending_passes_every_location_once() {
        let mut progress = Progress::new(window(at(1, 2), at(3, 4)), GroupOrder::Ascending);
        assert_eq!(progress.skipped(at(2, 3)), [window(at(1, 2), at(2, 2))]);
        progress.pass(at(2, 3));
        assert_eq!(progress.next(), Some(at(2, 4)));
        assert!(!progress.is_ahead(at(2, 3)) && progress.is_ahead(at(3, 4)));
        assert!(!progress.is_ahead(at(3, 5)));
        assert_eq!(progress.rest(), [window(at(2, 4), at(3, 4))]);
        progress.pass(at(3, 4));
        assert_eq!(progress.next(), None);
    }

    #[test]
    fn descending_has_groups_backwards_and_objects_forwards() {
        let mut progress = Progress::new(window(at(1, 2), at(4, 4)), GroupOrder::Descending);
        assert_eq!(progress.next(), Some(at(4, 0)));
        progress.pass(at(4, 1));
        let skipped = [
            window(at(4, 2), at(4, 4)),
            window(at(2, 0), at(3, u64::MAX)),
            window(at(1, 2), at(1, 6)),
        ];
        assert_eq!(progress.skipped(at(1, 7)), skipped);
        let rest = [
            window(at(4, 2), at(4, 4)),
            window(at(1, 2), at(3, u64::MAX)),
        ];
        assert_eq!(progress.rest(), rest);
        progress.pass(at(4, 4));
        assert_eq!(progress.next(), Some(at(3, 0)));
        progress.pass(at(2, u64::MAX));
        assert_eq!(progress.next(), Some(at(1, 2)));
        assert_eq!(progress.last(), at(1, u64::MAX));
        progress.pass(at(1, u64::MAX));
        assert_eq!(progress.next(), None);
    }

    #[test]
    fn marker_of_whole_groups_is_their_beginning_in_descending_order() {
        let mut progress = Progress::new(window(at(1, 2), at(4, 4)), GroupOrder::Descending);
        assert_eq!(progress.marker(at(3, u64::MAX)), at(3, 0));
        assert_eq!(progress.marked(at(3, 0)), at(3, u64::MAX));
        progress.pass(at(4, 1));
        assert_eq!(progress.marker(at(4, 4)), at(4, 4));
        assert_eq!(progress.marker(at(1, u64::MAX)), at(1, 2));
    }

    #[test]
    fn truncated_window_ends_earlier_in_both_orders() {
        let whole = window(at(1, 0), at(9, 9));
        let mut ascending = Progress::new(whole, GroupOrder::Ascending);
        ascending.pass(at(2, 0));
        ascending.truncate(at(3, 3));
        assert_eq!(ascending.rest(), [window(at(2, 1), at(3, 3))]);
        let mut descending = Progress::new(whole, GroupOrder::Descending);
        descending.truncate(at(3, 3));
        assert_eq!(descending.next(), Some(at(3, 0)));
        assert_eq!(descending.last_of(GroupId(3)), at(3, 3));
        ascending.truncate(at(1, 5));
        assert_eq!(ascending.next(), None);
    }
}
