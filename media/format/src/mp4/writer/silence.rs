use std::time::Duration;

use bytes::Bytes;

use crate::MediaTime;

/// A silent Opus packet.
pub(super) struct Silence {
    pub start: MediaTime,
    pub length: Duration,
    pub payload: Bytes,
}

/// How finely a pause is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    /// In packets of 20 ms.
    Coarse,
    /// And the rest in packets of 2.5 ms.
    Fine,
}

/// Packets from `from` on that end before `until`, ten minutes at most.
pub(super) fn silence(
    from: MediaTime,
    until: MediaTime,
    grain: Grain,
) -> impl Iterator<Item = Silence> {
    let mut start = from;
    (0..MOST).map_while(move |_| {
        let left = until.saturating_since(start);
        let (length, payload) = if left >= LONG.0 {
            LONG
        } else if grain == Grain::Fine && left >= SHORT.0 {
            SHORT
        } else {
            return None;
        };
        let packet = Silence {
            start,
            length,
            payload: Bytes::from_static(payload),
        };
        start += length;
        Some(packet)
    })
}

/// CELT, full band, one frame of one channel with the silence flag set. RFC 6716, "CELT Decoder".
const LONG: (Duration, &[u8]) = (Duration::from_millis(20), &[0xF8, 0xFF, 0xFE]);
const SHORT: (Duration, &[u8]) = (Duration::from_micros(2_500), &[0xE0, 0xFF, 0xFE]);
const MOST: usize = 30_000;
