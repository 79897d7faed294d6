use std::time::Instant;

use quinn_proto::Incoming;

use super::Endpoint;
use crate::{Admission, Attempt};

impl Endpoint {
    pub(super) fn admit(&mut self, incoming: Incoming, now: Instant) {
        let from = incoming.remote_address();
        let attempt = Attempt {
            from,
            validated: incoming.remote_address_validated(),
            half_open: self.half_open,
            connections: self.open,
            from_network: self.attempts.count(from.ip(), now),
        };
        self.scratch.clear();
        let mut decision = self.config.admission.decide(&attempt);
        if decision == Admission::Retry && !incoming.may_retry() {
            decision = Admission::Refuse;
        }
        match decision {
            Admission::Accept => self.accept(incoming, now),
            Admission::Retry => {
                if let Ok(transmit) = self.quic.retry(incoming, &mut self.scratch) {
                    self.reply(transmit);
                }
            }
            Admission::Refuse => {
                let transmit = self.quic.refuse(incoming, &mut self.scratch);
                self.reply(transmit);
            }
            Admission::Ignore => self.quic.ignore(incoming),
        }
    }

    fn accept(&mut self, incoming: Incoming, now: Instant) {
        match self.quic.accept(incoming, now, &mut self.scratch, None) {
            Ok((handle, quic)) => {
                let key = self.insert(
                    handle,
                    quic,
                    self.config.session.clone(),
                    self.web.clone(),
                    None,
                );
                self.slots[key.index as usize].half_open = true;
                self.half_open += 1;
            }
            Err(error) => {
                tracing::debug!(cause = %error.cause, "connection attempt failed");
                if let Some(transmit) = error.response {
                    self.reply(transmit);
                }
            }
        }
    }
}
