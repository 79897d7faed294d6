use std::{sync::Arc, time::Duration};

use quinn_proto::{IdleTimeout, MtuDiscoveryConfig, TransportConfig, VarInt, congestion};

/// Bytes in flight before anything is known of the path. quinn's 240 kB would fill seconds of a
/// slow one; 38 kB in the first round trip carry a key frame, and each further one doubles it.
const INITIAL_WINDOW: u64 = 32 * 1200;

/// The round-trip time of a path that nothing is known of: RFC 9002's 333 ms make whoever lost the
/// first packet, or comes out of a tunnel, wait for a second.
const INITIAL_RTT: Duration = Duration::from_millis(100);

/// Bounds and timing of QUIC connections. The default suits a relay and its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that a peer may have in flight or unread, over all its streams.
    pub connection_window: u32,
    /// Bytes that a peer may have in flight or unread on one stream.
    pub stream_window: u32,
    /// Bytes that wait for the peer's acknowledgement, at most; less while the path is slow.
    pub send_window: u32,
    /// Bytes of datagrams that wait for the path.
    pub datagram_send_buffer: usize,
    /// Bytes of datagrams that wait to be read; beyond, the oldest are lost.
    pub datagram_receive_buffer: usize,
    /// Bidirectional streams that a peer may have open.
    pub max_bidi_streams: u32,
    /// Unidirectional streams that a peer may have open.
    pub max_uni_streams: u32,
    /// A connection that hears nothing for so long is lost.
    pub idle_timeout: Duration,
    /// A client whose handshake takes longer is lost, whatever it sends meanwhile.
    pub handshake_timeout: Duration,
    /// A client that has nothing to say pings this often.
    pub keep_alive: Duration,
    /// Whether the path is probed for larger packets. Turn it off where packets are fragmented.
    pub mtu_discovery: bool,
    /// The size of UDP payloads at the start; at least 1200.
    pub initial_mtu: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connection_window: 8 * 1024 * 1024,
            stream_window: 512 * 1024,
            send_window: 2 * 1024 * 1024,
            datagram_send_buffer: 4 * 1024,
            datagram_receive_buffer: 128 * 1024,
            max_bidi_streams: 256,
            max_uni_streams: 1024,
            idle_timeout: Duration::from_secs(15),
            handshake_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(2),
            mtu_discovery: true,
            initial_mtu: 1200,
        }
    }
}

impl Limits {
    pub(crate) fn client(&self) -> Arc<TransportConfig> {
        let mut config = self.server_config();
        config.keep_alive_interval(Some(self.keep_alive));
        Arc::new(config)
    }

    pub(crate) fn server(&self) -> Arc<TransportConfig> {
        Arc::new(self.server_config())
    }

    fn server_config(&self) -> TransportConfig {
        let idle = IdleTimeout::try_from(self.idle_timeout).unwrap_or(VarInt::MAX.into());
        let mut congestion_control = congestion::BbrConfig::default();
        congestion_control.initial_window(INITIAL_WINDOW);
        let mut config = TransportConfig::default();
        config
            .receive_window(self.connection_window.into())
            .stream_receive_window(self.stream_window.into())
            .send_window(self.send_window.into())
            .datagram_send_buffer_size(self.datagram_send_buffer)
            .datagram_receive_buffer_size(Some(self.datagram_receive_buffer))
            .max_concurrent_bidi_streams(self.max_bidi_streams.into())
            .max_concurrent_uni_streams(self.max_uni_streams.into())
            .max_idle_timeout(Some(idle))
            // The session gives each stream its own priority; equal ones go first come, first
            // served, so that an object is complete as early as it can be.
            .send_fairness(false)
            .initial_rtt(INITIAL_RTT)
            .initial_mtu(self.initial_mtu.max(1200))
            .mtu_discovery_config(self.mtu_discovery.then(MtuDiscoveryConfig::default))
            // CUBIC starves audio under loss that is not congestion.
            .congestion_controller_factory(Arc::new(congestion_control));
        config
    }
}
