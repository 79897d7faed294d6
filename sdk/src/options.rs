use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use parvis_wire::Draft;

use crate::{
    Codecs, ParticipantName, RoomName, TokenSource,
    token::{NoPass, Pass, Wanted},
};

/// How to enter a room.
#[derive(Debug, Clone)]
pub struct RoomOptions {
    /// The room.
    pub room: RoomName,
    /// Who enters; `None`: an observer, whom nobody sees and who publishes nothing.
    pub participant: Option<ParticipantName>,
    /// Whose certificate is accepted.
    pub trust: Trust,
    /// What lets one in; `None`: the relay asks for nothing, as one for development does.
    pub token: Option<TokenSource>,
    /// The drafts offered, preferred first.
    pub drafts: Vec<Draft>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a connection that was lost is tried to be replaced; zero: not at all.
    pub reconnect: Duration,
    /// Codecs that are tried before the built-in ones.
    pub codecs: Codecs,
}

impl RoomOptions {
    /// Enters as that participant, trusting the public certificate authorities.
    pub fn new(room: RoomName, participant: ParticipantName) -> Self {
        Self {
            participant: Some(participant),
            ..Self::observer(room)
        }
    }

    /// Enters as an observer.
    pub fn observer(room: RoomName) -> Self {
        Self {
            room,
            participant: None,
            trust: Trust::default(),
            token: None,
            drafts: Draft::ALL.to_vec(),
            connect_timeout: Duration::from_secs(5),
            reconnect: Duration::from_secs(30),
            codecs: Codecs::default(),
        }
    }

    /// With another trust.
    pub fn with_trust(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// With a token.
    pub fn with_token(self, source: TokenSource) -> Self {
        Self {
            token: Some(source),
            ..self
        }
    }

    /// With other drafts.
    pub fn with_drafts(self, drafts: Vec<Draft>) -> Self {
        Self { drafts, ..self }
    }

    /// What is shown to the relay; `None`: it asks for nothing.
    pub(crate) async fn pass(&self, wanted: Wanted) -> Result<Option<Pass>, NoPass> {
        match &self.token {
            Some(source) => source.pass(wanted).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Which certificates of a relay are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trust {
    /// Those that public certificate authorities signed.
    #[default]
    PublicAuthorities,
    /// Those that an authority in this PEM file signed.
    AuthorityFile(PathBuf),
    /// The one with this SHA-256 fingerprint, in hexadecimal, with or without colons.
    Fingerprint(String),
    /// Those that this says at each connect: for a relay whose certificate changes.
    Asked(TrustSource),
    /// Any: for tests on one machine only, since anybody in between can listen.
    Anyone,
}

/// Says which certificates of a relay are accepted by now.
#[derive(Clone)]
pub struct TrustSource(Arc<dyn Fn() -> Trust + Send + Sync>);

impl TrustSource {
    /// Asks this, which does not say [`Trust::Asked`].
    pub fn new(ask: impl Fn() -> Trust + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    pub(crate) fn trust(&self) -> Trust {
        (self.0)()
    }
}

impl fmt::Debug for TrustSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrustSource")
    }
}

/// The same source, not one that says the same.
impl PartialEq for TrustSource {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for TrustSource {}
