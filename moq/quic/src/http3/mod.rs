//! HTTP/3 as far as one WebTransport session on a connection needs it, sans-IO.
//!
//! [`Http3`] is told what the peer's streams bring until they turn out to belong to the session,
//! and says what is to be written. The bytes of frames, settings, field sections and capsules are
//! those of the crate `web-transport-proto`; here is what they mean, in which order they may come,
//! and how much of them is kept: a header of 16 bytes a stream, one request of 16 KiB, one capsule
//! of 64 KiB.
//!
//! RFC 9114, RFC 9220, RFC 9297 and draft-ietf-webtrans-http3.

mod capsules;
mod code;
mod control;
mod datagram;
mod frame_reader;
mod machine;
mod output;
mod request;
mod requests;
mod settings;
mod stream_header;

#[cfg(test)]
mod tests;

pub use code::Code;
pub use machine::Http3;
pub use output::{Options, Output, RequestTarget};
pub use stream_header::{HeaderReader, StreamKind};

pub(crate) use code::{from_http3, to_http3};
pub(crate) use datagram::DatagramPrefix;
pub(crate) use stream_header::session_header;

/// The ALPN protocol of HTTP/3.
pub const ALPN: &[u8] = b"h3";
