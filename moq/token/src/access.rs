use parvis_wire::TrackNamespace;

use crate::{Action, Grant, UnixTime};

/// What a token that was verified lets its holder do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub(crate) subject: String,
    pub(crate) id: Option<String>,
    pub(crate) issued_at: Option<UnixTime>,
    pub(crate) expires: UnixTime,
    pub(crate) grants: Vec<Grant>,
    pub(crate) relay: bool,
}

impl Access {
    /// The participant's identity.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The token's name, if it has one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// When the token was issued, if it says so.
    pub const fn issued_at(&self) -> Option<UnixTime> {
        self.issued_at
    }

    /// From when on it is void: the token's expiry and the leeway.
    pub const fn expires(&self) -> UnixTime {
        self.expires
    }

    /// The grants.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// Whether the holder is another relay, to which everything is allowed.
    pub const fn is_relay(&self) -> bool {
        self.relay
    }

    /// Whether it allows to publish under a prefix: a service's, not a participant's.
    pub fn publishes_under(&self) -> bool {
        let mut grants = self.grants.iter();
        grants.any(|grant| grant.publishes_under().is_some())
    }

    /// Whether the action is allowed in this namespace.
    pub fn allows(&self, action: Action, namespace: &TrackNamespace) -> bool {
        let mut grants = self.grants.iter();
        self.relay || grants.any(|grant| grant.allows(action, namespace))
    }

    /// Whether the action is allowed in this namespace and in every longer one.
    pub fn allows_under(&self, action: Action, prefix: &TrackNamespace) -> bool {
        let mut grants = self.grants.iter();
        self.relay || grants.any(|grant| grant.allows_under(action, prefix))
    }
}
