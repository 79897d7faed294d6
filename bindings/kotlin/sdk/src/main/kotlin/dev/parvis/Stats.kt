package dev.parvis

import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds

/**
 * What an app may show of how a meeting goes.
 *
 * @property path the path to the relay, since the connection began; null: there is none
 * @property rates what it carried lately
 * @property quality how well one is connected
 * @property stepDown what is given up because the network is short
 * @property sent the tracks that are published, and what became of their frames
 * @property received the tracks that are received
 */
public data class MeetingStats(
    val path: PathStats?,
    val rates: Rates,
    val quality: Quality,
    val stepDown: StepDown,
    val sent: List<LocalStats>,
    val received: List<ReceivedStats>,
) {
    internal companion object {
        fun lift(stats: dev.parvis.ffi.MeetingStats): MeetingStats =
            MeetingStats(
                stats.path?.let(PathStats::lift),
                stats.rates,
                stats.quality,
                stats.stepDown,
                stats.sent.map(LocalStats::lift),
                stats.received,
            )
    }
}

/**
 * What a connection measured of its path, and what it counted.
 *
 * @property rtt the smoothed round-trip time
 * @property minRtt the least round-trip time seen
 * @property congestionWindow bytes that may be in flight
 * @property congestionEvents how often congestion was seen
 * @property sentPackets packets sent
 * @property lostPackets packets lost
 * @property lostBytes bytes lost
 * @property sentBytes UDP payload bytes sent
 * @property receivedBytes UDP payload bytes received
 * @property receivedPackets UDP datagrams received
 * @property mtu the largest UDP payload that the path takes
 * @property isWebtransport whether HTTP/3 carries the session
 */
public data class PathStats(
    val rtt: Duration,
    val minRtt: Duration,
    val congestionWindow: Long,
    val congestionEvents: Long,
    val sentPackets: Long,
    val lostPackets: Long,
    val lostBytes: Long,
    val sentBytes: Long,
    val receivedBytes: Long,
    val receivedPackets: Long,
    val mtu: Int,
    val isWebtransport: Boolean,
) {
    internal companion object {
        fun lift(stats: dev.parvis.ffi.PathStats): PathStats =
            PathStats(
                stats.rttUs.microseconds,
                stats.minRttUs.microseconds,
                stats.congestionWindow,
                stats.congestionEvents,
                stats.sentPackets,
                stats.lostPackets,
                stats.lostBytes,
                stats.sentBytes,
                stats.receivedBytes,
                stats.receivedPackets,
                stats.mtu,
                stats.isWebtransport,
            )
    }
}

/**
 * A track of one's own, whether it is watched, and what became of its frames.
 *
 * @property track the track, such as `camera/360p`
 * @property watched whether anybody takes its frames
 * @property encoded frames that were encoded
 * @property dropped frames that were dropped because encoding or sending was behind
 * @property bytes bytes of the frames that were encoded
 * @property codec the video encoder; null: of sound, or of frames that the app encoded
 */
public data class LocalStats(
    val track: String,
    val watched: Boolean,
    val encoded: Long,
    val dropped: Long,
    val bytes: Long,
    val codec: CodecInUse?,
) {
    internal companion object {
        fun lift(stats: dev.parvis.ffi.LocalStats): LocalStats =
            LocalStats(
                stats.track,
                stats.watched,
                stats.encoded,
                stats.dropped,
                stats.bytes,
                stats.codec?.let(CodecInUse::lift),
            )
    }
}
