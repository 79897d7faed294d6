use bytes::Bytes;
use parvis_session::StreamId;
use parvis_wire::Draft;

use super::Code;

/// What WebTransport sessions may speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Drafts that may be agreed on, preferred first.
    pub drafts: Vec<Draft>,
    /// The draft of a peer that names none.
    pub default_draft: Draft,
}

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestTarget {
    /// Host and port.
    pub authority: String,
    /// Path and query, with the slash at the start.
    pub path: String,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Bytes for a stream, and whether they are the last.
    Write {
        /// The stream; open it first if it is a new one of this side.
        id: StreamId,
        /// The bytes; may be none.
        data: Bytes,
        /// Whether the stream ends with them.
        fin: bool,
    },
    /// Gives up sending on a stream.
    Reset {
        /// The stream.
        id: StreamId,
        /// Why.
        code: Code,
    },
    /// Asks the peer to stop sending on a stream.
    Stop {
        /// The stream.
        id: StreamId,
        /// Why.
        code: Code,
    },
    /// The session is open; its streams may be written.
    Open {
        /// The stream of its request, which names it.
        id: StreamId,
        /// The draft agreed on.
        draft: Draft,
        /// What was asked for; on a client, what it asked for.
        target: RequestTarget,
    },
    /// A stream is the session's from its next byte on.
    Adopt {
        /// The stream.
        id: StreamId,
    },
    /// The peer has closed the session.
    Closed {
        /// The session's code.
        code: u32,
        /// For people.
        reason: String,
    },
    /// The server has refused the session.
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The connection is to be closed; the last output.
    Fail {
        /// The code for the peer.
        code: Code,
        /// For people.
        reason: String,
    },
}
