package dev.parvis

import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds

/** Data of somebody's app: what it is about, and what the app means by it. */
public typealias MeetingData = dev.parvis.ffi.MeetingData

/** How MoQ comes to a relay. Both need UDP; there is no fallback to TCP so far. */
public typealias Transport = dev.parvis.ffi.Transport

/** How much a path carries, bits a second, as far as it was tried. */
public typealias Capacity = dev.parvis.ffi.Capacity

/** To whom data goes. */
public sealed interface DataTarget {
    /** To everybody who is in, straight through the relay: what is late or lost is not sent again. */
    public data object All : DataTarget

    /** To 1 to 32 who are in, and nobody else can read it; through the meeting's service, 20 a second. */
    public data class Some(val participants: List<String>) : DataTarget
}

/**
 * What a connection test found, before anybody is joined.
 *
 * @property service how long the meeting service took to give a ticket
 * @property transports each transport to the relay, the one that a meeting takes first
 * @property isReachable whether a meeting can be joined
 */
public data class ConnectionReport(
    val service: Duration,
    val transports: List<TransportReport>,
    val isReachable: Boolean,
) {
    internal companion object {
        fun lift(report: dev.parvis.ffi.ConnectionReport): ConnectionReport =
            ConnectionReport(
                report.serviceMs.milliseconds,
                report.transports.map(TransportReport::lift),
                report.isReachable,
            )
    }
}

/**
 * What one transport is like.
 *
 * @property transport which
 * @property url the relay, as it was tried
 * @property path what it is like; null: there is no connection
 * @property failure why there is no connection
 */
public data class TransportReport(
    val transport: Transport,
    val url: String,
    val path: PathReport?,
    val failure: ParvisException?,
) {
    internal companion object {
        fun lift(report: dev.parvis.ffi.TransportReport): TransportReport =
            TransportReport(
                report.transport,
                report.url,
                report.path?.let(PathReport::lift),
                report.failure?.let(ParvisException::lift),
            )
    }
}

/**
 * What a path is like.
 *
 * @property draft the draft that was agreed on
 * @property handshake how long connecting took
 * @property rtt the round-trip time to the relay
 * @property loss the share of packets sent that were lost, 0 to 1
 * @property answer how long the meeting took to answer a command, the median; null: it did not
 * @property unanswered commands that were not answered within two seconds, of ten
 * @property capacity how much it carries; null: nothing came, or the app's own source of tickets has none for a test
 */
public data class PathReport(
    val draft: Draft,
    val handshake: Duration,
    val rtt: Duration,
    val loss: Double,
    val answer: Duration?,
    val unanswered: Int,
    val capacity: Capacity?,
) {
    internal companion object {
        fun lift(report: dev.parvis.ffi.PathReport): PathReport =
            PathReport(
                report.draft,
                report.handshakeMs.milliseconds,
                report.rttUs.microseconds,
                report.loss,
                report.answerMs?.milliseconds,
                report.unanswered,
                report.capacity,
            )
    }
}

internal fun DataTarget.lower(): dev.parvis.ffi.DataTarget =
    when (this) {
        DataTarget.All -> dev.parvis.ffi.DataTarget.All
        is DataTarget.Some -> dev.parvis.ffi.DataTarget.Some(participants)
    }
