/// A draft of MoQ Transport that this crate speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Draft {
    /// draft-ietf-moq-transport-18.
    D18,
    /// draft-ietf-moq-transport-22, the preferred one.
    D22,
}

impl Draft {
    /// Every draft, preferred first.
    pub const ALL: [Self; 2] = [Self::D22, Self::D18];

    /// The ALPN protocol that names this draft on raw QUIC.
    pub const fn alpn(self) -> &'static [u8] {
        match self {
            Self::D18 => b"moqt-18",
            Self::D22 => b"moqt-22",
        }
    }

    /// The draft that an ALPN protocol names.
    pub fn from_alpn(alpn: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|draft| draft.alpn() == alpn)
    }

    /// The draft's number, as in its file name.
    pub const fn number(self) -> u8 {
        match self {
            Self::D18 => 18,
            Self::D22 => 22,
        }
    }
}
