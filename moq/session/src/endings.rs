use std::time::Instant;

use parvis_wire::{Message, PublishDone, PublishDoneCode, ResetCode, SessionErrorCode};

use crate::{
    DropReason, EndReason, Event, PeerLimit, RequestKey, Session, StreamEnd, StreamId, Transmit,
    inbound::Inbound,
    request::{Kind, Origin},
    scheduler::Note,
};

/// How requests end.
impl Session {
    /// Does what the scheduler's notes ask for.
    pub(crate) fn take_notes(&mut self, now: Instant) {
        while let Some(note) = self.scheduler.poll_note() {
            match note {
                Note::Dropped(dropped) => self.dropped(dropped),
                Note::Drained(key) => self.on_drained(key, now),
                Note::TooFarBehind(key) => self.on_too_far_behind(key),
                Note::SendReady(stream) => self.events.push_back(Event::SendReady { stream }),
                Note::Overflow(id) if id == self.control_out => {
                    self.exceeded(PeerLimit::ControlBuffer);
                    let reason = "the peer does not read the control stream";
                    self.close(SessionErrorCode::InternalError, reason);
                }
                Note::Overflow(id) => {
                    let reason = EndReason::LimitExceeded;
                    self.exceeded(PeerLimit::ControlBuffer);
                    self.abort(RequestKey(id), ResetCode::ExcessiveLoad, reason, now);
                }
            }
        }
    }

    fn on_drained(&mut self, key: RequestKey, now: Instant) {
        if let Some(subscription) = self.fills.remove(&key) {
            self.on_filled(key, subscription, now);
            return;
        }
        let Some(request) = self.requests.get_mut(&key.0) else {
            return;
        };
        if let Kind::Sending(sending) = &mut request.kind {
            sending.drained = true;
            if !sending.fills.is_empty() {
                return;
            }
        }
        let done = match &request.kind {
            Kind::Sending(sending) => sending
                .done
                .clone()
                .map(|done| (done, sending.streams_opened)),
            _ => None,
        };
        if let Some(((code, reason), stream_count)) = done {
            let done = PublishDone {
                code,
                stream_count,
                reason,
            };
            self.send(key, &Message::PublishDone(done), now);
        }
        self.scheduler.forget_flow(key);
        self.finish_request(key, now);
        self.remove_request(key, now);
    }

    /// A fill stream is handed over, or given up.
    fn on_filled(&mut self, fill: RequestKey, subscription: RequestKey, now: Instant) {
        self.scheduler.forget_flow(fill);
        let Some(request) = self.requests.get_mut(&subscription.0) else {
            return;
        };
        let Kind::Sending(sending) = &mut request.kind else {
            return;
        };
        sending.fills.retain(|other| *other != fill);
        if sending.drained && sending.fills.is_empty() {
            self.on_drained(subscription, now);
        }
    }

    fn on_too_far_behind(&mut self, key: RequestKey) {
        let Some(request) = self.requests.get(&key.0) else {
            return;
        };
        if matches!(&request.kind, Kind::Sending(sending) if sending.done.is_none()) {
            self.events.push_back(Event::Ended {
                key,
                reason: EndReason::TooFarBehind,
            });
            self.end_sending(key, PublishDoneCode::TooFarBehind, "too far behind");
        }
    }

    /// Ends a subscription as its publisher; PUBLISH_DONE follows the last stream.
    pub(crate) fn end_sending(&mut self, key: RequestKey, code: PublishDoneCode, reason: &str) {
        let Some(request) = self.requests.get_mut(&key.0) else {
            return;
        };
        let Kind::Sending(sending) = &mut request.kind else {
            return;
        };
        sending.done = Some((code, reason.to_owned()));
        if !self.scheduler.has_flow(key) {
            self.scheduler
                .add_flow(key, crate::scheduler::FlowOptions::default());
        }
        self.scheduler
            .close_flow(key, ResetCode::Cancelled.to_u64());
    }

    /// Ends a request abruptly in both directions and tells the user.
    pub(crate) fn abort(
        &mut self,
        key: RequestKey,
        code: ResetCode,
        reason: EndReason,
        now: Instant,
    ) {
        if self.tell_end(key, reason) {
            self.give_up(key, code, now);
        }
    }

    /// Ends a request that the peer cancelled by a message of former drafts. In order, since such
    /// a peer may take a reset for an error of the session.
    pub(crate) fn dismiss(&mut self, key: RequestKey, now: Instant) {
        let code = ResetCode::Cancelled.to_u64();
        if self.tell_end(key, EndReason::Cancelled(code)) {
            self.retire(key, now);
        }
    }

    /// Tells of a request's end, if anybody knows the request; false if there is none.
    fn tell_end(&mut self, key: RequestKey, reason: EndReason) -> bool {
        let Some(request) = self.requests.get(&key.0) else {
            return false;
        };
        let known = match &request.kind {
            Kind::Opening => false,
            Kind::Sending(sending) => sending.done.is_none(),
            _ => true,
        };
        self.abandon_streams(key, known);
        if known {
            self.events.push_back(Event::Ended { key, reason });
        }
        true
    }

    /// Ends a request abruptly in both directions.
    pub(crate) fn give_up(&mut self, key: RequestKey, code: ResetCode, now: Instant) {
        self.abandon_streams(key, false);
        let Some(request) = self.requests.get_mut(&key.0) else {
            return;
        };
        let receiving = std::mem::replace(&mut request.receiving, false);
        let stop = receiving && !request.reader.finished && self.scheduler.is_opened(key.0);
        self.scheduler.abort_request(key.0, code.to_u64());
        if stop {
            self.scheduler.demand(Transmit::StopSending {
                id: key.0,
                code: code.to_u64(),
            });
        }
        self.remove_request(key, now);
    }

