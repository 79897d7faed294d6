use std::time::Instant;

use bytes::Bytes;
use parvis_wire::{FetchHeader, ResetCode, SessionErrorCode, StreamHeader, SubgroupHeader};

use crate::{
    DropReason, Dropped, Event, RequestKey, Session, SessionError, StreamEnd, StreamId, Transmit,
    accumulator::Accumulator,
    fetch_reader::FetchReader,
    request::{Kind, Origin},
    subgroup_reader::SubgroupReader,
};

/// A unidirectional stream of the peer's.
#[derive(Debug)]
pub(crate) enum Inbound {
    /// Its header is not whole.
    Header(Accumulator),
    Control,
    Subgroup(SubgroupReader),
    Fetch(FetchReader),
    /// Its alias is not known.
    Held,
    /// Read and thrown away.
    Ignored,
}

impl Session {
    pub(crate) fn on_uni_data(
        &mut self,
        id: StreamId,
        data: Bytes,
        fin: bool,
        now: Instant,
    ) -> Result<(), SessionError> {
        let limit = self.config.limits.max_object_header;
        match self.inbound.get_mut(&id) {
            Some(Inbound::Subgroup(reader)) => {
                reader.read(data, limit, &mut self.events)?;
                if fin {
                    self.end_subgroup(id, StreamEnd::Finished, now)?;
                }
                Ok(())
            }
            Some(Inbound::Fetch(reader)) => {
                reader.read(data, limit, &mut self.events)?;
                if fin {
                    self.end_fetch(id, StreamEnd::Finished, now)?;
                }
                Ok(())
            }
            Some(Inbound::Control) => self.on_control_data(data, fin, now),
            Some(Inbound::Held) => {
                self.hold_more(id, data, fin.then_some(StreamEnd::Finished));
                Ok(())
            }
            Some(Inbound::Ignored) => {
                if fin {
                    self.inbound.remove(&id);
                }
                Ok(())
            }
            Some(Inbound::Header(header)) => {
                header.push(data);
                let data = header.take();
                self.on_header(id, data, fin, now)
            }
            None => {
                if !self.is_own(id) && self.peer_uni.insert(id.index()) {
                    self.on_header(id, data, fin, now)?;
                }
                Ok(())
            }
        }
    }

    fn on_header(
        &mut self,
        id: StreamId,
        mut data: Bytes,
        fin: bool,
        now: Instant,
    ) -> Result<(), SessionError> {
        match StreamHeader::decode(self.config.draft, &data)? {
            None if fin && data.is_empty() => {
                self.inbound.remove(&id);
                Ok(())
            }
            None if fin => Err(SessionError::violation("a stream ended inside its header")),
            None => {
                let mut header = Accumulator::default();
                header.push(data);
                self.inbound.insert(id, Inbound::Header(header));
                Ok(())
            }
            Some((StreamHeader::Control, _)) => {
                if self.control_in.replace(id).is_some() {
                    return Err(SessionError::violation("a second control stream"));
                }
                self.inbound.insert(id, Inbound::Control);
                self.on_control_data(data, fin, now)
            }
            Some((StreamHeader::Padding, _)) => {
                if !fin {
                    self.inbound.insert(id, Inbound::Ignored);
                }
                Ok(())
            }
            Some((StreamHeader::Subgroup(header), len)) => {
                drop(data.split_to(len));
                self.inbound.remove(&id);
                self.on_subgroup(id, &header, data, fin, now)
            }
            Some((StreamHeader::Fetch(header), len)) => {
                drop(data.split_to(len));
                self.inbound.remove(&id);
                self.on_fetch(id, header, data, fin, now)
            }
        }
    }

    fn on_subgroup(
        &mut self,
        id: StreamId,
        header: &SubgroupHeader,
        data: Bytes,
        fin: bool,
        now: Instant,
    ) -> Result<(), SessionError> {
        let alias = header.track_alias;
        if let Some(key) = self.aliases.key(alias) {
            self.attach_subgroup(id, key, header);
            return self.on_uni_data(id, data, fin, now);
        }
        if self.aliases.has_ended(alias, now) {
            self.dropped(Dropped {
                key: None,
                stream: Some(id),
                group: Some(header.group),
                bytes: data.len(),
                reason: DropReason::LateForSubscription,
            });
            self.refuse_stream(id, fin, ResetCode::Cancelled);
            return Ok(());
        }
        self.hold_stream(id, *header, data, fin.then_some(StreamEnd::Finished), now);
        Ok(())
    }

    pub(crate) fn attach_subgroup(
        &mut self,
        id: StreamId,
        key: RequestKey,
        header: &SubgroupHeader,
    ) {
        if let Some(Kind::Receiving(receiving)) = self
            .requests
            .get_mut(&key.0)
            .map(|request| &mut request.kind)
        {
            receiving.streams.push(id);
            receiving.streams_seen = receiving.streams_seen.saturating_add(1);
        }
        self.inbound
            .insert(id, Inbound::Subgroup(SubgroupReader::new(key, id, header)));
        self.events.push_back(Event::Subgroup {
            stream: id,
            key,
            header: *header,
        });
    }

