//! Repairs: small streams once more in a datagram, between peers that both say in SETUP that they
//! know them. MoQ Transport has setup options and datagram types for others to define.
//!
//! A repair is the type, the number of the stream among the sender's unidirectional ones in four
//! bytes, and every byte of the stream. Whichever comes first, stream or repair, counts.

use std::time::Instant;

use bytes::Bytes;
use parvis_wire::{Property, Setup};

use crate::{Session, SessionError, StreamId};

/// The setup option of a peer that takes repairs: "PARV".
const OPTION: u64 = 0x5041_5256;
/// The type of the datagrams; MoQ Transport's are not.
const TYPE: u8 = 0x3E;
const HEADER: usize = 5;
/// How far beyond the streams that came a repaired one may be.
const MAX_AHEAD: u64 = 1024;

/// The option to say in SETUP.
pub(crate) fn option() -> Property {
    Property::integer(OPTION, 1)
}

/// Whether a peer takes repairs.
pub(crate) fn is_offered(setup: &Setup) -> bool {
    setup.unknown.iter().any(|known| *known == option())
}

/// What a repair of that stream begins with; `None`: it cannot be repaired.
pub(crate) fn header(id: StreamId) -> Option<[u8; HEADER]> {
    let [a, b, c, d] = u32::try_from(id.index()).ok()?.to_be_bytes();
    Some([TYPE, a, b, c, d])
}

impl Session {
    /// Takes a repair; `false`: the datagram is none.
    pub(crate) fn on_repair(&mut self, raw: &[u8], now: Instant) -> Result<bool, SessionError> {
        let Some((&[TYPE, a, b, c, d], data)) = raw.split_first_chunk::<HEADER>() else {
            return Ok(false);
        };
        let index = u64::from(u32::from_be_bytes([a, b, c, d]));
        let id = StreamId::new(self.config.role.peer(), true, index);
        let is_known = self.inbound.contains_key(&id);
        if !is_known && index < self.peer_uni.end() + MAX_AHEAD {
            // Memory of its own: whoever keeps it keeps no whole packet.
            self.on_uni_data(id, Bytes::copy_from_slice(data), true, now)?;
        }
        Ok(true)
    }
}
