use std::time::Duration;

use quinn_proto::{ConnectionId, ConnectionIdGenerator, RandomConnectionIdGenerator};

/// Bytes of an id, its prefix among them.
pub(crate) const LENGTH: usize = 8;

/// Makes ids that begin with the number of the endpoint, for endpoints that share a port.
pub(crate) struct PrefixedIds {
    prefix: u8,
    random: RandomConnectionIdGenerator,
}

impl PrefixedIds {
    pub(crate) fn new(prefix: u8) -> Self {
        let random = RandomConnectionIdGenerator::new(LENGTH);
        Self { prefix, random }
    }
}

impl ConnectionIdGenerator for PrefixedIds {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut id = [0; LENGTH];
        id.copy_from_slice(&self.random.generate_cid());
        id[0] = self.prefix;
        ConnectionId::new(&id)
    }

    fn cid_len(&self) -> usize {
        LENGTH
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

/// The [`EndpointConfig::id_prefix`](crate::EndpointConfig::id_prefix) of the endpoint that a
/// packet is meant for, by the connection id in it. An id that a newcomer has made up may look like
/// one of ours: its packets all go the same way then, too.
///
/// `None`: the id is none of ours.
pub fn id_prefix(packet: &[u8]) -> Option<u8> {
    // RFC 8999; the second bit may be anything (RFC 9287).
    match packet {
        [first, prefix, ..] if first & 0x80 == 0 => Some(*prefix),
        [_, _, _, _, _, length, prefix, ..] if usize::from(*length) == LENGTH => Some(*prefix),
        _ => None,
    }
}
