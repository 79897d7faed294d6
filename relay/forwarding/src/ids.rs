use parvis_wire::HopId;

/// Names a peer of the forwarder; the driver chooses the number and never reuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub u64);

/// What a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeerKind {
    /// A MoQ session: a client, or a relay that is treated as one.
    Session,
    /// A session of a service that many people use at a time: no quota binds it.
    Service,
    /// A session with another relay, by its name; 0: one without. It hears of every namespace
    /// that does not come from it, and is asked for those that it has.
    Relay {
        /// Its name in paths.
        hop: HopId,
        /// Whether both sides tell paths: then it asks for namespaces as we do. Otherwise it is
        /// told by PUBLISH_NAMESPACE.
        tells_paths: bool,
    },
    /// The forwarder of another thread of the same relay. It hears of everything that sessions
    /// publish here, and is never given what other shards publish: shards form a full mesh.
    Shard,
}

/// Names a request between the forwarder and one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RequestRef {
    /// The peer made it; the driver chooses the number, unique among that peer's requests.
    Theirs(u64),
    /// The forwarder made it; unique in the forwarder and never reused.
    Ours(u64),
}

impl RequestRef {
    /// The same request as the other side names it, for links between shards.
    pub const fn mirrored(self) -> Self {
        match self {
            Self::Theirs(number) => Self::Ours(number),
            Self::Ours(number) => Self::Theirs(number),
        }
    }
}

/// Names a stream of objects that a publishing peer opened; unique among that peer's streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UpstreamStream(pub u64);

/// Names a stream of objects to a subscriber; never given twice, though its index is.
///
/// The index is free for reuse after the [`Output::End`](crate::Output::End) that names the key,
/// after [`Input::StreamStopped`](crate::Input::StreamStopped), and once the peer is
/// disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamKey {
    index: u32,
    /// Tells a key from those that had its index before.
    generation: u32,
}

impl StreamKey {
    /// index: far fewer than 2^32 streams are open at one time.
    pub(crate) const fn new(index: usize, generation: u32) -> Self {
        Self {
            index: index as u32,
            generation,
        }
    }

    /// A small number that no other open stream has, fit to index a `Vec`.
    pub const fn index(self) -> usize {
        self.index as usize
    }

    pub(crate) const fn generation(self) -> u32 {
        self.generation
    }

    /// The key as the name of a stream between shards.
    pub(crate) fn upstream(self) -> UpstreamStream {
        UpstreamStream((u64::from(self.generation) << 32) | u64::from(self.index))
    }
}
