use std::time::Instant;

use bytes::Bytes;
use parvis_wire::Datagram;

use crate::{DropReason, Dropped, Event, Session, SessionError};

impl Session {
    pub(crate) fn on_datagram(&mut self, raw: Bytes, now: Instant) -> Result<(), SessionError> {
        if self.on_repair(&raw, now)? || Datagram::is_padding(&raw) {
            return Ok(());
        }
        let datagram = Datagram::decode(&raw)?;
        if let Some(key) = self.aliases.key(datagram.track_alias) {
            self.events
                .push_back(Event::Datagram { key, datagram, raw });
        } else if self.aliases.has_ended(datagram.track_alias, now) {
            self.dropped(Dropped {
                key: None,
                stream: None,
                group: Some(datagram.location.group),
                bytes: raw.len(),
                reason: DropReason::LateForSubscription,
            });
        } else {
            self.hold_datagram(datagram, raw, now);
        }
        Ok(())
    }
}
