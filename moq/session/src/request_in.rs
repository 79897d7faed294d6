use std::time::Instant;

use bytes::Bytes;
use parvis_wire::{Message, RequestError, RequestErrorCode, ResetCode};

use crate::{
    EndReason, Event, PeerLimit, RequestKey, Session, SessionError, StreamId,
    error::rejection,
    message_reader::Incoming,
    request::{Kind, Origin, Request},
    session::Phase,
};

/// Requests of which less is unread are not added up.
const SMALL: usize = 1024;

/// Request streams: what comes on them.
impl Session {
    pub(crate) fn on_request_data(
        &mut self,
        id: StreamId,
        data: Bytes,
        fin: bool,
        now: Instant,
    ) -> Result<(), SessionError> {
        if !self.requests.contains_key(&id) && !self.admit(id, fin, now) {
            return Ok(());
        }
        let Some(request) = self.requests.get_mut(&id) else {
            return Ok(());
        };
        request.reader.push(data);
        request.reader.finished |= fin;
        if request.reader.len() > self.config.limits.control_buffer {
            self.too_much_unread(id, now);
            return Ok(());
        }
        self.read_request(id, now)?;
        let request = self.requests.get(&id);
        if request.is_some_and(|request| request.reader.len() > SMALL) {
            let requests = self.requests.values();
            let unread: usize = requests.map(|request| request.reader.len()).sum();
            if unread > self.config.limits.request_buffers {
                self.too_much_unread(id, now);
            }
        }
        Ok(())
    }

    fn too_much_unread(&mut self, id: StreamId, now: Instant) {
        self.exceeded(PeerLimit::ControlBuffer);
        self.abort(
            RequestKey(id),
            ResetCode::ExcessiveLoad,
            EndReason::LimitExceeded,
            now,
        );
    }

    /// Takes on a stream that was not seen before; returns whether there is something to read.
    fn admit(&mut self, id: StreamId, fin: bool, now: Instant) -> bool {
        if self.is_own(id) || !self.peer_bidi.insert(id.index()) {
            if fin {
                self.draining.retain(|other| *other != id);
            }
            return false;
        }
        self.scheduler.adopt_request(id);
        if self.peer_requests >= self.config.limits.max_peer_requests {
            self.exceeded(PeerLimit::OpenRequests);
            let error = rejection(RequestErrorCode::ExcessiveLoad, "too many open requests");
            self.events.push_back(Event::Refused(error.code));
            self.send(RequestKey(id), &Message::RequestError(error), now);
            self.finish_request(RequestKey(id), now);
            if !fin {
                self.drain(id);
            }
            return false;
        }
        self.peer_requests += 1;
        let request = Request::new(
            Origin::Peer,
            parvis_wire::RequestId(u64::MAX),
            Kind::Opening,
        );
        self.requests.insert(id, request);
        true
    }

    /// Counts a request, or an update of one; the rejection if there were too many.
    pub(crate) fn check_rate(&mut self, now: Instant) -> Option<RequestError> {
        let wait = self.request_rate.as_mut()?.take(now).err()?;
        self.exceeded(PeerLimit::RequestRate);
        Some(RequestError {
            // One more than the milliseconds, which are rounded up.
            retry_interval: wait.as_millis() as u64 + 2,
            ..rejection(
                RequestErrorCode::ExcessiveLoad,
                "too many requests a second",
            )
        })
    }

    pub(crate) fn exceeded(&mut self, limit: PeerLimit) {
        self.events.push_back(Event::LimitExceeded(limit));
    }

    pub(crate) fn read_request(&mut self, id: StreamId, now: Instant) -> Result<(), SessionError> {
        let key = RequestKey(id);
        if matches!(self.phase, Phase::AwaitingSetup(_)) {
            return Ok(());
        }
        loop {
            let draft = self.config.draft;
            let Some(request) = self.requests.get_mut(&id) else {
                return Ok(());
            };
            match request.reader.next(draft)? {
                Some(Incoming::Message(message)) => self.on_request_message(key, message, now)?,
                Some(Incoming::FormerEnding) if !matches!(request.kind, Kind::Opening) => {
                    self.dismiss(key, now);
                }
                Some(Incoming::FormerEnding) => {
                    return Err(SessionError::violation("a request began with its ending"));
                }
                None => break,
            }
        }
        let Some(request) = self.requests.get_mut(&id) else {
            return Ok(());
        };
        if request.reader.finished && request.receiving {
            if request.reader.len() > 0 {
                return Err(SessionError::violation(
                    "a request stream ended inside a message",
                ));
            }
            request.receiving = false;
            self.on_request_finished(key, now);
        }
        Ok(())
    }

