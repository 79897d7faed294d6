use std::time::Instant;

use parvis_wire::{GroupOrder, Location, LocationFilter, Parameters, Priority, RangeFilters};

use crate::{Receiver, keys::TrackKey, window::Window};

/// A subscription of a peer to a track.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) track: TrackKey,
    pub(crate) receiver: Receiver,
    pub(crate) kind: SubscriptionKind,
    pub(crate) state: SubscriptionState,
    pub(crate) forward: bool,
    pub(crate) priority: Priority,
    pub(crate) filter: Option<LocationFilter>,
    pub(crate) filters: RangeFilters,
    pub(crate) group_order: Option<GroupOrder>,
    /// Holds from acceptance on; for an offer from the offer on.
    pub(crate) window: Window,
    /// The largest object that the subscriber was told when objects began to flow.
    pub(crate) joined_at: Option<Location>,
    /// Where cached objects begin.
    pub(crate) replay_start: Location,
    pub(crate) include_properties: bool,
    /// The fill that the SUBSCRIBE asks for.
    pub(crate) fill: Option<Box<Parameters>>,
    pub(crate) new_group_request: Option<u64>,
    /// Waiting: for the track to appear. Established: for the last streams of its range.
    pub(crate) deadline: Option<Instant>,
    /// The largest object when a shard last stopped forwarding: nothing up to it is sent again.
    pub(crate) paused_at: Option<Location>,
    /// Its open streams.
    pub(crate) open_streams: usize,
}

/// How a subscription came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubscriptionKind {
    /// By the peer's SUBSCRIBE.
    Subscribe,
    /// By our PUBLISH.
    Offer,
    /// No subscription in truth: a TRACK_STATUS that waits for its answer.
    Status,
}

/// How far a subscription is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubscriptionState {
    /// Waits for the track to be established upstream.
    Waiting,
    /// Waits for the subscriber's PUBLISH_OK.
    Offered,
    /// Objects flow while it forwards.
    Established,
}

impl Subscription {
    pub(crate) fn new(
        track: TrackKey,
        receiver: Receiver,
        kind: SubscriptionKind,
        parameters: &Parameters,
    ) -> Self {
        Self {
            track,
            receiver,
            kind,
            state: match kind {
                SubscriptionKind::Offer => SubscriptionState::Offered,
                SubscriptionKind::Subscribe | SubscriptionKind::Status => {
                    SubscriptionState::Waiting
                }
            },
            forward: kind != SubscriptionKind::Status && parameters.forward.unwrap_or(true),
            priority: parameters.subscriber_priority.unwrap_or_default(),
            filter: parameters.filter,
            filters: RangeFilters::decode(&parameters.range_filters).unwrap_or_default(),
            group_order: parameters.group_order,
            window: Window::resolve(None, None),
            joined_at: None,
            replay_start: Location::default(),
            include_properties: parameters.include_properties.unwrap_or(true),
            fill: parameters.fill.clone(),
            new_group_request: parameters.new_group_request,
            deadline: None,
            paused_at: None,
            open_streams: 0,
        }
    }

    /// Fixes which objects the filter names.
    pub(crate) fn resolve(&mut self, largest: Option<Location>) {
        self.joined_at = largest;
        self.window = Window::resolve(self.filter, largest);
        self.replay_start = self.window.replay_start(self.filter, largest);
    }

    /// Whether objects must flow upstream for its sake.
    pub(crate) fn wants_objects(&self) -> bool {
        self.forward && self.kind != SubscriptionKind::Status
    }
}
