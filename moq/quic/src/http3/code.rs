use web_transport_proto::{error_from_http3, error_to_http3};

/// An error code of HTTP/3 or WebTransport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(pub u64);

/// RFC 9114, "HTTP/3 Error Codes"; RFC 9204, "Error Handling"; RFC 9297, "HTTP/3 Datagrams"; and
/// draft-ietf-webtrans-http3, "HTTP/3 Error Code Registration".
impl Code {
    /// Nothing is wrong.
    pub const NO_ERROR: Self = Self(0x100);
    /// A stream that may not be opened.
    pub const STREAM_CREATION_ERROR: Self = Self(0x103);
    /// A stream that the connection needs was closed.
    pub const CLOSED_CRITICAL_STREAM: Self = Self(0x104);
    /// A frame that may not come here.
    pub const FRAME_UNEXPECTED: Self = Self(0x105);
    /// A frame with the wrong length or layout.
    pub const FRAME_ERROR: Self = Self(0x106);
    /// The peer causes more work than it should.
    pub const EXCESSIVE_LOAD: Self = Self(0x107);
    /// A stream or push ID that cannot be.
    pub const ID_ERROR: Self = Self(0x108);
    /// A setting that cannot be.
    pub const SETTINGS_ERROR: Self = Self(0x109);
    /// The control stream does not begin with SETTINGS.
    pub const MISSING_SETTINGS: Self = Self(0x10a);
    /// The request ended too early.
    pub const REQUEST_INCOMPLETE: Self = Self(0x10d);
    /// A malformed message.
    pub const MESSAGE_ERROR: Self = Self(0x10e);
    /// A field section that does not decompress.
    pub const QPACK_DECOMPRESSION_FAILED: Self = Self(0x200);
    /// A malformed HTTP datagram.
    pub const DATAGRAM_ERROR: Self = Self(0x33);
    /// The stream belongs to no session that can be waited for.
    pub const BUFFERED_STREAM_REJECTED: Self = Self(0x3994_bd84);
    /// The session of the stream is over.
    pub const SESSION_GONE: Self = Self(0x170d_7b68);
}

/// The code that a stream of the session is reset or stopped with. MoQ's codes fit: a larger one
/// becomes the largest that does.
pub(crate) const fn to_http3(code: u64) -> u64 {
    let code = if code > u32::MAX as u64 {
        u32::MAX
    } else {
        code as u32
    };
    error_to_http3(code)
}

/// The session's code in one of HTTP/3; one that the session did not choose becomes 0.
pub(crate) fn from_http3(code: u64) -> u64 {
    // The range has a gap every 31 codes, for those that are reserved by HTTP/3.
    error_from_http3(code).map_or(0, u64::from)
}
