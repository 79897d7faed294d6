use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// Identifies a request across messages; even from the client, odd from the server.
    RequestId
}
id! {
    /// Names a track on data streams of one session, chosen by the publisher.
    TrackAlias
}
id! {
    /// Names a relay in a [`HopPath`](crate::HopPath); 0: one that does not say.
    HopId
}
id! {
    /// A group of a track; a group starts with an object that needs no earlier one.
    GroupId
}
id! {
    /// A subgroup of a group: objects that share one stream.
    SubgroupId
}
id! {
    /// An object of a group.
    ObjectId
}

/// The place of an object in a track, ordered by group, then object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Location {
    /// The group.
    pub group: GroupId,
    /// The object in that group.
    pub object: ObjectId,
}

impl Location {
    /// A location from bare numbers.
    pub const fn new(group: u64, object: u64) -> Self {
        Self {
            group: GroupId(group),
            object: ObjectId(object),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.group, self.object)
    }
}

/// A priority; a lower number goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Priority(pub u8);

impl Default for Priority {
    fn default() -> Self {
        Self(128)
    }
}

/// The order in which groups of equal priority are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum GroupOrder {
    /// Oldest group first.
    #[default]
    Ascending,
    /// Newest group first.
    Descending,
}
