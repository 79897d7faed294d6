use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use parvis_meeting::{ErrorKind, UnixMillis};

use super::{JoinOptions, Ticket, TicketError, TicketRequest, TicketSource};
use crate::{
    TokenSource, Trust, TrustSource, clock,
    token::{NoPass, Pass, Wanted},
};

/// The ticket by which a meeting was joined, and what took its place.
#[derive(Debug, Clone)]
pub(super) struct HeldTicket(Arc<Mutex<Ticket>>);

/// A ticket that is good for less is replaced before it is shown.
const LEAST_LEFT: Duration = Duration::from_secs(30);

impl HeldTicket {
    pub(super) fn new(ticket: &Ticket) -> Self {
        Self(Arc::new(Mutex::new(ticket.clone())))
    }

    fn lock(&self) -> MutexGuard<'_, Ticket> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As the options and the ticket that is held by then say.
    pub(super) fn trust(&self, options: &JoinOptions) -> Trust {
        let (held, options) = (self.clone(), options.clone());
        Trust::Asked(TrustSource::new(move || {
            options.trust_in(&held.lock().relay)
        }))
    }

    /// The ticket's token; one of another ticket for the same participant when it is about to expire, or
    /// when the relay does not accept it, shows another certificate or is not there any more.
    pub(super) fn token_source(
        &self,
        tickets: &TicketSource,
        request: TicketRequest,
    ) -> TokenSource {
        let (held, tickets) = (self.clone(), tickets.clone());
        TokenSource::renewing(move |wanted| {
            let (held, tickets, request) = (held.clone(), tickets.clone(), request.clone());
            async move { held.pass(wanted, &tickets, request).await }
        })
    }

    async fn pass(
        &self,
        wanted: Wanted,
        tickets: &TicketSource,
        request: TicketRequest,
    ) -> Result<Pass, NoPass> {
        let ticket = self.lock().clone();
        let now = UnixMillis(u64::try_from(clock::now().as_micros() / 1000).unwrap_or_default());
        let is_good = |expires: UnixMillis| expires.since(now) > LEAST_LEFT;
        let is_good = ticket.expires.is_none_or(is_good);
        if is_good && wanted == Wanted::Any {
            return Ok(Pass {
                token: ticket.token,
                relay: None,
            });
        }
        let again = TicketRequest {
            resume: ticket.resume.clone(),
            ..request
        };
        let fresh = match tickets.ticket(again).await {
            Ok(fresh) => fresh,
            // The service may be away with the relay; what is held may do all the same.
            Err(error) if is_good => {
                tracing::debug!(%error, "there is no other ticket");
                return Ok(Pass {
                    token: ticket.token,
                    relay: None,
                });
            }
            Err(error) if is_final(&error) => return Err(NoPass::for_good(error.to_string())),
            Err(error) => return Err(NoPass::for_now(error.to_string())),
        };
        if fresh.participant != ticket.participant && is_good && wanted == Wanted::Elsewhere {
            // A source that takes no `resume` still knows where the relay is.
            let relay = Some(fresh.relay.url.clone());
            self.lock().relay = fresh.relay;
            let token = ticket.token;
            return Ok(Pass { token, relay });
        }
        if fresh.participant != ticket.participant {
            return Err(NoPass::for_good("the place in the meeting was given up"));
        }
        let pass = Pass {
            token: fresh.token.clone(),
            relay: Some(fresh.relay.url.clone()),
        };
        *self.lock() = fresh;
        Ok(pass)
    }
}

/// Whether asking again changes nothing.
fn is_final(error: &TicketError) -> bool {
    let kind = error.kind();
    kind.is_some_and(|kind| kind != ErrorKind::RateLimited)
}
