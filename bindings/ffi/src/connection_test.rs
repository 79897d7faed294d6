use std::sync::Arc;

use parvis::meeting;

use crate::{
    Draft, JoinOptions, ParvisError, Tickets, mirror::mirror, numbers::millis, runtime,
    runtime::within,
};

/// What a connection test found, before anybody is joined.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct ConnectionReport {
    /// How long the meeting service took to give a ticket, milliseconds.
    pub service_ms: i64,
    /// Each transport to the relay, the one that a meeting takes first.
    pub transports: Vec<TransportReport>,
    /// Whether a meeting can be joined.
    pub is_reachable: bool,
}

/// What one transport is like.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct TransportReport {
    /// Which.
    pub transport: Transport,
    /// The relay, as it was tried.
    pub url: String,
    /// What it is like; none: there is no connection.
    pub path: Option<PathReport>,
    /// Why there is no connection.
    pub failure: Option<ParvisError>,
}

/// What a path is like.
#[derive(Debug, Clone, Copy, PartialEq, uniffi::Record)]
pub struct PathReport {
    /// The draft that was agreed on.
    pub draft: Draft,
    /// How long connecting took, the handshakes of QUIC and of MoQ, milliseconds.
    pub handshake_ms: i64,
    /// The round-trip time to the relay, microseconds.
    pub rtt_us: i64,
    /// The share of packets sent that were lost, 0 to 1.
    pub loss: f64,
    /// How long the meeting took to answer a command, the median, milliseconds; none: it did not.
    pub answer_ms: Option<i64>,
    /// Commands that were not answered within two seconds, of ten.
    pub unanswered: i32,
    /// How much it carries; none: nothing came, or the app's own source of tickets has none for a test.
    pub capacity: Option<Capacity>,
}

/// How much a path carries, as far as it was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Capacity {
    /// To the relay, bits a second; of 10 Mbit/s that were offered.
    pub up: i64,
    /// From the relay, bits a second; of twice what went up.
    pub down: i64,
}

mirror! {
    /// How MoQ comes to a relay. Both need UDP; there is no fallback to TCP so far.
    Transport = meeting::Transport {
        /// QUIC, as apps use it.
        Quic,
        /// WebTransport over HTTP/3, as browsers use it.
        WebTransport,
    }
}

/// Tries how well the meeting that a link or a code names is reached, without knocking: nobody there
/// sees it. Takes some seconds. An error is that of the meeting service; what is wrong with the relay is
/// in the report.
#[uniffi::export]
pub async fn test_connection(
    link_or_code: String,
    options: JoinOptions,
    tickets: Arc<Tickets>,
) -> Result<ConnectionReport, ParvisError> {
    let handle = runtime::handle()?;
    let options = options.with(tickets.source(), parvis::Codecs::default());
    let testing = meeting::Meeting::test_connection(&link_or_code, options);
    let report = within(&handle, testing).await;
    let report = report.map_err(|error| tickets.explain(error))?;
    Ok(ConnectionReport {
        is_reachable: report.is_reachable(),
        service_ms: millis(report.service),
        transports: report.transports.into_iter().map(Into::into).collect(),
    })
}

impl From<meeting::TransportReport> for TransportReport {
    fn from(report: meeting::TransportReport) -> Self {
        let (path, failure) = match report.found {
            Ok(path) => (Some(path.into()), None),
            Err(error) => (None, Some(error.into())),
        };
        Self {
            transport: report.transport.into(),
            url: report.url,
            path,
            failure,
        }
    }
}

impl From<meeting::PathReport> for PathReport {
    fn from(report: meeting::PathReport) -> Self {
        Self {
            draft: report.draft.into(),
            handshake_ms: millis(report.handshake),
            rtt_us: i64::try_from(report.rtt.as_micros()).unwrap_or(i64::MAX),
            loss: report.loss,
            answer_ms: report.answer.map(millis),
            unanswered: i32::try_from(report.unanswered).unwrap_or(i32::MAX),
            capacity: report.capacity.map(|capacity| Capacity {
                up: capacity.up.as_bps().into(),
                down: capacity.down.as_bps().into(),
            }),
        }
    }
}
