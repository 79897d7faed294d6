use std::time::Instant;

use bytes::Bytes;
use parvis_wire::{Draft, GoAway, Message, SessionErrorCode, Setup};

use crate::{
    Event, Role, Session, SessionError, StreamId, message_reader::Incoming, repair, session::Phase,
    token_cache::Tokens,
};

/// The peer's control stream.
impl Session {
    pub(crate) fn on_control_data(
        &mut self,
        data: Bytes,
        fin: bool,
        now: Instant,
    ) -> Result<(), SessionError> {
        self.control_reader.push(data);
        while let Some(incoming) = self.control_reader.next(self.config.draft)? {
            let Incoming::Message(message) = incoming else {
                return Err(SessionError::violation(
                    "a request's message on the control stream",
                ));
            };
            self.on_control_message(message, now)?;
        }
        if fin {
            return Err(SessionError::violation("the control stream ended"));
        }
        Ok(())
    }

    fn on_control_message(&mut self, message: Message, now: Instant) -> Result<(), SessionError> {
        match (message, self.phase) {
            (Message::Setup(setup), Phase::AwaitingSetup(_)) => self.on_setup(setup, now),
            (Message::GoAway(goaway), Phase::Established) => self.on_goaway(goaway),
            (message, _) => Err(SessionError::violation(format!(
                "{} on the control stream",
                message.message_type().name()
            ))),
        }
    }

    fn on_setup(&mut self, mut setup: Setup, now: Instant) -> Result<(), SessionError> {
        let forbidden = match (self.config.role, self.config.over_webtransport) {
            (Role::Client, _) => Some("from a server"),
            (Role::Server, true) => Some("over WebTransport"),
            (Role::Server, false) => None,
        };
        if let Some(why) = forbidden {
            if setup.path.is_some() {
                let reason = format!("PATH {why}");
                return Err(SessionError::new(SessionErrorCode::InvalidPath, reason));
            }
            if setup.authority.is_some() {
                let code = SessionErrorCode::InvalidAuthority;
                return Err(SessionError::new(code, format!("AUTHORITY {why}")));
            }
        }
        if self.config.role == Role::Server && self.config.over_webtransport {
            setup.path = self.config.path.take();
            setup.authority = self.config.authority.take();
        }
        if self.token_cache.resolve_setup(&mut setup.auth_tokens)? == Tokens::Repeated {
            let reason = "SETUP has a token twice";
            return Err(SessionError::new(
                SessionErrorCode::MalformedAuthToken,
                reason,
            ));
        }
        if repair::is_offered(&setup) {
            self.scheduler.repair();
        }
        self.phase = Phase::Established;
        self.tells_paths = setup.relay_hops.is_some() && self.config.relay_hops.is_some();
        self.events.push_back(Event::Established { peer: setup });
        let mut waiting: Vec<StreamId> = self.requests.keys().copied().collect();
        waiting.sort_unstable();
        waiting
            .into_iter()
            .try_for_each(|id| self.read_request(id, now))
    }

    fn on_goaway(&mut self, goaway: GoAway) -> Result<(), SessionError> {
        self.check_goaway(&goaway)?;
        if self.peer_going_away {
            return Err(SessionError::violation("a second GOAWAY"));
        }
        if let (Draft::D18, Some(id)) = (self.draft(), goaway.request_id)
            && id.0 % 2 != self.next_request_id % 2
        {
            let reason = format!("GOAWAY for request id {id}, which is not this side's");
            return Err(SessionError::new(
                SessionErrorCode::InvalidRequestId,
                reason,
            ));
        }
        self.peer_going_away = true;
        self.events.push_back(Event::GoAway {
            key: None,
            uri: goaway.new_session_uri,
            timeout_ms: goaway.timeout_ms,
        });
        Ok(())
    }

    pub(crate) fn check_goaway(&self, goaway: &GoAway) -> Result<(), SessionError> {
        if self.config.role == Role::Server && !goaway.new_session_uri.is_empty() {
            return Err(SessionError::violation("GOAWAY with a URI from a client"));
        }
        Ok(())
    }
}
