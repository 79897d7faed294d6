use std::fs;

use parvis_quic::{
    CloseReason as QuicReason, Limits,
    client::{ConnectError as QuicError, ConnectOptions, Connection},
    tls::{ClientTls, Fingerprint},
};
use parvis_session::Config;
use parvis_wire::{AuthToken, Draft, SessionErrorCode};

use crate::{CloseReason, ConnectError, RoomOptions, Trust};

pub use parvis_quic::PathStats;

/// Requests of the relay that may be open: its subscriptions to what is published here, which may be
/// a track for each of many people.
const MAX_PEER_REQUESTS: usize = 16_384;
/// Requests of this side that may be open.
const MAX_OWN_REQUESTS: usize = 16_384;
/// Namespaces under one prefix.
const MAX_NAMESPACES: usize = 16_384;

/// Opens the connection to a relay.
pub(crate) async fn connect(
    url: &str,
    options: &RoomOptions,
    token: Option<String>,
    more_tokens: Vec<AuthToken>,
) -> Result<(Connection, Draft), ConnectError> {
    let mut session = Config::default();
    session
        .auth_tokens
        .extend(token.map(|token| AuthToken::UseValue {
            kind: 0,
            value: token.into(),
        }));
    session.auth_tokens.extend(more_tokens);
    session.limits.max_peer_requests = MAX_PEER_REQUESTS;
    session.limits.max_own_requests = MAX_OWN_REQUESTS;
    session.limits.max_namespaces = MAX_NAMESPACES;
    let quic = ConnectOptions {
        session,
        tls: tls(&options.trust)?,
        drafts: options.drafts.clone(),
        timeout: options.connect_timeout,
        limits: Limits {
            // A stream is a request.
            max_bidi_streams: MAX_PEER_REQUESTS as u32,
            ..Limits::default()
        },
        ..ConnectOptions::default()
    };
    let connection = Connection::connect(url, quic)
        .await
        .map_err(|error| explain(url, options, error))?;
    let draft = connection.draft();
    Ok((connection, draft))
}

fn tls(trust: &Trust) -> Result<ClientTls, ConnectError> {
    let bad = |error: &dyn std::fmt::Display| ConnectError::BadTrust(error.to_string());
    match trust {
        Trust::PublicAuthorities => Ok(ClientTls::public_roots()),
        Trust::AuthorityFile(path) => {
            let pem = fs::read(path).map_err(|e| bad(&format!("{}: {e}", path.display())))?;
            ClientTls::with_roots_pem(&pem).map_err(|e| bad(&format!("{}: {e}", path.display())))
        }
        Trust::Fingerprint(hex) => {
            let fingerprint: Fingerprint = hex.trim().parse().map_err(|error| bad(&error))?;
            Ok(ClientTls::pinned([fingerprint]))
        }
        Trust::Asked(source) => match source.trust() {
            Trust::Asked(_) => Err(bad(&"a source of trust names another source")),
            trust => tls(&trust),
        },
        Trust::Anyone => Ok(ClientTls::insecure()),
    }
}

fn explain(url: &str, options: &RoomOptions, error: QuicError) -> ConnectError {
    let url = url.to_owned();
    match error {
        QuicError::Url(invalid) => ConnectError::BadUrl {
            url,
            reason: invalid.to_string(),
        },
        QuicError::Resolve { source, .. } => ConnectError::UnknownHost {
            url,
            reason: source.to_string(),
        },
        QuicError::Socket(error) => ConnectError::Socket(error.to_string()),
        QuicError::Open(error) => ConnectError::BadUrl {
            url,
            reason: error.to_string(),
        },
        QuicError::TimedOut(waited) => ConnectError::Unreachable { url, waited },
        QuicError::Closed(reason) => match reason {
            QuicReason::TimedOut => ConnectError::Unreachable {
                url,
                waited: options.connect_timeout,
            },
            QuicReason::CertificateRejected(reason) => {
                ConnectError::CertificateRejected { url, reason }
            }
            QuicReason::NoCommonDraft => {
                let numbers: Vec<String> = options
                    .drafts
                    .iter()
                    .map(|draft| draft.number().to_string())
                    .collect();
                ConnectError::NoCommonDraft {
                    url,
                    offered: numbers.join(" and "),
                }
            }
            other => ConnectError::closed(close_reason(&other)),
        },
    }
}

/// Whether another connection may fare better than one that ended for this reason.
pub(crate) const fn may_fare_better(reason: &QuicReason) -> bool {
    match reason {
        QuicReason::PeerClosed { code, .. } => matches!(
            code,
            SessionErrorCode::NoError
                | SessionErrorCode::InternalError
                | SessionErrorCode::GoawayTimeout
        ),
        QuicReason::TimedOut
        | QuicReason::Reset
        | QuicReason::Io(_)
        | QuicReason::Refused
        | QuicReason::Transport { .. } => true,
        QuicReason::Local { .. }
        | QuicReason::NoCommonDraft
        | QuicReason::CertificateRejected(_)
        | QuicReason::Handshake { .. }
        | QuicReason::VersionMismatch
        | QuicReason::WebTransportRefused { .. }
        | QuicReason::Http3 { .. } => false,
    }
}

/// Why a connection is over, in the words of this crate.
pub(crate) fn close_reason(reason: &QuicReason) -> CloseReason {
    match reason {
        QuicReason::Local { code, .. } if code.to_u64() == 0 => CloseReason::Local,
        QuicReason::PeerClosed { code, reason } => CloseReason::Relay {
            code: code.to_u64(),
            reason: reason.clone(),
        },
        QuicReason::TimedOut => CloseReason::TimedOut,
        other => CloseReason::Protocol(other.to_string()),
    }
}
