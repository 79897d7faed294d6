use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::StreamId;

/// What happened on the transport, for [`Session::handle`](crate::Session::handle).
///
/// A stream's inputs come in order; after its `fin` or reset nothing more comes for it.
#[derive(Debug, Clone)]
pub enum Input {
    /// Bytes of a stream; also the first sight of a stream of the peer's.
    StreamData {
        /// The stream.
        id: StreamId,
        /// The next bytes; may be empty.
        data: Bytes,
        /// Whether these are the last.
        fin: bool,
    },
    /// The peer gave up sending on a stream.
    StreamReset {
        /// The stream.
        id: StreamId,
        /// The peer's code.
        code: u64,
    },
    /// The peer reads no further from a stream.
    StopSending {
        /// The stream.
        id: StreamId,
        /// The peer's code.
        code: u64,
    },
    /// The peer acknowledged every byte and the end of one of our streams.
    StreamFinished {
        /// The stream.
        id: StreamId,
    },
    /// A datagram.
    Datagram(Bytes),
    /// How many streams of our own may be opened over the whole connection.
    StreamCredit {
        /// Bidirectional ones.
        bidi: u64,
        /// Unidirectional ones.
        uni: u64,
    },
    /// A [`Transmit::Write`](crate::Transmit::Write) was not taken whole.
    Blocked {
        /// The stream.
        id: StreamId,
        /// What was not taken.
        unsent: Bytes,
    },
    /// A blocked stream takes bytes again.
    Writable {
        /// The stream.
        id: StreamId,
    },
    /// A [`Transmit::Datagram`](crate::Transmit::Datagram) was not taken.
    DatagramBlocked {
        /// The datagram.
        unsent: Bytes,
    },
    /// A [`Transmit::Datagram`](crate::Transmit::Datagram) will never be taken: it is too large.
    DatagramTooLarge,
    /// Datagrams are taken again.
    DatagramWritable,
    /// How the path does.
    Path(PathState),
    /// The peer is there again after a silence in which whatever was sent is lost.
    Returned {
        /// When something had been heard of it before.
        silent_since: Instant,
    },
}

/// What the transport measures of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathState {
    /// The smoothed round-trip time.
    pub rtt: Duration,
    /// How many bytes may be in flight.
    pub congestion_window: u64,
    /// Packets sent so far.
    pub sent_packets: u64,
    /// How many of them were lost.
    pub lost_packets: u64,
}
