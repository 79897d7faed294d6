use parvis_wire::GroupId;

use crate::{RequestKey, StreamId};

/// Why bytes of a track were dropped. Each drop has one reason and is counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// Sending: an object waited longer than its delivery timeout.
    ObjectTimeout,
    /// Sending: a finished subgroup was not delivered within its delivery timeout.
    SubgroupTimeout,
    /// Sending: bytes waited longer than the session lets them.
    QueueAge,
    /// Sending: the subscription had too many bytes waiting.
    SubscriptionBytes,
    /// Sending: the session had too many bytes waiting.
    SessionBytes,
    /// Sending: too many datagrams waited.
    DatagramBytes,
    /// Sending: a datagram is larger than the path, or the peer, takes.
    DatagramTooLarge,
    /// Sending: the subscription ended or was cancelled while bytes waited.
    SubscriptionEnded,
    /// Sending: the subscriber set its forward state to 0.
    NotForwarded,
    /// Sending: the peer stopped the stream.
    StoppedByPeer,
    /// Sending: the user reset the stream.
    ResetByUser,
    /// Receiving: the alias did not become known in time.
    UnknownAliasTime,
    /// Receiving: too many bytes or streams of unknown aliases.
    UnknownAliasBytes,
    /// Receiving: the subscription had ended before.
    LateForSubscription,
}

impl DropReason {
    /// Every reason, in the order of [`DropCounts`].
    pub const ALL: [Self; 14] = [
        Self::ObjectTimeout,
        Self::SubgroupTimeout,
        Self::QueueAge,
        Self::SubscriptionBytes,
        Self::SessionBytes,
        Self::DatagramBytes,
        Self::DatagramTooLarge,
        Self::SubscriptionEnded,
        Self::NotForwarded,
        Self::StoppedByPeer,
        Self::ResetByUser,
        Self::UnknownAliasTime,
        Self::UnknownAliasBytes,
        Self::LateForSubscription,
    ];
}

/// One drop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The subscription or fetch, if it is known.
    pub key: Option<RequestKey>,
    /// The stream; `None`: a datagram.
    pub stream: Option<StreamId>,
    /// The group, if it is known.
    pub group: Option<GroupId>,
    /// Bytes that waited here and are gone.
    pub bytes: usize,
    /// Why.
    pub reason: DropReason,
}

/// How often each [`DropReason`] occurred, and with how many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DropCounts([(u64, u64); DropReason::ALL.len()]);

impl DropCounts {
    /// Drops for that reason.
    pub const fn drops(&self, reason: DropReason) -> u64 {
        self.0[reason as usize].0
    }

    /// Bytes dropped for that reason.
    pub const fn bytes(&self, reason: DropReason) -> u64 {
        self.0[reason as usize].1
    }

    /// Counts one.
    pub const fn count(&mut self, dropped: &Dropped) {
        let entry = &mut self.0[dropped.reason as usize];
        entry.0 += 1;
        entry.1 += dropped.bytes as u64;
    }
}
