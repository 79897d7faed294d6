use std::time::Instant;

use quinn_proto::Incoming;

use super::Endpoint;
use crate::{
    Admission, Attempt,
    admission::{Beginner, Network},
};

impl Endpoint {
    pub(super) fn admit(&mut self, incoming: Incoming, now: Instant) {
        let from = incoming.remote_address();
        let network = Network::of(from.ip());
        let attempt = Attempt {
            from,
            validated: incoming.remote_address_validated(),
            half_open: self.half_open.all(),
            half_open_of_network: self.half_open.of(network),
            connections: self.open,
            from_network: self.attempts.count(from.ip(), now),
        };
        self.scratch.clear();
        let mut decision = self.config.admission.decide(&attempt);
        if decision == Admission::Retry && !incoming.may_retry() {
            decision = Admission::Refuse;
        }
        match decision {
            Admission::Accept => {
                let beginner = Beginner {
                    proved: attempt.validated.then_some(network),
                };
                self.accept(incoming, beginner, now);
            }
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

    fn accept(&mut self, incoming: Incoming, beginner: Beginner, now: Instant) {
        match self.quic.accept(incoming, now, &mut self.scratch, None) {
            Ok((handle, quic)) => {
                let key = self.insert(
                    handle,
                    quic,
                    self.config.session.clone(),
                    self.web.clone(),
                    None,
                );
                let slot = &mut self.slots[key.index as usize];
                slot.half_open = Some(beginner);
                if let Some(connection) = &mut slot.connection {
                    connection.expect_handshake(now + self.config.limits.handshake_timeout);
                }
                self.half_open.begun(beginner);
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
