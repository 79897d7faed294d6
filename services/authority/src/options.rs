use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use parvis::Trust;
use parvis_meeting::Settings;
use parvis_store::Store;
use parvis_token::Signer;

/// What an authority needs.
#[derive(Debug, Clone)]
pub struct AuthorityOptions {
    /// Where the relay is, as in `moqt://relay.example:4433`.
    pub relay: String,
    /// Whose certificate is accepted.
    pub trust: Trust,
    /// Where the relay takes orders.
    pub control: RelayControl,
    /// Signs tokens that the relay accepts: the authority's own, and those of whoever is let in.
    pub signer: Arc<Signer>,
    /// Who signs (`iss`), where the relay asks for that.
    pub issuer: Option<String>,
    /// Which relays they are for (`aud`), where the relay asks for that.
    pub audience: Option<String>,
    /// What is kept.
    pub store: Store,
    /// Limits and times of rooms.
    pub meeting: Settings,
    /// Limits and times of the authority.
    pub limits: Limits,
}

/// Where a relay takes orders: an address of this machine.
#[derive(Clone)]
pub struct RelayControl {
    pub(crate) address: SocketAddr,
    pub(crate) secret: String,
}

/// Limits and times of an authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most rooms that run. Whoever comes to another one waits until there is a place.
    pub rooms: usize,
    /// The most participants that are heard. Others wait until somebody leaves.
    pub participants: usize,
    /// What waits for a room, at most; a command beyond is not heard, its client says it again.
    pub queue: usize,
    /// The share of one participant in that.
    pub share: usize,
    /// Commands of a participant each second, twice as many at once; others are not heard.
    pub commands_per_second: u32,
    /// How long the token of somebody who is in is valid; it asks for another one before that.
    pub pass: Duration,
    /// How long the replies of somebody who is gone are kept.
    pub linger: Duration,
    /// The time that a notice has to leave before the relay ends its reader's session.
    pub farewell: Duration,
    /// How long an answer waits for the relay to obey the orders that it tells of.
    pub obedience: Duration,
    /// How often members are told how far the state is: whoever has missed a change notices by then.
    pub pulse: Duration,
    /// After so many inputs the whole of a room is stored.
    pub save_every: u64,
}

impl AuthorityOptions {
    /// With the system's certificate authorities and the usual limits.
    pub fn new(
        relay: impl Into<String>,
        control: RelayControl,
        signer: Arc<Signer>,
        store: Store,
    ) -> Self {
        Self {
            relay: relay.into(),
            trust: Trust::default(),
            control,
            signer,
            issuer: None,
            audience: None,
            store,
            meeting: Settings::default(),
            limits: Limits::default(),
        }
    }
}

impl RelayControl {
    /// The address and the secret of a relay's `control` and `control-secret`.
    pub fn new(address: SocketAddr, secret: impl Into<String>) -> Self {
        Self {
            address,
            secret: secret.into(),
        }
    }
}

impl fmt::Debug for RelayControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayControl")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rooms: 5000,
            participants: 20_000,
            queue: 512,
            share: 32,
            commands_per_second: 100,
            pass: Duration::from_mins(10),
            linger: Duration::from_mins(1),
            farewell: Duration::from_millis(250),
            obedience: Duration::from_secs(1),
            pulse: Duration::from_secs(2),
            save_every: 256,
        }
    }
}
