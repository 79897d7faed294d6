use bytes::Bytes;
use parvis_wire::{
    GroupId, Location, ObjectHeader, ObjectId, SubgroupHeader, SubgroupId, SubgroupIdMode,
};

use crate::{
    PeerId, SubgroupEnd, Targets, Timeouts, UpstreamStream,
    filtering::Selection,
    keys::{SubscriptionKey, TrackKey},
    window::Window,
};

/// The memory that a cached subgroup and each piece of it are taken to need beside their bytes.
pub(crate) const SUBGROUP_OVERHEAD: usize = 512;
pub(crate) const PIECE_OVERHEAD: usize = 128;

/// A stream of objects from a publisher; once ended, what is cached of it.
#[derive(Debug)]
pub(crate) struct Subgroup {
    pub(crate) track: TrackKey,
    pub(crate) source: (PeerId, UpstreamStream),
    pub(crate) header: SubgroupHeader,
    pub(crate) timeouts: Timeouts,
    /// `None`: it streams.
    pub(crate) end: Option<SubgroupEnd>,
    /// The first object that came, forwarded or not.
    pub(crate) first: Option<ObjectId>,
    /// The last object that came.
    pub(crate) last: Option<ObjectId>,
    /// Whether an object was forwarded: it is known to its group then.
    pub(crate) started: bool,
    /// Bytes of the current object that are to come.
    pub(crate) remaining: u64,
    /// Whether the current object is dropped.
    pub(crate) dropping: bool,
    pub(crate) targets: Targets,
    /// Whether a target's window ends inside the group.
    pub(crate) bounded: bool,
    /// Subscriptions that get a stream when an object comes that they want.
    pub(crate) pending: Vec<SubscriptionKey>,
    /// What subscriptions with range filters get.
    pub(crate) selections: Vec<Selection>,
    /// Everything that came, while `cached`.
    pub(crate) pieces: Vec<Piece>,
    pub(crate) cached: bool,
    pub(crate) cached_bytes: usize,
}

/// What came in one piece.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    /// The start of an object.
    Object {
        header: ObjectHeader,
        raw: Bytes,
        header_len: usize,
    },
    /// More payload.
    Data(Bytes),
}

impl Piece {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Object { raw, .. } => raw.len(),
            Self::Data(data) => data.len(),
        }
    }
}

impl Subgroup {
    pub(crate) fn new(
        track: TrackKey,
        source: (PeerId, UpstreamStream),
        header: SubgroupHeader,
    ) -> Self {
        Self {
            track,
            source,
            header,
            timeouts: Timeouts::default(),
            end: None,
            first: None,
            last: None,
            started: false,
            remaining: 0,
            dropping: false,
            targets: Targets::default(),
            bounded: false,
            pending: Vec::new(),
            selections: Vec::new(),
            pieces: Vec::new(),
            cached: false,
            cached_bytes: 0,
        }
    }

    pub(crate) const fn group(&self) -> GroupId {
        self.header.group
    }

    /// The subgroup's id; known with its first object.
    pub(crate) fn id(&self) -> SubgroupId {
        match self.header.subgroup {
            SubgroupIdMode::Zero => SubgroupId(0),
            SubgroupIdMode::FirstObject => SubgroupId(self.first.unwrap_or_default().0),
            SubgroupIdMode::Explicit(id) => id,
        }
    }

    pub(crate) const fn location(&self, object: ObjectId) -> Location {
        Location {
            group: self.header.group,
            object,
        }
    }

    /// Frees what only a stream needs.
    pub(crate) fn close(&mut self, end: SubgroupEnd) {
        self.end = Some(end);
        self.pending = Vec::new();
        self.targets = Targets::default();
        self.pieces.shrink_to_fit();
    }

    /// The header for a stream that begins with another object than this one did.
    pub(crate) fn late_header(&self) -> SubgroupHeader {
        let subgroup = match self.header.subgroup {
            SubgroupIdMode::FirstObject => SubgroupIdMode::Explicit(self.id()),
            mode => mode,
        };
        SubgroupHeader {
            subgroup,
            first_object: false,
            ..self.header
        }
    }

    /// The piece at which a joiner with this window begins.
    pub(crate) fn join_at(&self, window: &Window) -> Option<usize> {
        self.pieces.iter().position(|piece| match piece {
            Piece::Object { header, .. } => window.contains(self.location(header.id)),
            Piece::Data(_) => false,
        })
    }

    /// An object's start as the first one of a stream; `None` if its header is impossible.
    pub(crate) fn reencode(
        &self,
        header: &ObjectHeader,
        raw: &Bytes,
        header_len: usize,
    ) -> Option<(Bytes, usize)> {
        self.reencode_after(None, header, raw, header_len)
    }

    /// An object's start behind another one than before.
    pub(crate) fn reencode_after(
        &self,
        previous: Option<ObjectId>,
        header: &ObjectHeader,
        raw: &Bytes,
        header_len: usize,
    ) -> Option<(Bytes, usize)> {
        let payload = raw.get(header_len..)?;
        let mut out = Vec::with_capacity(raw.len() + 8);
        header
            .encode(previous, self.header.has_properties, &mut out)
            .ok()?;
        let header_len = out.len();
        out.extend_from_slice(payload);
        Some((out.into(), header_len))
    }
}
