use std::time::Duration;

use bytes::Bytes;
use parvis_wire::{Draft, Location, Priority};
use tokio::sync::mpsc;

use super::FetchQuery;
use crate::{TokenSource, Trust};

/// How a [`Client`](crate::data::Client) connects.
#[derive(Debug, Clone)]
pub struct LinkOptions {
    /// Whose certificate is accepted.
    pub trust: Trust,
    /// What lets one in; `None`: the relay asks for nothing.
    pub token: Option<TokenSource>,
    /// The drafts offered, preferred first.
    pub drafts: Vec<Draft>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a connection that was lost is tried to be replaced.
    pub reconnect: Duration,
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self {
            trust: Trust::default(),
            token: None,
            drafts: Draft::ALL.to_vec(),
            connect_timeout: Duration::from_secs(5),
            reconnect: Duration::from_secs(30),
        }
    }
}

impl LinkOptions {
    /// With another trust.
    pub fn with_trust(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// With a token.
    pub fn with_token(self, source: TokenSource) -> Self {
        Self {
            token: Some(source),
            ..self
        }
    }
}

/// How a data track is published.
#[derive(Debug, Clone)]
pub struct DataOptions {
    /// The publisher's priority.
    pub priority: Priority,
    /// Objects that are kept for who asks for the past, at most.
    pub keep_objects: usize,
    /// Bytes of objects that are kept, at most.
    pub keep_bytes: usize,
    /// Asked for the past that is not kept any more; `None`: it is gone. A full channel refuses.
    pub queries: Option<mpsc::Sender<FetchQuery>>,
    /// The last place that was used before this publisher was started: the track goes on behind it, and
    /// whoever subscribes knows that there is a past.
    pub largest: Option<Location>,
}

impl Default for DataOptions {
    fn default() -> Self {
        Self {
            priority: Priority(8),
            keep_objects: 128,
            keep_bytes: 512 << 10,
            queries: None,
            largest: None,
        }
    }
}

/// What groups mean in a data track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// One row of objects, without a gap, so many in each group.
    Sequence(u64),
    /// Each group begins with an object that makes all former groups irrelevant.
    Replacing,
}

/// Where a subscription to a data track begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataStart {
    /// With what is published from now on.
    Next,
    /// With the current group's first object.
    CurrentGroup,
    /// With this place, in the past or not.
    At(Location),
}

/// How a data track is subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataSubscribe {
    /// Where it begins.
    pub start: DataStart,
    /// What its groups mean.
    pub grouping: Grouping,
    /// The subscriber's priority.
    pub priority: Priority,
}

impl DataSubscribe {
    /// From the start of the current group.
    pub const fn current_group(grouping: Grouping) -> Self {
        Self::from(DataStart::CurrentGroup, grouping)
    }

    /// From now on.
    pub const fn live(grouping: Grouping) -> Self {
        Self::from(DataStart::Next, grouping)
    }

    /// From that start.
    pub const fn from(start: DataStart, grouping: Grouping) -> Self {
        Self {
            start,
            grouping,
            priority: Priority(16),
        }
    }
}

/// An object of a data track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataObject {
    /// Its place.
    pub location: Location,
    /// Its content.
    pub payload: Bytes,
    /// Whether something is missing right before it.
    pub gap: bool,
}
