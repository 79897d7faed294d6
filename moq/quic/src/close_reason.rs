use parvis_wire::SessionErrorCode;
use quinn_proto::{ConnectionError, TransportErrorCode};
use thiserror::Error;
use web_transport_proto::error_from_http3;

use crate::http3::Code;

/// Why a connection ended, or was never made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CloseReason {
    /// This side closed it.
    #[error("closed here with {code:#x}: {reason}", code = code.to_u64())]
    Local {
        /// The code that the peer is told.
        code: SessionErrorCode,
        /// For people.
        reason: String,
    },
    /// The peer closed it.
    #[error("closed by the peer with {code:#x}: {reason}", code = code.to_u64())]
    PeerClosed {
        /// The peer's code.
        code: SessionErrorCode,
        /// For people; any bytes that are not UTF-8 are replaced.
        reason: String,
    },
    /// The two sides have no MoQ draft in common.
    #[error("no draft of MoQ Transport in common")]
    NoCommonDraft,
    /// The client does not trust the server's certificate.
    #[error("the server's certificate is not trusted: {0}")]
    CertificateRejected(String),
    /// The TLS handshake failed for another reason.
    #[error("the TLS handshake failed (alert {alert}): {reason}")]
    Handshake {
        /// The number of the TLS alert.
        alert: u8,
        /// For people.
        reason: String,
    },
    /// The server takes no more connections.
    #[error("the server refused the connection")]
    Refused,
    /// Nothing was heard for the idle timeout.
    #[error("nothing was heard from the peer for too long")]
    TimedOut,
    /// The peer does not know this connection any more; it has probably restarted.
    #[error("the peer does not know the connection any more")]
    Reset,
    /// No common version of QUIC.
    #[error("no version of QUIC in common")]
    VersionMismatch,
    /// The socket failed.
    #[error("the socket failed: {0}")]
    Io(String),
    /// The server does not open a WebTransport session.
    #[error("the server answers the WebTransport request with {status}")]
    WebTransportRefused {
        /// The HTTP status.
        status: u16,
    },
    /// One of the sides saw a violation of HTTP/3, or gave up waiting for a session.
    #[error("HTTP/3 error {code:#x}: {reason}")]
    Http3 {
        /// The code of RFC 9114 and of what extends it.
        code: u64,
        /// For people.
        reason: String,
    },
    /// One of the sides saw a violation of QUIC.
    #[error("QUIC error {code:#x}: {reason}")]
    Transport {
        /// The code of RFC 9000.
        code: u64,
        /// For people.
        reason: String,
    },
}

/// The TLS alert for "no application protocol", RFC 7301.
const NO_APPLICATION_PROTOCOL: u8 = 120;

impl CloseReason {
    /// web: whether HTTP/3 carries the session.
    pub(crate) fn from_quic(error: ConnectionError, web: bool) -> Self {
        match error {
            ConnectionError::VersionMismatch => Self::VersionMismatch,
            ConnectionError::TransportError(error) => Self::transport(error.code, error.reason),
            ConnectionError::ConnectionClosed(close) => {
                Self::transport(close.error_code, lossy(&close.reason))
            }
            ConnectionError::ApplicationClosed(close) if web => {
                Self::from_web(close.error_code.into_inner(), lossy(&close.reason))
            }
            ConnectionError::ApplicationClosed(close) => Self::PeerClosed {
                code: SessionErrorCode::from_u64(close.error_code.into_inner()),
                reason: lossy(&close.reason),
            },
            ConnectionError::Reset => Self::Reset,
            ConnectionError::TimedOut => Self::TimedOut,
            ConnectionError::LocallyClosed => Self::Local {
                code: SessionErrorCode::NoError,
                reason: String::new(),
            },
            ConnectionError::CidsExhausted => Self::Transport {
                code: TransportErrorCode::INTERNAL_ERROR.into(),
                reason: "no connection id is left".to_owned(),
            },
        }
    }

    /// A connection that ended without its session having been closed.
    fn from_web(code: u64, reason: String) -> Self {
        match error_from_http3(code) {
            _ if code == Code::NO_ERROR.0 => Self::PeerClosed {
                code: SessionErrorCode::NoError,
                reason,
            },
            Some(code) => Self::PeerClosed {
                code: SessionErrorCode::from_u64(code.into()),
                reason,
            },
            None => Self::Http3 { code, reason },
        }
    }

    fn transport(code: TransportErrorCode, reason: String) -> Self {
        let number = u64::from(code);
        if code == TransportErrorCode::CONNECTION_REFUSED {
            return Self::Refused;
        }
        if !(0x100..0x200).contains(&number) {
            return Self::Transport {
                code: number,
                reason,
            };
        }
        match number as u8 {
            NO_APPLICATION_PROTOCOL => Self::NoCommonDraft,
            // bad, unsupported, revoked, expired, unknown certificate; unknown CA; bad status or
            // name: RFC 8446, "Alert Protocol".
            42..=46 | 48 | 112 | 113 => Self::CertificateRejected(reason),
            alert => Self::Handshake { alert, reason },
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