    fn on_fetch(
        &mut self,
        id: StreamId,
        header: FetchHeader,
        data: Bytes,
        fin: bool,
        now: Instant,
    ) -> Result<(), SessionError> {
        let request_id = header.request_id;
        if request_id.0 % 2 != self.next_request_id % 2 || request_id.0 >= self.next_request_id {
            let reason = format!("a fetch stream for request id {request_id}, which is not open");
            return Err(SessionError::new(
                SessionErrorCode::InvalidRequestId,
                reason,
            ));
        }
        let key = self.by_id.get(&request_id).copied();
        let request = key.and_then(|key| self.requests.get_mut(&key.0));
        let (Some(key), Some(request)) = (key, request) else {
            self.refuse_stream(id, fin, ResetCode::Cancelled);
            return Ok(());
        };
        let order = match &mut request.kind {
            Kind::Fetch(fetching) if request.origin == Origin::Own => {
                if fetching.stream.replace(id).is_some() {
                    return Err(SessionError::violation("a second stream for one FETCH"));
                }
                fetching.order
            }
            Kind::Receiving(receiving) => {
                receiving.streams.push(id);
                receiving.streams_seen = receiving.streams_seen.saturating_add(1);
                let asked = receiving.fills.iter().find(|(id, _)| *id == request_id);
                let Some((_, order)) = asked else {
                    let reason = format!("{request_id} asked for no fill");
                    return Err(SessionError::violation(reason));
                };
                *order
            }
            _ => {
                return Err(SessionError::violation(format!(
                    "a fetch stream for {}",
                    request.name()
                )));
            }
        };
        let reader = FetchReader::new(key, id, self.config.draft, order);
        self.inbound.insert(id, Inbound::Fetch(reader));
        self.events.push_back(Event::Fetch { stream: id, key });
        self.on_uni_data(id, data, fin, now)
    }

    pub(crate) fn on_uni_reset(
        &mut self,
        id: StreamId,
        code: u64,
        now: Instant,
    ) -> Result<(), SessionError> {
        match self.inbound.get(&id) {
            Some(Inbound::Subgroup(_)) => self.end_subgroup(id, StreamEnd::Reset(code), now),
            Some(Inbound::Fetch(_)) => self.end_fetch(id, StreamEnd::Reset(code), now),
            Some(Inbound::Control) => Err(SessionError::violation("the control stream was reset")),
            Some(Inbound::Held) => {
                self.hold_more(id, Bytes::new(), Some(StreamEnd::Reset(code)));
                Ok(())
            }
            Some(Inbound::Header(_) | Inbound::Ignored) => {
                self.inbound.remove(&id);
                Ok(())
            }
            None => {
                if !self.is_own(id) {
                    self.peer_uni.insert(id.index());
                }
                Ok(())
            }
        }
    }

    pub(crate) fn end_subgroup(
        &mut self,
        id: StreamId,
        end: StreamEnd,
        now: Instant,
    ) -> Result<(), SessionError> {
        let Some(Inbound::Subgroup(reader)) = self.inbound.remove(&id) else {
            return Ok(());
        };
        if end == StreamEnd::Finished && !reader.is_between_objects() {
            return Err(SessionError::violation(
                "a subgroup stream ended inside an object",
            ));
        }
        self.events
            .push_back(Event::SubgroupEnd { stream: id, end });
        self.forget_stream(id, reader.key, now);
        Ok(())
    }

    fn end_fetch(
        &mut self,
        id: StreamId,
        end: StreamEnd,
        now: Instant,
    ) -> Result<(), SessionError> {
        let Some(Inbound::Fetch(reader)) = self.inbound.remove(&id) else {
            return Ok(());
        };
        if end == StreamEnd::Finished && !reader.is_between_objects() {
            return Err(SessionError::violation(
                "a fetch stream ended inside an object",
            ));
        }
        let key = reader.key;
        self.events.push_back(Event::FetchEnd {
            stream: id,
            key,
            end,
        });
        self.forget_stream(id, key, now);
        if let Some(request) = self.requests.get_mut(&key.0)
            && let Kind::Fetch(fetching) = &mut request.kind
        {
            fetching.ended = true;
            if request.established {
                self.retire(key, now);
            }
        }
        Ok(())
    }

    /// Reads nothing more from a stream that was not attached.
    pub(crate) fn refuse_stream(&mut self, id: StreamId, ended: bool, code: ResetCode) {
        self.inbound.remove(&id);
        if !ended {
            self.scheduler.demand(Transmit::StopSending {
                id,
                code: code.to_u64(),
            });
        }
    }

    pub(crate) fn forget_stream(&mut self, id: StreamId, key: RequestKey, now: Instant) {
        let Some(Kind::Receiving(receiving)) = self
            .requests
            .get_mut(&key.0)
            .map(|request| &mut request.kind)
        else {
            return;
        };
        if let Some(at) = receiving.streams.iter().position(|stream| *stream == id) {
            receiving.streams.swap_remove(at);
        }
        if receiving.is_complete() {
            self.end_subscription(key, now);
        }
    }
}
