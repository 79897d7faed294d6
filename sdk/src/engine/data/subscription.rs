use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parvis_session::RequestKey;
use parvis_wire::{Draft, FullTrackName, Location, LocationFilter, Parameters};
use tokio::sync::{mpsc, oneshot};

use super::{super::link::LinkId, DataKey, order::DataOrder};
use crate::{
    DataStart, DataSubscribe, SubscribeError,
    data::{DataObject, Grouping},
};

/// What tells of the first answer.
/// Names the subscription, and the largest object that there was when it was accepted.
pub(in crate::engine) type Reply =
    oneshot::Sender<Result<(DataKey, Option<Location>), SubscribeError>>;

/// A data track that is received.
#[derive(Debug)]
pub(super) struct DataSubscription {
    pub(super) name: FullTrackName,
    pub(super) reply: Option<Reply>,
    wanted: DataSubscribe,
    /// Where it comes from: while the connection is replaced, two.
    sources: BTreeMap<LinkId, Source>,
    retry: Option<Instant>,
    attempts: u32,
    /// How often in a row it was cut off, and nothing came since.
    cut_off: u32,
    /// Where the first answer let it begin.
    began: Option<Location>,
    order: DataOrder,
    sink: mpsc::Sender<DataObject>,
}

/// A subscription on one connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) key: RequestKey,
    pub(super) accepted: bool,
    /// The FETCH that brings the past, in draft 18.
    pub(super) joining: Option<RequestKey>,
}

/// Objects that wait to be taken, at most; further ones are dropped, and the next one taken says
/// so.
pub(in crate::engine) const OBJECTS: usize = 1024;

/// How long a relay may wait for a track to appear.
const RENDEZVOUS: u64 = 5000;

impl DataSubscription {
    pub(super) fn new(
        name: FullTrackName,
        wanted: DataSubscribe,
        sink: mpsc::Sender<DataObject>,
        reply: Reply,
    ) -> Self {
        Self {
            name,
            reply: Some(reply),
            wanted,
            sources: BTreeMap::new(),
            retry: None,
            attempts: 0,
            cut_off: 0,
            began: None,
            order: DataOrder::new(wanted.grouping),
            sink,
        }
    }

    /// What the SUBSCRIBE says.
    pub(super) fn parameters(&self, draft: Draft) -> Parameters {
        let fill = self.start_of_fill().filter(|_| draft == Draft::D22);
        let fill = fill.map(|filter| {
            Box::new(Parameters {
                filter: Some(filter),
                ..Parameters::default()
            })
        });
        Parameters {
            rendezvous_timeout: Some(RENDEZVOUS),
            subscriber_priority: Some(self.wanted.priority),
            filter: Some(LocationFilter::NextObject),
            fill,
            ..Parameters::default()
        }
    }

    /// Which objects of the past are wanted, in the words of draft 22.
    fn start_of_fill(&self) -> Option<LocationFilter> {
        if let Some(next) = self.order.next().or(self.began) {
            return Some(LocationFilter::AbsoluteStart(next));
        }
        match self.wanted.start {
            DataStart::Next => None,
            DataStart::CurrentGroup => Some(LocationFilter::RelativeStart(1)),
            DataStart::At(location) => Some(LocationFilter::AbsoluteStart(location)),
        }
    }

    pub(super) fn asked(&mut self, link: LinkId, key: RequestKey) {
        let source = Source {
            key,
            accepted: false,
            joining: None,
        };
        self.sources.insert(link, source);
        self.retry = None;
    }

    pub(super) fn is_due(&self, link: LinkId, now: Instant) -> bool {
        !self.sources.contains_key(&link) && self.retry.is_none_or(|at| at <= now)
    }

    pub(super) fn has_source(&self, link: LinkId) -> bool {
        self.sources.contains_key(&link)
    }

    pub(super) fn source_mut(&mut self, link: LinkId) -> Option<&mut Source> {
        self.sources.get_mut(&link)
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = (LinkId, Source)> {
        self.sources.iter().map(|(link, source)| (*link, *source))
    }

    pub(super) fn remove_source(&mut self, link: LinkId) -> Option<Source> {
        self.sources.remove(&link)
    }

    /// Takes the answer; returns from which group on, if any, the past is to be fetched: draft 18.
    pub(super) fn handle_accepted(
        &mut self,
        link: LinkId,
        largest: Option<Location>,
        draft: Draft,
        now: Instant,
    ) -> Option<JoinFrom> {
        self.attempts = 0;
        if let Some(source) = self.sources.get_mut(&link) {
            source.accepted = true;
        }
        let largest = largest?;
        let from = match (self.order.next().or(self.began), self.wanted.start) {
            (Some(next), _) | (None, DataStart::At(next)) => next,
            (None, DataStart::CurrentGroup) => Location::new(largest.group.0, 0),
            (None, DataStart::Next) => return None,
        };
        if from > largest {
            return None;
        }
        self.began.get_or_insert(from);
        self.order.begin_fill(now);
        (draft == Draft::D18).then_some(JoinFrom(from))
    }

    /// The past has come, or does not come.
    pub(super) const fn end_fill(&mut self) {
        self.order.end_fill();
    }

    pub(super) fn handle_object(&mut self, location: Location, payload: Bytes, now: Instant) {
        self.cut_off = 0;
        self.order.insert(location, payload, now);
    }

    /// Takes the source away that brings no more of a group; `None`: nothing more of it is wanted.
    pub(super) fn source_to_replace(&mut self, link: LinkId) -> Option<Source> {
        let DataSubscribe {
            start, grouping, ..
        } = self.wanted;
        let passes = start == DataStart::Next && grouping == Grouping::Sequence(1);
        (!passes).then(|| self.remove_source(link)).flatten()
    }

    /// Asks for the rest of a group that was cut off; what is live waits for it.
    pub(super) fn cut_off(&mut self, now: Instant) {
        self.order.end_fill();
        self.retry = Some(later(now, self.cut_off));
        self.cut_off += 1;
    }

    /// Hands on what is in order; returns whether anybody still wants it.
    pub(super) fn deliver(&mut self, now: Instant) -> bool {
        while let Some(object) = self.order.poll(now) {
            if let Err(mpsc::error::TrySendError::Full(_)) = self.sink.try_send(object) {
                self.order.note_gap();
            }
        }
        !self.sink.is_closed()
    }

    /// Asks again a little later, less and less often.
    pub(super) fn retry_later(&mut self, now: Instant) {
        self.retry = Some(later(now, self.attempts));
        self.attempts += 1;
    }

    /// Asks at once on a new connection.
    pub(super) const fn retry_now(&mut self) {
        self.retry = None;
    }

    pub(super) fn link_gone(&mut self, link: LinkId) {
        // What it was still to bring of the past, the next one brings.
        self.sources.remove(&link);
    }

    pub(super) fn poll_timeout(&self, current: bool) -> Option<Instant> {
        let retry = self.retry.filter(|_| current);
        self.order.poll_timeout().into_iter().chain(retry).min()
    }
}

fn later(now: Instant, attempts: u32) -> Instant {
    now + Duration::from_millis(50 << attempts.min(5))
}

/// The first place of the past that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JoinFrom(pub(super) Location);
