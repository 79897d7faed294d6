use std::{sync::Arc, time::Duration};

use parvis_meeting::{ParticipantId, RoomCode, UnixMillis, tracks};
use parvis_token::{Action, Claims, Grant, SignError, Signer, UnixTime};

use crate::{AuthorityOptions, clock};

/// Signs the tokens of the authority and of those it lets in.
#[derive(Debug, Clone)]
pub(crate) struct Passes {
    signer: Arc<Signer>,
    issuer: Option<String>,
    audience: Option<String>,
    valid: Duration,
}

/// No participant's: those have letters and digits only.
const AUTHORITY: &str = "parvis.authority";

/// How long the authority's own token is valid; it is renewed after a quarter of that.
pub(crate) const OWN: Duration = Duration::from_hours(24);

impl Passes {
    pub(crate) fn new(options: &AuthorityOptions) -> Self {
        Self {
            signer: Arc::clone(&options.signer),
            issuer: options.issuer.clone(),
            audience: options.audience.clone(),
            valid: options.limits.pass,
        }
    }

    /// The authority's own: it hears all commands and speaks to everybody.
    pub(crate) fn own(&self) -> Result<String, SignError> {
        let watch = [Action::Subscribe, Action::Discover];
        let grants = vec![
            Grant::publish_under([], tracks::outboxes()).expect("it has fields"),
            Grant::prefix(watch, tracks::inboxes()).expect("it has fields"),
        ];
        self.sign(AUTHORITY, AUTHORITY.to_owned(), grants, clock::now(), OWN)
            .map(|(token, _)| token)
    }

    /// That of somebody who is in. It grants what the ticket granted too, so that a meeting may last longer
    /// than a ticket. All that somebody gets from coming in until leaving have one id.
    pub(crate) fn admission(
        &self,
        code: &RoomCode,
        who: &ParticipantId,
        stay: String,
        now: UnixMillis,
    ) -> Result<(String, UnixMillis), SignError> {
        let exact = |action, namespace| Grant::exact([action], namespace).expect("it has fields");
        let watch = [Action::Subscribe, Action::Discover];
        let grants = vec![
            exact(Action::Publish, tracks::media_of(code, who)),
            Grant::prefix(watch, tracks::media(code)).expect("it has fields"),
            exact(Action::Subscribe, tracks::control(code)),
            exact(Action::Publish, tracks::inbox(code, who)),
            exact(Action::Subscribe, tracks::outbox(code, who)),
        ];
        self.sign(who.as_str(), stay, grants, now, self.valid)
    }

    /// After this time no token is valid that was signed before now.
    pub(crate) fn all_expired(&self, now: UnixMillis) -> UnixMillis {
        now.plus(self.valid).plus(Duration::from_mins(10))
    }

    fn sign(
        &self,
        subject: &str,
        id: String,
        grants: Vec<Grant>,
        now: UnixMillis,
        valid: Duration,
    ) -> Result<(String, UnixMillis), SignError> {
        let issued = UnixTime(now.0 / 1000);
        let expires = issued.plus(valid.as_secs());
        let token = self.signer.sign(&Claims {
            issuer: self.issuer.clone(),
            audience: self.audience.iter().cloned().collect(),
            issued_at: Some(issued),
            id: Some(id),
            grants,
            ..Claims::new(subject, expires)
        })?;
        Ok((token, UnixMillis(expires.0 * 1000)))
    }
}
