package dev.parvis

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** What went wrong: stable names, the same in every language. */
public typealias ErrorKind = dev.parvis.ffi.ErrorKind

/** Somebody who is in, as everybody sees it. */
public typealias Participant = dev.parvis.ffi.Participant

/** Somebody who waits to be let in. */
public typealias Waiter = dev.parvis.ffi.Waiter

/** Whether each source is captured. */
public typealias MediaStates = dev.parvis.ffi.MediaStates

/** Whether a source is captured. */
public typealias MediaState = dev.parvis.ffi.MediaState

/** What somebody may do in a room: owner > administrator > member > guest. */
public typealias Role = dev.parvis.ffi.Role

/** A service that takes part in a meeting. */
public typealias Service = dev.parvis.ffi.Service

/** What of a participant is captured. */
public typealias Source = dev.parvis.ffi.Source

/** How well a participant is connected. */
public typealias Quality = dev.parvis.ffi.Quality

/** Why somebody is gone. */
public typealias LeaveReason = dev.parvis.ffi.LeaveReason

/** A reaction; [sign] is what is shown of it. */
public typealias Emoji = dev.parvis.ffi.Emoji

/** How many show a reaction. */
public typealias ReactionCount = dev.parvis.ffi.ReactionCount

/** What everybody knows of a room. */
public typealias RoomView = dev.parvis.ffi.RoomView

/** What hosts set for a room and what outlives a session. */
public typealias Policy = dev.parvis.ffi.Policy

/** Who enters without knocking. */
public typealias AccessLevel = dev.parvis.ffi.AccessLevel

/** Which chat messages a late joiner gets. */
public typealias HistoryPolicy = dev.parvis.ffi.HistoryPolicy

/** Which sources only hosts may use. */
public typealias ForbiddenSources = dev.parvis.ffi.ForbiddenSources

/** A recording or transcription, as everybody sees it. */
public typealias Capture = dev.parvis.ffi.Capture

/** How far a recording or transcription is. */
public typealias CaptureStatus = dev.parvis.ffi.CaptureStatus

/** Why a recording or transcription failed. */
public typealias CaptureFailure = dev.parvis.ffi.CaptureFailure

/** The two services that a host can start. */
public typealias CaptureKind = dev.parvis.ffi.CaptureKind

/** What is spoken in a meeting. */
public typealias Language = dev.parvis.ffi.Language

/** A message to everybody. */
public typealias ChatMessage = dev.parvis.ffi.ChatMessage

/** A message to one participant. */
public typealias PrivateMessage = dev.parvis.ffi.PrivateMessage

/** Messages that cannot be had any more. */
public typealias HistoryGap = dev.parvis.ffi.HistoryGap

/** A page of the chat's past. */
public typealias HistoryPage = dev.parvis.ffi.HistoryPage

/** What there is to say of a command that was done. */
public typealias Done = dev.parvis.ffi.Done

/** How much is received of others' pictures. */
public typealias Receive = dev.parvis.ffi.Receive

/** What of a picture an app shows. */
public typealias VideoTarget = dev.parvis.ffi.VideoTarget

/** How the microphone is published. */
public typealias AudioOptions = dev.parvis.ffi.AudioOptions

/** What a path carried lately, over two seconds or more. */
public typealias Rates = dev.parvis.ffi.Rates

/** A track of somebody's that is received. */
public typealias ReceivedStats = dev.parvis.ffi.ReceivedStats

/** What is given up when the network is short: each level gives up what those before it do. Sound stays. */
public typealias StepDown = dev.parvis.ffi.StepDown

/** A draft of MoQ Transport. */
public typealias Draft = dev.parvis.ffi.Draft

/** What a decoder needs to know of a video track; [av1Params] has those of AV1. */
public typealias VideoParams = dev.parvis.ffi.VideoParams

/** What a video encoder is opened with. */
public typealias VideoEncoderConfig = dev.parvis.ffi.VideoEncoderConfig

/** What a video encoder can do. */
public typealias VideoEncoderCaps = dev.parvis.ffi.VideoEncoderCaps

/** What a video decoder can do. */
public typealias VideoDecoderCaps = dev.parvis.ffi.VideoDecoderCaps

/** What kind of picture is encoded. */
public typealias Content = dev.parvis.ffi.Content

/** What became of the frames of a received track. */
public typealias RemoteStats = dev.parvis.ffi.RemoteStats

/** What lets somebody knock at a room. */
public typealias Ticket = dev.parvis.ffi.Ticket

/** Where a relay is, and how it is known. */
public typealias RelayAddress = dev.parvis.ffi.RelayAddress

/** What a ticket is asked for with. */
public typealias TicketRequest = dev.parvis.ffi.TicketRequest

/** Whether it moderates: owners and administrators. */
public val Role.isHost: Boolean
    get() = this == Role.OWNER || this == Role.ADMINISTRATOR

/** Whether another one has to wait. */
public val CaptureStatus.isRunning: Boolean
    get() =
        when (this) {
            CaptureStatus.STARTING, CaptureStatus.ACTIVE, CaptureStatus.STOPPING, CaptureStatus.LIMIT_REACHED -> true
            CaptureStatus.SAVED, CaptureStatus.NOTIFIED, CaptureStatus.FAILED_TO_START, CaptureStatus.ABORTED -> false
        }

/** How long what is said to everybody is kept after the end of a session; zero: not at all. */
public val Policy.chatIsKept: Duration
    get() = if (history == HistoryPolicy.NONE) Duration.ZERO else retentionMs.milliseconds

/** Whether somebody is in whose connection is not gone. */
public fun RoomView.isConnected(id: String): Boolean = participants.any { it.id == id && it.quality != Quality.LOST }

/** What is shown of a reaction. */
public val Emoji.sign: String
    get() = inLibrary { dev.parvis.ffi.emojiSign(this) }

/** AV1, main profile, 8 bits, at the lowest level that holds this size at 30 frames a second. */
public fun av1Params(width: Int, height: Int): VideoParams = inLibrary { dev.parvis.ffi.av1Params(width, height) }

/** One or all. */
public sealed interface Target {
    /** Everybody who is meant. */
    public data object All : Target

    /** This participant. */
    public data class One(val participant: String) : Target
}

internal fun Target.lower(): dev.parvis.ffi.Target =
    when (this) {
        Target.All -> dev.parvis.ffi.Target.All
        is Target.One -> dev.parvis.ffi.Target.One(participant)
    }