    /// Ends a request in order, with nothing more to say.
    pub(crate) fn retire(&mut self, key: RequestKey, now: Instant) {
        self.finish_request(key, now);
        self.remove_request(key, now);
    }

    /// Ends our direction of a request's stream.
    pub(crate) fn finish_request(&mut self, key: RequestKey, now: Instant) {
        // It may be ended already, which is as well.
        let _ = self.scheduler.finish(key.0, now);
    }

    /// Forgets a request and what belongs to it.
    pub(crate) fn remove_request(&mut self, key: RequestKey, now: Instant) {
        self.abandon_streams(key, false);
        let Some(request) = self.requests.remove(&key.0) else {
            return;
        };
        match request.origin {
            Origin::Own => self.own_requests -= 1,
            Origin::Peer => self.peer_requests -= 1,
        }
        if self.by_id.get(&request.id) == Some(&key) {
            self.by_id.remove(&request.id);
        }
        self.lingering.retain(|other| *other != key);
        let code = ResetCode::Cancelled.to_u64();
        self.scheduler
            .abort_flow(key, code, DropReason::SubscriptionEnded);
        if let Kind::Sending(sending) = &request.kind {
            for fill in &sending.fills {
                self.fills.remove(fill);
                self.scheduler
                    .abort_flow(*fill, code, DropReason::SubscriptionEnded);
            }
        }
        if let Kind::Receiving(receiving) = &request.kind {
            for (id, _) in &receiving.fills {
                self.by_id.remove(id);
            }
        }
        if let Kind::Receiving(receiving) = &request.kind
            && let Some(alias) = receiving.alias
            && self.aliases.key(alias) == Some(key)
        {
            let heir = self
                .requests
                .iter()
                .find_map(|(id, other)| match &other.kind {
                    Kind::Receiving(other) if other.alias == Some(alias) => Some(RequestKey(*id)),
                    _ => None,
                });
            match heir {
                Some(heir) => self.aliases.insert(alias, heir),
                None => self.aliases.end(alias, now + self.config.limits.linger),
            }
        }
        if request.receiving && !request.reader.finished {
            self.drain(key.0);
        }
    }

    /// Waits for the peer to end its direction of a stream that is over here; of too many, the
    /// oldest is stopped.
    pub(crate) fn drain(&mut self, id: StreamId) {
        const MAX_DRAINING: usize = 64;
        self.draining.push_back(id);
        if self.draining.len() > MAX_DRAINING
            && let Some(id) = self.draining.pop_front()
        {
            let code = ResetCode::Cancelled.to_u64();
            self.scheduler.demand(Transmit::StopSending { id, code });
        }
    }

    /// Reads no further from the data streams of a request.
    pub(crate) fn abandon_streams(&mut self, key: RequestKey, tell: bool) {
        let streams = match self
            .requests
            .get_mut(&key.0)
            .map(|request| &mut request.kind)
        {
            Some(Kind::Receiving(receiving)) => std::mem::take(&mut receiving.streams),
            Some(Kind::Fetch(fetching)) if !fetching.ended => {
                fetching.ended = true;
                fetching.stream.into_iter().collect()
            }
            _ => return,
        };
        for stream in streams {
            let end = StreamEnd::Abandoned;
            match self.inbound.remove(&stream) {
                Some(Inbound::Fetch(_)) if tell => {
                    self.events.push_back(Event::FetchEnd { stream, key, end });
                }
                Some(_) if tell => self.events.push_back(Event::SubgroupEnd { stream, end }),
                Some(_) => {}
                None => continue,
            }
            let code = ResetCode::Cancelled.to_u64();
            self.scheduler
                .demand(Transmit::StopSending { id: stream, code });
        }
    }

    /// Every stream of a subscription that PUBLISH_DONE ended was seen, or waited for.
    pub(crate) fn end_subscription(&mut self, key: RequestKey, now: Instant) {
        self.abandon_streams(key, true);
        let Some(request) = self.requests.get_mut(&key.0) else {
            return;
        };
        let Kind::Receiving(receiving) = &mut request.kind else {
            return;
        };
        let Some(done) = receiving.done.take() else {
            return;
        };
        let reason = EndReason::PublishDone {
            code: done.code,
            reason: done.reason,
        };
        self.events.push_back(Event::Ended { key, reason });
        self.remove_request(key, now);
    }

    pub(crate) fn lingers_until(&self, key: RequestKey) -> Option<Instant> {
        let request = self.requests.get(&key.0)?;
        let done = match &request.kind {
            Kind::Receiving(receiving) => receiving.done.as_ref().map(|done| done.until),
            _ => None,
        };
        done.or(request.stopped.map(|(_, until)| until))
    }

    pub(crate) fn end_lingering(&mut self, now: Instant) {
        let due: Vec<RequestKey> = self
            .lingering
            .iter()
            .copied()
            .filter(|key| self.lingers_until(*key).is_some_and(|until| until <= now))
            .collect();
        for key in due {
            let stopped = self
                .requests
                .get(&key.0)
                .and_then(|request| request.stopped);
            self.end_subscription(key, now);
            if let Some((code, _)) = stopped {
                self.abort(key, ResetCode::Cancelled, EndReason::Cancelled(code), now);
            }
        }
    }
}
