package dev.parvis

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/**
 * What is known of a meeting.
 *
 * @property phase where it is on its way
 * @property code the room's code, with hyphens
 * @property me who this is
 * @property view what everybody knows of the room; null: not in so far
 * @property lobby who waits to be let in, first come first; for hosts
 * @property speakers who speaks, the loudest first
 * @property quality how well this participant is connected
 * @property stepDown what is given up because the network is short
 */
public data class MeetingState(
    val phase: Phase,
    val code: String,
    val me: String,
    val view: RoomView?,
    val lobby: List<Waiter>,
    val speakers: List<String>,
    val quality: Quality,
    val stepDown: StepDown,
) {
    /** Whether one is in. */
    public val isConnected: Boolean get() = phase == Phase.Connected

    /** Whether one is not let in: a host said no, nobody answered, or too many wait or are in. [Meeting.knock] asks again. */
    public val isTurnedAway: Boolean
        get() =
            when ((phase as? Phase.InLobby)?.lobby) {
                is Lobby.Denied, Lobby.TimedOut, Lobby.Full -> true
                Lobby.WaitingForHost, is Lobby.Waiting, Lobby.Outside, null -> false
            }

    /** How long what is said to everybody is kept after the end of the meeting; zero: not at all; null: not in so far. */
    public val retention: Duration? get() = view?.policy?.chatIsKept

    /** Everybody who is in: hands in order, then oneself, then by name. */
    public val participants: List<Participant> get() = view?.participants.orEmpty()

    /** Whose hands are up, the first first. */
    public val hands: List<String> get() = view?.hands.orEmpty()

    /** Somebody who is in. */
    public fun participant(id: String): Participant? = participants.find { it.id == id }

    /** This participant, as everybody sees it. */
    public val myself: Participant? get() = participant(me)

    /** The place of a raised hand, the first is 1; null: it is down. */
    public fun handPosition(id: String): Int? = hands.indexOf(id).takeIf { it >= 0 }?.plus(1)

    internal companion object {
        fun lift(state: dev.parvis.ffi.MeetingState): MeetingState =
            MeetingState(
                Phase.lift(state.phase),
                state.code,
                state.me,
                state.view,
                state.lobby,
                state.speakers,
                state.quality,
                state.stepDown,
            )
    }
}

/** Where a meeting is on its way; exactly one of these holds. */
public sealed interface Phase {
    /** The relay is being connected to, and knocked at the room. */
    public data object Connecting : Phase

    /** In the lobby. */
    public data class InLobby(val lobby: Lobby) : Phase

    /** In. */
    public data object Connected : Phase

    /** The connection is lost or replaced; the place is kept. */
    public data object Reconnecting : Phase

    /** Over; nothing follows. */
    public data class Disconnected(val reason: DisconnectReason) : Phase

    /** @suppress */
    public companion object {
        internal fun lift(phase: dev.parvis.ffi.Phase): Phase =
            when (phase) {
                is dev.parvis.ffi.Phase.Connecting -> Connecting
                is dev.parvis.ffi.Phase.InLobby -> InLobby(Lobby.lift(phase.lobby))
                is dev.parvis.ffi.Phase.Connected -> Connected
                is dev.parvis.ffi.Phase.Reconnecting -> Reconnecting
                is dev.parvis.ffi.Phase.Disconnected -> Disconnected(DisconnectReason.lift(phase.reason))
            }
    }
}

/** How it stands in the lobby. */
public sealed interface Lobby {
    /** The room waits for its host. */
    public data object WaitingForHost : Lobby

    /** A host is asked, since so many milliseconds after 1970 began. */
    public data class Waiting(val sinceMs: Long) : Lobby

    /** A host said no; one may knock again after a pause, or (null) no more. */
    public data class Denied(val retryAfter: Duration?) : Lobby

    /** Nobody answered. */
    public data object TimedOut : Lobby

    /** Too many wait, or are in. */
    public data object Full : Lobby

    /** One does not knock. */
    public data object Outside : Lobby

    /** @suppress */
    public companion object {
        internal fun lift(lobby: dev.parvis.ffi.Lobby): Lobby =
            when (lobby) {
                is dev.parvis.ffi.Lobby.WaitingForHost -> WaitingForHost
                is dev.parvis.ffi.Lobby.Waiting -> Waiting(lobby.sinceMs)
                is dev.parvis.ffi.Lobby.Denied -> Denied(lobby.retryAfterMs?.milliseconds)
                is dev.parvis.ffi.Lobby.TimedOut -> TimedOut
                is dev.parvis.ffi.Lobby.Full -> Full
                is dev.parvis.ffi.Lobby.Outside -> Outside
            }
    }
}

/** Why a meeting is over for this participant. */
public sealed interface DisconnectReason {
    /** It left. */
    public data object Left : DisconnectReason

    /** A host removed it. */
    public data object Removed : DisconnectReason

    /** The meeting is over. */
    public data object RoomEnded : DisconnectReason

    /**
     * The connection is lost.
     *
     * @property kind `ErrorKind.NOT_LET_IN` where the relay does not accept the token or there is no other one, else
     * `ErrorKind.LOST`
     * @property reason one line for developers
     */
    public data class Lost(val kind: ErrorKind, val reason: String) : DisconnectReason

    /** @suppress */
    public companion object {
        internal fun lift(reason: dev.parvis.ffi.DisconnectReason): DisconnectReason =
            when (reason) {
                is dev.parvis.ffi.DisconnectReason.Left -> Left
                is dev.parvis.ffi.DisconnectReason.Removed -> Removed
                is dev.parvis.ffi.DisconnectReason.RoomEnded -> RoomEnded
                is dev.parvis.ffi.DisconnectReason.Lost -> Lost(reason.kind, reason.reason)
            }
    }
}
