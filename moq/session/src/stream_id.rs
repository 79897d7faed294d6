use std::fmt;

/// Which side of the connection an endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Role {
    /// Opened the connection.
    #[default]
    Client,
    /// Accepted it.
    Server,
}

impl Role {
    /// The other side.
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    const fn bit(self) -> u64 {
        match self {
            Self::Client => 0,
            Self::Server => 1,
        }
    }
}

/// The number of a QUIC stream: bit 0 says who opened it, bit 1 whether it is unidirectional.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u64);

impl StreamId {
    /// The stream that `opener` opens as its `index`-th of that kind, counted from 0.
    pub const fn new(opener: Role, unidirectional: bool, index: u64) -> Self {
        Self(index << 2 | (unidirectional as u64) << 1 | opener.bit())
    }

    /// Who opened it.
    pub const fn opener(self) -> Role {
        if self.0 & 1 == 0 {
            Role::Client
        } else {
            Role::Server
        }
    }

    /// Whether only its opener sends on it.
    pub const fn is_unidirectional(self) -> bool {
        self.0 & 2 != 0
    }

    /// Its place among its opener's streams of that kind, counted from 0.
    pub const fn index(self) -> u64 {
        self.0 >> 2
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A request, named by its bidirectional stream, whoever opened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestKey(pub StreamId);

impl fmt::Display for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
