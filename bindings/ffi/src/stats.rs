use parvis::{codec::Bitrate, meeting};

use crate::{
    LocalStats, Meeting, ParvisError, Quality, RemoteStats, mirror::mirror, numbers::signed,
};

/// What an app may show of how a meeting goes.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct MeetingStats {
    /// The path to the relay, since the connection began; none: there is none.
    pub path: Option<PathStats>,
    /// What it carried lately.
    pub rates: Rates,
    /// How well one is connected.
    pub quality: Quality,
    /// What is given up because the network is short.
    pub step_down: StepDown,
    /// The tracks that are published, and what became of their frames.
    pub sent: Vec<LocalStats>,
    /// The tracks that are received.
    pub received: Vec<ReceivedStats>,
}

/// What a connection measured of its path, and what it counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct PathStats {
    /// The smoothed round-trip time, microseconds.
    pub rtt_us: i64,
    /// The least round-trip time seen, microseconds.
    pub min_rtt_us: i64,
    /// Bytes that may be in flight.
    pub congestion_window: i64,
    /// How often congestion was seen.
    pub congestion_events: i64,
    /// Packets sent.
    pub sent_packets: i64,
    /// Packets lost.
    pub lost_packets: i64,
    /// Bytes lost.
    pub lost_bytes: i64,
    /// UDP payload bytes sent.
    pub sent_bytes: i64,
    /// UDP payload bytes received.
    pub received_bytes: i64,
    /// UDP datagrams received.
    pub received_packets: i64,
    /// The largest UDP payload that the path takes.
    pub mtu: i32,
    /// Whether HTTP/3 carries the session.
    pub is_webtransport: bool,
}

/// What a path carried lately, over two seconds or more.
#[derive(Debug, Clone, Copy, PartialEq, uniffi::Record)]
pub struct Rates {
    /// UDP payload sent, bits a second.
    pub sent: i64,
    /// UDP payload received, bits a second.
    pub received: i64,
    /// The share of packets sent that were lost, 0 to 1.
    pub loss: f64,
}

/// A track of somebody's that is received.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ReceivedStats {
    /// Whose.
    pub participant: String,
    /// What became of its frames.
    pub stats: RemoteStats,
}

mirror! {
    /// What is given up when the network is short: each level gives up what those before it do. Sound
    /// stays.
    StepDown = meeting::StepDown {
        /// Nothing.
        Nothing,
        /// Others' cameras come in their smallest layer.
        OthersSmall,
        /// Others' cameras do not come.
        OthersStopped,
        /// One's own screen is sent at 5 pictures a second.
        ScreenSlow,
        /// One's own camera takes half of its bitrate, at half of its pictures a second.
        OwnCameraSmall,
    }
}

#[uniffi::export]
impl Meeting {
    /// Goes over to a new UDP socket, as an app asks for when the phone has changed networks: media and
    /// commands go on, without a new handshake and without
    /// [`Phase::Reconnecting`](crate::Phase::Reconnecting). Where the relay is not reached from there, the
    /// meeting reconnects by itself.
    pub async fn rebind(&self) -> Result<(), ParvisError> {
        self.inner.ask(|meeting| Box::pin(meeting.rebind())).await
    }

    /// How the meeting goes at the moment.
    pub async fn stats(&self) -> Result<MeetingStats, ParvisError> {
        let asked = self
            .inner
            .ask(|meeting| Box::pin(async move { Ok::<_, ParvisError>(meeting.stats().await) }));
        asked.await.map(MeetingStats::from)
    }
}

impl From<meeting::MeetingStats> for MeetingStats {
    fn from(stats: meeting::MeetingStats) -> Self {
        Self {
            path: stats.path.map(PathStats::from),
            rates: stats.rates.into(),
            quality: stats.quality.into(),
            step_down: stats.step_down.into(),
            sent: stats.sent.into_iter().map(LocalStats::from).collect(),
            received: stats.received.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<parvis::PathStats> for PathStats {
    fn from(stats: parvis::PathStats) -> Self {
        let micros =
            |time: std::time::Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        Self {
            rtt_us: micros(stats.rtt),
            min_rtt_us: micros(stats.min_rtt),
            congestion_window: signed(stats.congestion_window),
            congestion_events: signed(stats.congestion_events),
            sent_packets: signed(stats.sent_packets),
            lost_packets: signed(stats.lost_packets),
            lost_bytes: signed(stats.lost_bytes),
            sent_bytes: signed(stats.sent_bytes),
            received_bytes: signed(stats.received_bytes),
            received_packets: signed(stats.received_packets),
            mtu: stats.mtu.into(),
            is_webtransport: stats.is_webtransport,
        }
    }
}

impl From<meeting::Rates> for Rates {
    fn from(rates: meeting::Rates) -> Self {
        let bits = |rate: Bitrate| i64::from(rate.as_bps());
        Self {
            sent: bits(rates.sent),
            received: bits(rates.received),
            loss: rates.loss,
        }
    }
}

impl From<meeting::ReceivedStats> for ReceivedStats {
    fn from(received: meeting::ReceivedStats) -> Self {
        Self {
            participant: received.participant.into(),
            stats: RemoteStats::new(Some(received.track), &received.stats),
        }
    }
}
