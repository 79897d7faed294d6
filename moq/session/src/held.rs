use std::{collections::VecDeque, time::Instant};

use bytes::Bytes;
use parvis_wire::{Datagram, ResetCode, SubgroupHeader, TrackAlias};

use crate::{
    DropReason, Dropped, Event, RequestKey, Session, SessionError, StreamEnd, StreamId,
    inbound::Inbound,
};

/// Objects whose alias is not known: their request may be on its way.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// In order of arrival, so of age.
    items: VecDeque<HeldItem>,
    streams: usize,
    bytes: usize,
}

#[derive(Debug)]
struct HeldItem {
    alias: TrackAlias,
    until: Instant,
    what: What,
}

#[derive(Debug)]
enum What {
    Stream {
        id: StreamId,
        header: SubgroupHeader,
        chunks: Vec<Bytes>,
        end: Option<StreamEnd>,
    },
    Datagram {
        datagram: Datagram,
        raw: Bytes,
    },
}

/// What a held item or chunk counts beside its bytes.
const OVERHEAD: usize = 128;

impl HeldItem {
    fn cost(&self) -> usize {
        OVERHEAD
            + match &self.what {
                What::Stream { chunks, .. } => chunks.iter().map(|c| c.len() + OVERHEAD).sum(),
                What::Datagram { raw, .. } => raw.len(),
            }
    }

    fn dropped(&self, reason: DropReason) -> Dropped {
        let (stream, group, bytes) = match &self.what {
            What::Stream {
                id, header, chunks, ..
            } => (Some(*id), header.group, chunks.iter().map(Bytes::len).sum()),
            What::Datagram { datagram, raw } => (None, datagram.location.group, raw.len()),
        };
        Dropped {
            key: None,
            stream,
            group: Some(group),
            bytes,
            reason,
        }
    }
}

impl Held {
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.items.front().map(|item| item.until)
    }

    fn push(&mut self, item: HeldItem) {
        self.bytes += item.cost();
        self.streams += usize::from(matches!(item.what, What::Stream { .. }));
        self.items.push_back(item);
    }

    fn remove(&mut self, at: usize) -> Option<HeldItem> {
        let item = self.items.remove(at)?;
        self.bytes -= item.cost();
        self.streams -= usize::from(matches!(item.what, What::Stream { .. }));
        Some(item)
    }

    fn position(&self, stream: StreamId) -> Option<usize> {
        let is_it = |item: &HeldItem| matches!(item.what, What::Stream { id, .. } if id == stream);
        self.items.iter().position(is_it)
    }
}

impl Session {
    pub(crate) fn hold_stream(
        &mut self,
        id: StreamId,
        header: SubgroupHeader,
        data: Bytes,
        end: Option<StreamEnd>,
        now: Instant,
    ) {
        let chunks = if data.is_empty() {
            Vec::new()
        } else {
            vec![data]
        };
        let item = HeldItem {
            alias: header.track_alias,
            until: now + self.config.limits.held_for,
            what: What::Stream {
                id,
                header,
                chunks,
                end,
            },
        };
        let fits = self.held.streams < self.config.limits.max_held_streams;
        if fits && self.held.bytes + item.cost() <= self.config.limits.max_held_bytes {
            self.held.push(item);
            self.inbound.insert(id, Inbound::Held);
        } else {
            self.drop_held(&item, DropReason::UnknownAliasBytes);
        }
    }

    pub(crate) fn hold_more(&mut self, id: StreamId, data: Bytes, ended: Option<StreamEnd>) {
        let Some(at) = self.held.position(id) else {
            return;
        };
        let cost = if data.is_empty() {
            0
        } else {
            data.len() + OVERHEAD
        };
        let fits = self.held.bytes + cost <= self.config.limits.max_held_bytes;
        let Some(item) = self.held.items.get_mut(at) else {
            return;
        };
        let What::Stream { chunks, end, .. } = &mut item.what else {
            return;
        };
        *end = ended.or(*end);
        if !data.is_empty() {
            chunks.push(data);
            self.held.bytes += cost;
        }
        if !fits && let Some(item) = self.held.remove(at) {
            self.drop_held(&item, DropReason::UnknownAliasBytes);
        }
    }

    pub(crate) fn hold_datagram(&mut self, datagram: Datagram, raw: Bytes, now: Instant) {
        let item = HeldItem {
            alias: datagram.track_alias,
            until: now + self.config.limits.held_for,
            what: What::Datagram { datagram, raw },
        };
        if self.held.bytes + item.cost() <= self.config.limits.max_held_bytes {
            self.held.push(item);
        } else {
            self.drop_held(&item, DropReason::UnknownAliasBytes);
        }
    }

    /// Delivers what waited for an alias that has become known.
    pub(crate) fn release_held(
        &mut self,
        alias: TrackAlias,
        key: RequestKey,
        now: Instant,
    ) -> Result<(), SessionError> {
        while let Some(at) = self.held.items.iter().position(|item| item.alias == alias) {
            let Some(item) = self.held.remove(at) else {
                break;
            };
            match item.what {
                What::Datagram { datagram, raw } => {
                    self.events
                        .push_back(Event::Datagram { key, datagram, raw });
                }
                What::Stream {
                    id,
                    header,
                    chunks,
                    end,
                } => {
                    self.attach_subgroup(id, key, &header);
                    for chunk in chunks {
                        self.on_uni_data(id, chunk, false, now)?;
                    }
                    if let Some(end) = end {
                        self.end_subgroup(id, end, now)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Drops what waited for an alias whose subscription is not wanted.
    pub(crate) fn discard_held(&mut self, alias: TrackAlias) {
        while let Some(at) = self.held.items.iter().position(|item| item.alias == alias) {
            let Some(item) = self.held.remove(at) else {
                break;
            };
            self.drop_held(&item, DropReason::LateForSubscription);
        }
    }

    pub(crate) fn expire_held(&mut self, now: Instant) {
        while self.held.poll_timeout().is_some_and(|until| until <= now) {
            let Some(item) = self.held.remove(0) else {
                break;
            };
            self.drop_held(&item, DropReason::UnknownAliasTime);
        }
    }

    fn drop_held(&mut self, item: &HeldItem, reason: DropReason) {
        self.dropped(item.dropped(reason));
        if let What::Stream { id, end, .. } = &item.what {
            self.refuse_stream(*id, end.is_some(), ResetCode::Cancelled);
        }
    }
}
