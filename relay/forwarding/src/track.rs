use std::{collections::BTreeMap, time::Instant};

use parvis_wire::{
    FullTrackName, GroupId, Location, Priority, Properties, PropertyValue, PublishDoneCode,
};

use crate::{
    PeerId, Receiver, RequestRef,
    keys::{AskKey, FetchKey, SubgroupKey, SubscriptionKey},
    past::Past,
    window::Window,
};

/// draft-ietf-moq-transport-22, "DEFAULT PUBLISHER PRIORITY".
const DEFAULT_PRIORITY: u64 = 0x0E;
/// draft-ietf-moq-transport-22, "DYNAMIC GROUPS".
const DYNAMIC_GROUPS: u64 = 0x30;

/// A track that somebody publishes or wants.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) name: FullTrackName,
    pub(crate) source: Source,
    /// The publisher that is to replace the source, asked with a SUBSCRIBE.
    pub(crate) next: Option<Upstream>,
    /// Publishers that rejected the track since it was last established.
    pub(crate) tried: Vec<PeerId>,
    pub(crate) properties: Properties,
    pub(crate) largest: Option<Location>,
    /// Objects up to here came from an earlier source.
    pub(crate) floor: Option<Location>,
    pub(crate) subscriptions: Vec<SubscriptionKey>,
    /// The subscriptions that objects flow to now.
    pub(crate) receivers: Vec<Recipient>,
    /// Of those, the ones with range filters; they are not in `receivers`.
    pub(crate) selecting: Vec<Recipient>,
    /// No range of an established subscription ends before this object.
    pub(crate) next_end: Option<Location>,
    /// Subgroups that stream in.
    pub(crate) live: Vec<SubgroupKey>,
    /// Subgroups with objects: the two newest groups are cached, older ones stream.
    pub(crate) groups: BTreeMap<GroupId, Group>,
    pub(crate) cache_bytes: usize,
    pub(crate) new_group_asked: Option<u64>,
    /// It is, once the source has answered what it was told before.
    pub(crate) new_group_waits: bool,
    /// The last object of all, once it is known.
    pub(crate) end: Option<Location>,
    pub(crate) past: Past,
    /// FETCHes that wait for an object to be whole, for their subscription, or for the source.
    pub(crate) fetches: Vec<FetchKey>,
    /// FETCHes that are being answered.
    pub(crate) running: Vec<FetchKey>,
    /// FETCHes of ours.
    pub(crate) asks: Vec<AskKey>,
    pub(crate) linger: Option<Instant>,
    pub(crate) ending: Option<Ending>,
}

/// Where a track's objects come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Nobody has it; subscriptions may wait.
    Nobody,
    /// A SUBSCRIBE of ours is not answered.
    Pending(Upstream),
    /// A subscription.
    Established(Upstream),
}

/// An upstream subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Upstream {
    pub(crate) peer: PeerId,
    pub(crate) request: RequestRef,
    /// By the peer's PUBLISH, not our SUBSCRIBE.
    pub(crate) published: bool,
    /// What it was told last.
    pub(crate) told: Demand,
    /// What it was told and has not answered.
    pub(crate) unanswered: u8,
    /// Whether something else has been wanted since it had too much to answer.
    pub(crate) wants_more: bool,
}

/// What subscribers want of the source together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Demand {
    pub(crate) forward: bool,
    pub(crate) priority: Priority,
}

/// A subscription that objects flow to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recipient {
    pub(crate) key: SubscriptionKey,
    pub(crate) receiver: Receiver,
    pub(crate) window: Window,
}

/// The subgroups of a group that have objects.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) subgroups: Vec<SubgroupKey>,
    /// Its place in the order of eviction; `None`: it is not cached.
    pub(crate) cached: Option<u64>,
    pub(crate) bytes: usize,
    pub(crate) touched: Instant,
}

/// A track whose publisher is done, while its last streams come in.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) deadline: Instant,
    pub(crate) code: PublishDoneCode,
    pub(crate) reason: String,
    /// The relay that it came from is gone: it goes on if there is another way to it.
    pub(crate) orphaned: bool,
}

impl Track {
    pub(crate) fn new(name: FullTrackName) -> Self {
        Self {
            name,
            source: Source::Nobody,
            next: None,
            tried: Vec::new(),
            properties: Properties::EMPTY,
            largest: None,
            floor: None,
            subscriptions: Vec::new(),
            receivers: Vec::new(),
            selecting: Vec::new(),
            next_end: None,
            live: Vec::new(),
            groups: BTreeMap::new(),
            cache_bytes: 0,
            new_group_asked: None,
            new_group_waits: false,
            end: None,
            past: Past::default(),
            fetches: Vec::new(),
            running: Vec::new(),
            asks: Vec::new(),
            linger: None,
            ending: None,
        }
    }

    /// Whether somebody wants objects of it, now or of the past.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.subscriptions.is_empty() || !self.fetches.is_empty() || !self.running.is_empty()
    }

    pub(crate) fn has_dynamic_groups(&self) -> bool {
        self.integer(DYNAMIC_GROUPS) == Some(1)
    }

    /// The priority of subgroups that name none.
    pub(crate) fn default_priority(&self) -> Priority {
        let told = self
            .integer(DEFAULT_PRIORITY)
            .and_then(|value| u8::try_from(value).ok());
        told.map_or_else(Priority::default, Priority)
    }

    fn integer(&self, kind: u64) -> Option<u64> {
        let properties = self.properties.decode().ok()?;
        properties
            .iter()
            .find(|p| p.kind == kind)
            .and_then(|p| match p.value {
                PropertyValue::Integer(value) => Some(value),
                PropertyValue::Bytes(_) => None,
            })
    }

    pub(crate) fn is_orphaned(&self) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.orphaned)
    }

    pub(crate) const fn established(&self) -> Option<Upstream> {
        match self.source {
            Source::Established(upstream) => Some(upstream),
            Source::Nobody | Source::Pending(_) => None,
        }
    }

    pub(crate) const fn upstream(&self) -> Option<Upstream> {
        match self.source {
            Source::Established(upstream) | Source::Pending(upstream) => Some(upstream),
            Source::Nobody => None,
        }
    }

    pub(crate) const fn upstream_mut(&mut self) -> Option<&mut Upstream> {
        match &mut self.source {
            Source::Established(upstream) | Source::Pending(upstream) => Some(upstream),
            Source::Nobody => None,
        }
    }

    /// Whether this group is the newest one that has objects.
    pub(crate) fn is_newest(&self, group: GroupId) -> bool {
        self.groups
            .last_key_value()
            .is_some_and(|(newest, _)| *newest == group)
    }
}