    fn on_request_message(
        &mut self,
        key: RequestKey,
        message: Message,
        now: Instant,
    ) -> Result<(), SessionError> {
        let Some(request) = self.requests.get(&key.0) else {
            return Ok(());
        };
        if matches!(request.kind, Kind::Opening) {
            return self.open_request(key, message, now);
        }
        match message {
            Message::GoAway(goaway) => self.on_request_goaway(key, goaway),
            Message::RequestUpdate(update) => self.on_update(key, update, now),
            Message::RequestOk(ok) => self.on_ok(key, ok, now),
            Message::RequestError(error) => self.on_error(key, error, now),
            Message::SubscribeOk(ok) => self.on_subscribe_ok(key, ok, now),
            Message::FetchOk(ok) => self.on_fetch_ok(key, ok, now),
            Message::PublishDone(done) => self.on_publish_done(key, done, now),
            Message::PublishStateNotify(notify) => self.on_state_notify(key, notify),
            Message::Namespace(namespace) => self.on_namespace(key, namespace, now),
            Message::NamespaceDone(namespace) => self.on_namespace_done(key, namespace.suffix),
            Message::PublishSkipped(skipped) => self.on_publish_skipped(key, skipped),
            message => Err(self.unexpected(key, message.message_type().name())),
        }
    }

    pub(crate) fn unexpected(&self, key: RequestKey, message: &str) -> SessionError {
        let request = self
            .requests
            .get(&key.0)
            .map_or("no request", Request::name);
        SessionError::violation(format!("{message} on the stream of {request}"))
    }

    /// The peer ended its direction in order.
    fn on_request_finished(&mut self, key: RequestKey, now: Instant) {
        let Some(request) = self.requests.get(&key.0) else {
            return;
        };
        let ends = match (&request.kind, request.origin) {
            (Kind::Opening, _) => true,
            // Without an answer the request failed.
            (_, Origin::Own) if !request.established => true,
            (Kind::Receiving(receiving), _) => receiving.done.is_none(),
            (Kind::SubscribeNamespace { .. }, Origin::Own) => true,
            // In draft 18 this cancels; in draft 22 it says that no update follows.
            (Kind::SubscribeNamespace { .. } | Kind::SubscribeTracks { .. }, Origin::Peer) => {
                self.config.draft == parvis_wire::Draft::D18
            }
            // The requester or subscriber sends no update any more.
            (
                Kind::Sending(_)
                | Kind::PublishNamespace
                | Kind::SubscribeTracks { .. }
                | Kind::TrackStatus
                | Kind::Fetch(_),
                _,
            ) => false,
        };
        if ends {
            let stopped = request.stopped;
            let reason =
                stopped.map_or(EndReason::Finished, |(code, _)| EndReason::Cancelled(code));
            self.abort(key, ResetCode::Cancelled, reason, now);
        }
    }

    /// The peer gave up a request: it reset its direction or stopped ours.
    pub(crate) fn on_request_aborted(&mut self, id: StreamId, code: u64, now: Instant) {
        let key = RequestKey(id);
        let Some(request) = self.requests.get(&id) else {
            if !self.is_own(id) {
                self.peer_bidi.insert(id.index());
            }
            self.draining.retain(|other| *other != id);
            return;
        };
        let over = matches!(&request.kind, Kind::Receiving(receiving) if receiving.done.is_some());
        if !over {
            self.abort(key, ResetCode::Cancelled, EndReason::Cancelled(code), now);
        } else if let Some(request) = self.requests.get_mut(&id) {
            request.receiving = false;
        }
    }

    /// The peer reads no further on a request's stream: it cancels. But a responder may also
    /// have stopped because it has answered, and the answer may come later than the stop.
    fn on_request_stopped(&mut self, id: StreamId, code: u64, now: Instant) {
        let key = RequestKey(id);
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        let own = request.origin == Origin::Own;
        if own && request.established && matches!(request.kind, Kind::Fetch(_)) {
            // The stream of objects says when it is over.
            self.scheduler
                .abort_request(id, ResetCode::Cancelled.to_u64());
            return;
        }
        let receives = request.receiving && !request.reader.finished;
        let answers = !request.established || matches!(request.kind, Kind::Receiving(_));
        if !(own && receives && answers) {
            self.on_request_aborted(id, code, now);
            return;
        }
        request.stopped = Some((code, now + self.config.limits.linger));
        self.scheduler
            .abort_request(id, ResetCode::Cancelled.to_u64());
        if !self.lingering.contains(&key) {
            self.lingering.push(key);
        }
    }

    pub(crate) fn on_stop_sending(
        &mut self,
        id: StreamId,
        code: u64,
        now: Instant,
    ) -> Result<(), SessionError> {
        if id == self.control_out {
            return Err(SessionError::violation("the control stream was stopped"));
        }
        if id.is_unidirectional() {
            if let Some(flow) = self.scheduler.flow_of(id) {
                self.scheduler.stopped(id);
                self.end_fill(flow);
                self.events
                    .push_back(Event::StreamStopped { stream: id, code });
            }
        } else if self.requests.contains_key(&id) {
            self.on_request_stopped(id, code, now);
        } else {
            self.scheduler.stopped(id);
        }
        Ok(())
    }
}
