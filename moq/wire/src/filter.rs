use crate::{GroupId, Location};

/// Which objects of a track a subscription or fetch asks for; every end is inclusive.
///
/// Draft 22, "Location Filter"; draft 18, "Subscription Filters".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LocationFilter {
    /// Every object (draft 22 type 0; draft 18 has no such form and encodes `AbsoluteStart` 0/0).
    Unfiltered,
    /// From the object after the largest one ("Largest Object" in draft 18).
    NextObject,
    /// From the start of the group after the largest one (draft 18 "Next Group Start"; draft 22
    /// relative start 0).
    NextGroup,
    /// From the start of the group that lies this many groups before the next one; draft 22 only.
    /// The codec maps 0 to [`Self::NextGroup`].
    RelativeStart(u64),
    /// From this location on.
    AbsoluteStart(Location),
    /// From this location to the end of a group.
    AbsoluteGroups {
        /// The first object.
        start: Location,
        /// The last group.
        end: GroupId,
    },
    /// From this location to that one; draft 22 only.
    AbsoluteRange {
        /// The first object.
        start: Location,
        /// The last object.
        end: Location,
    },
}
