use std::time::{Duration, Instant};

use parvis_wire::{Draft, GoAway, Message, RequestId};

use crate::{ApiMisuse, RequestKey, Role, Session};

/// Asking the peer to leave.
impl Session {
    /// Asks the peer to move to another session. `uri` must be empty on a client.
    pub fn goaway(&mut self, uri: &str, timeout_ms: u64, now: Instant) -> Result<(), ApiMisuse> {
        if self.is_closed() {
            return Err(ApiMisuse::Closed);
        }
        self.check_goaway_uri(uri)?;
        if self.going_away {
            return Err(ApiMisuse::GoingAway);
        }
        let parity = u64::from(self.config.role == Role::Client);
        let unprocessed = RequestId((self.peer_ids.end().saturating_mul(2) & !1) | parity);
        let message = Message::GoAway(GoAway {
            new_session_uri: uri.to_owned(),
            timeout_ms,
            request_id: (self.config.draft == Draft::D18).then_some(unprocessed),
        });
        let bytes = self.encode(&message)?;
        let timeout = Duration::from_millis(timeout_ms.min(3_600_000));
        self.going_away = true;
        self.leaves_at = (timeout_ms > 0).then(|| now + timeout);
        self.scheduler.write_control(self.control_out, bytes, now);
        self.take_notes(now);
        Ok(())
    }

    /// Asks the peer to move one request.
    pub fn goaway_request(
        &mut self,
        key: RequestKey,
        uri: &str,
        timeout_ms: u64,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        self.check_goaway_uri(uri)?;
        self.request(key)?;
        let message = Message::GoAway(GoAway {
            new_session_uri: uri.to_owned(),
            timeout_ms,
            request_id: None,
        });
        let bytes = self.encode(&message)?;
        self.scheduler.write_control(key.0, bytes, now);
        self.take_notes(now);
        Ok(())
    }

    fn check_goaway_uri(&self, uri: &str) -> Result<(), ApiMisuse> {
        if self.config.role == Role::Client && !uri.is_empty() {
            return Err(ApiMisuse::Unencodable(
                "a client names no URI in GOAWAY".to_owned(),
            ));
        }
        Ok(())
    }
}
