use std::net::SocketAddr;

use parvis_session::Config;
use parvis_wire::Draft;
use thiserror::Error;

use crate::{
    AdmissionPolicy, CloseReason, Limits, RequestTarget,
    tls::{ClientTls, ServerTls},
};

/// How an [`Endpoint`](crate::Endpoint) behaves.
#[derive(Debug)]
pub struct EndpointConfig {
    /// The certificate shown to clients; `None`: nobody is let in.
    pub server: Option<ServerTls>,
    /// Drafts that clients may choose from, preferred first.
    pub drafts: Vec<Draft>,
    /// Whether sessions come over WebTransport too, and the draft of those whose client names
    /// none, as Firefox does.
    pub webtransport: Option<Draft>,
    /// What sessions of incoming connections start with; role and draft are filled in.
    pub session: Config,
    /// Bounds of QUIC.
    pub limits: Limits,
    /// Who is let in.
    pub admission: AdmissionPolicy,
    /// Makes connection ids and packet numbers repeatable, for tests; keys stay random.
    pub seed: Option<[u8; 32]>,
    /// What connection ids begin with, where several endpoints share a port; see
    /// [`id_prefix`](crate::id_prefix).
    pub id_prefix: Option<u8>,
    /// What resets are made of; `None`: a key of this endpoint's own.
    pub reset_key: Option<ResetKey>,
}

/// A secret that outlives an endpoint: peers of the one before learn by it that their connections are over.
/// RFC 9000, "Stateless Reset".
///
/// Whoever has it can end connections. Endpoints may share it if each packet comes to the one that made its
/// connection id, as [`id_prefix`](crate::id_prefix) says, for as long as that one is there.
#[derive(Clone)]
pub struct ResetKey(pub(super) ring::hmac::Key);

impl ResetKey {
    /// How many bytes it is made of.
    pub const LENGTH: usize = 64;

    /// A key of random bytes.
    pub fn new(bytes: &[u8; Self::LENGTH]) -> Self {
        Self(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, bytes))
    }
}

impl std::fmt::Debug for ResetKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResetKey(…)")
    }
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            server: None,
            drafts: Draft::ALL.to_vec(),
            webtransport: Some(Draft::D18),
            session: Config::default(),
            limits: Limits::default(),
            admission: AdmissionPolicy::default(),
            seed: None,
            id_prefix: None,
            reset_key: None,
        }
    }
}

/// Where to connect to, and as what.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The server.
    pub addr: SocketAddr,
    /// The name that its certificate must bear.
    pub server_name: String,
    /// Which certificates are trusted.
    pub tls: ClientTls,
    /// Drafts offered, preferred first.
    pub drafts: Vec<Draft>,
    /// What to ask for over WebTransport; `None`: raw QUIC.
    pub webtransport: Option<RequestTarget>,
    /// What the session starts with; role and draft are filled in.
    pub session: Config,
}

/// Names a connection of an [`Endpoint`](crate::Endpoint); never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionKey {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl ConnectionKey {
    /// A small number, unique among the connections there are: fit to index a `Vec`.
    pub const fn index(self) -> usize {
        self.index as usize
    }

    /// The whole key as a number, at least `1 << 32`.
    pub const fn to_u64(self) -> u64 {
        (self.generation as u64) << 32 | self.index as u64
    }

    /// The key that [`to_u64`](Self::to_u64) made the number of.
    pub const fn from_u64(number: u64) -> Self {
        Self {
            index: number as u32,
            generation: (number >> 32) as u32,
        }
    }
}

/// What happened on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all events are the large variant"
)]
pub enum ConnectionEvent {
    /// The handshake is over; [`Endpoint::session`](crate::Endpoint::session) may be used.
    Connected {
        /// The draft agreed on.
        draft: Draft,
        /// The peer's address.
        remote: SocketAddr,
        /// The name that a client asked for; `None` on a client.
        server_name: Option<String>,
    },
    /// The session has something to say.
    Session(parvis_session::Event),
    /// The connection is over, or was never made. The last event of the connection.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

/// Why no connection attempt was made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// The server's name is neither a host name nor an address.
    #[error("`{0}` is not a server name")]
    InvalidServerName(String),
    /// The address cannot be sent to.
    #[error("{0} cannot be connected to")]
    InvalidAddress(SocketAddr),
    /// No draft was offered.
    #[error("no draft is offered")]
    NoDraft,
    /// Too many connections.
    #[error("too many connections")]
    TooManyConnections,
}
