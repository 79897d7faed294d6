use std::{path::PathBuf, time::Duration};

use parvis_wire::Draft;

use crate::{Codecs, ParticipantName, RoomName, TokenSource};

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
    /// Any: for tests on one machine only, since anybody in between can listen.
    Anyone,
}
