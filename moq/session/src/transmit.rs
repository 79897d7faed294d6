use bytes::Bytes;
use parvis_wire::SessionErrorCode;

use crate::StreamId;

/// What the driver is to do, from [`Session::poll_transmit`](crate::Session::poll_transmit).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transmit {
    /// Open the next own stream of that direction; its number is `id`.
    Open {
        /// The stream.
        id: StreamId,
        /// Its priority; a higher number goes first, as in quinn.
        priority: i32,
    },
    /// Write bytes; what is not taken comes back as [`Input::Blocked`](crate::Input::Blocked).
    Write {
        /// The stream.
        id: StreamId,
        /// The bytes.
        data: Bytes,
    },
    /// Change a stream's priority.
    SetPriority {
        /// The stream.
        id: StreamId,
        /// A higher number goes first.
        priority: i32,
    },
    /// End a stream after what was written.
    Finish {
        /// The stream.
        id: StreamId,
    },
    /// Give up sending on a stream.
    Reset {
        /// The stream.
        id: StreamId,
        /// Why.
        code: u64,
    },
    /// Read no further from a stream.
    StopSending {
        /// The stream.
        id: StreamId,
        /// Why.
        code: u64,
    },
    /// Send a datagram; if there is no room it comes back as
    /// [`Input::DatagramBlocked`](crate::Input::DatagramBlocked).
    Datagram(Bytes),
    /// Close the connection. Nothing follows.
    Close {
        /// Why.
        code: SessionErrorCode,
        /// For people.
        reason: String,
    },
}
