//! What the reference model expects of a subscription.

use std::collections::BTreeSet;

use parvis_forwarding::{PeerId, RequestRef};
use parvis_wire::{Location, LocationFilter};

use crate::support::at;

/// An object that was sent.
pub struct Sent {
    pub track: usize,
    pub stream: u64,
    pub location: Location,
    pub began: u64,
    pub complete: Option<u64>,
}

/// A subscription as the model sees it.
pub struct Expected {
    pub peer: PeerId,
    pub request: RequestRef,
    pub track: usize,
    pub filter: Option<LocationFilter>,
    pub forward: bool,
    pub over: bool,
    pub start: Location,
    pub end: Location,
    pub spans: Vec<Span>,
    /// When it stopped which stream.
    pub stops: Vec<(u64, u64)>,
}

/// A time in which objects flow.
pub struct Span {
    pub from: u64,
    pub to: Option<u64>,
    /// Locations of the cache that are sent at its beginning.
    pub replay: BTreeSet<Location>,
}

/// Whether an object comes whole in this span.
pub fn comes(expected: &Expected, span: &Span, sent: &Sent) -> bool {
    let Some(complete) = sent.complete else {
        return false;
    };
    let begins = sent.began > span.from || span.replay.contains(&sent.location);
    let in_time = span.to.is_none_or(|to| complete < to);
    let is_stopped = expected.stops.iter().any(|&(at, stream)| {
        let in_span = at >= span.from && span.to.is_none_or(|to| at <= to);
        in_span && stream == sent.stream && complete >= at
    });
    begins && in_time && !is_stopped
}

pub fn window(filter: Option<LocationFilter>, largest: Option<Location>) -> (Location, Location) {
    let last = Location::new(u64::MAX, u64::MAX);
    // The start of the group that lies this many groups before the next one.
    let group =
        |back: u64| largest.map_or(at(0, 0), |l| at((l.group.0 + 1).saturating_sub(back), 0));
    match filter {
        None | Some(LocationFilter::Unfiltered) => (at(0, 0), last),
        Some(LocationFilter::NextObject) => (
            largest.map_or(at(0, 0), |l| at(l.group.0, l.object.0 + 1)),
            last,
        ),
        Some(LocationFilter::NextGroup) => (group(0), last),
        Some(LocationFilter::RelativeStart(n)) => (group(n), last),
        Some(LocationFilter::AbsoluteStart(start)) => (start, last),
        Some(LocationFilter::AbsoluteGroups { start, end }) => (start, at(end.0, u64::MAX)),
        Some(LocationFilter::AbsoluteRange { start, end }) => (start, end),
    }
}
