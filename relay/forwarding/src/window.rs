use parvis_wire::{GroupId, Location, LocationFilter, ObjectId};

const LAST: Location = Location {
    group: GroupId(u64::MAX),
    object: ObjectId(u64::MAX),
};

/// The objects that a subscription asks for; both ends are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: Location,
    pub(crate) end: Location,
}

impl Window {
    /// Draft 22, "Location Filters": what a filter means when `largest` is the largest object.
    pub(crate) fn resolve(filter: Option<LocationFilter>, largest: Option<Location>) -> Self {
        let group_start = |group: u64| Location::new(group, 0);
        match filter.unwrap_or(LocationFilter::Unfiltered) {
            LocationFilter::Unfiltered => Self {
                start: Location::default(),
                end: LAST,
            },
            LocationFilter::NextObject => Self {
                start: largest.map_or(Location::default(), next_object),
                end: LAST,
            },
            LocationFilter::NextGroup => Self {
                start: largest.map_or(Location::default(), |l| {
                    group_start(l.group.0.saturating_add(1))
                }),
                end: LAST,
            },
            LocationFilter::RelativeStart(groups) => Self {
                start: largest.map_or(Location::default(), |l| {
                    group_start(l.group.0.saturating_add(1).saturating_sub(groups))
                }),
                end: LAST,
            },
            LocationFilter::AbsoluteStart(start) => Self { start, end: LAST },
            LocationFilter::AbsoluteGroups { start, end } => Self {
                start,
                end: Location {
                    group: end,
                    object: ObjectId(u64::MAX),
                },
            },
            LocationFilter::AbsoluteRange { start, end } => Self { start, end },
        }
    }

    /// Where cached objects for a joiner begin: everything that the filter names, except that an
    /// unfiltered subscription begins with the current group.
    pub(crate) fn replay_start(
        &self,
        filter: Option<LocationFilter>,
        largest: Option<Location>,
    ) -> Location {
        match filter {
            None | Some(LocationFilter::Unfiltered) => {
                let current = largest.map_or(Location::default(), |l| Location::new(l.group.0, 0));
                self.start.max(current)
            }
            Some(_) => self.start,
        }
    }

    pub(crate) fn contains(&self, location: Location) -> bool {
        self.start <= location && location <= self.end
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.end < self.start
    }

    /// Whether a last object is named at all.
    pub(crate) fn is_bounded(&self) -> bool {
        self.end != LAST
    }

    /// Whether the end lies inside this group, not at its end.
    pub(crate) fn ends_inside(&self, group: GroupId) -> bool {
        self.end.group == group && self.end.object != ObjectId(u64::MAX)
    }

    /// Whether objects of this group after `location` may still be inside.
    pub(crate) fn may_open_after(&self, location: Location) -> bool {
        location < self.start && self.start.group == location.group
    }
}

/// The location right after this one.
pub(crate) fn next_object(location: Location) -> Location {
    match location.object.0.checked_add(1) {
        Some(object) => Location {
            group: location.group,
            object: ObjectId(object),
        },
        None => Location::new(location.group.0.saturating_add(1), 0),
    }
}
