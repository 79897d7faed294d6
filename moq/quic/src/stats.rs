use std::time::Duration;

/// What a connection measured of its path, and what it counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathStats {
    /// The smoothed round-trip time.
    pub rtt: Duration,
    /// The least round-trip time seen.
    pub min_rtt: Duration,
    /// Bytes that may be in flight.
    pub congestion_window: u64,
    /// How often congestion was seen.
    pub congestion_events: u64,
    /// Packets sent.
    pub sent_packets: u64,
    /// Packets lost.
    pub lost_packets: u64,
    /// Bytes lost.
    pub lost_bytes: u64,
    /// UDP payload bytes sent.
    pub sent_bytes: u64,
    /// UDP payload bytes received.
    pub received_bytes: u64,
    /// UDP datagrams received.
    pub received_packets: u64,
    /// How often the peer said that flow control keeps it from sending.
    pub blocked: Blocked,
    /// The largest UDP payload that the path takes.
    pub mtu: u16,
    /// The largest MoQ datagram that fits; `None`: the peer takes none.
    pub max_datagram: Option<usize>,
    /// MoQ datagrams that did not fit and were not sent.
    pub oversized_datagrams: u64,
    /// Whether HTTP/3 carries the session.
    pub is_webtransport: bool,
}

/// Frames by which a peer says that flow control keeps it from sending (RFC 9000 section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Blocked {
    /// DATA_BLOCKED: [`Limits::connection_window`](crate::Limits::connection_window) is used up.
    pub connection: u64,
    /// STREAM_DATA_BLOCKED: [`Limits::stream_window`](crate::Limits::stream_window) of a stream is.
    pub stream: u64,
    /// STREAMS_BLOCKED: there are as many streams as may be.
    pub streams: u64,
}

/// What waits in a connection's session to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueStats {
    /// Bytes of objects.
    pub bytes: usize,
    /// How long the oldest of them have been waiting.
    pub age: Duration,
}

impl PathStats {
    pub(crate) fn new(stats: &quinn_proto::ConnectionStats) -> Self {
        Self {
            rtt: stats.path.rtt,
            min_rtt: stats.path.min_rtt,
            congestion_window: stats.path.cwnd,
            congestion_events: stats.path.congestion_events,
            sent_packets: stats.path.sent_packets,
            lost_packets: stats.path.lost_packets,
            lost_bytes: stats.path.lost_bytes,
            sent_bytes: stats.udp_tx.bytes,
            received_bytes: stats.udp_rx.bytes,
            received_packets: stats.udp_rx.datagrams,
            blocked: Blocked {
                connection: stats.frame_rx.data_blocked,
                stream: stats.frame_rx.stream_data_blocked,
                streams: stats.frame_rx.streams_blocked_bidi + stats.frame_rx.streams_blocked_uni,
            },
            mtu: stats.path.current_mtu,
            max_datagram: None,
            oversized_datagrams: 0,
            is_webtransport: false,
        }
    }
}
