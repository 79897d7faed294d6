package dev.parvis.app

import dev.parvis.Emoji
import dev.parvis.Lobby
import dev.parvis.MeetingState
import dev.parvis.Participant
import dev.parvis.Phase
import dev.parvis.Role
import dev.parvis.Waiter
import dev.parvis.isRunning

/** Which screen a call is on. */
sealed interface Stage {
    /** On the way to the meeting. */
    data object Connecting : Stage

    /** Before the door: why, and whether it can be knocked again. */
    data class Waiting(val why: String, val canKnock: Boolean) : Stage

    /** In; the connection is replaced just now, or not. */
    data class In(val isReconnecting: Boolean) : Stage

    /** Over, and why. */
    data class Over(val why: String) : Stage
}

/** A reaction that floats over the pictures for a while. */
data class Floating(val number: Long, val name: String, val emoji: Emoji)

/**
 * What is shown of a call.
 *
 * @property stage which screen
 * @property code the room's code
 * @property me who this is
 * @property tiles the rectangles, in their order
 * @property speaker who is heard or was heard last; null: nobody so far
 * @property people everybody who is in
 * @property waiting who waits to be let in, for hosts
 * @property isHost whether this is a host
 * @property handPosition the place of one's own hand
 * @property isRecording whether the meeting is recorded
 * @property chat the chat
 * @property unread how many messages came while the chat was closed
 * @property isChatOpen whether the chat is shown
 * @property reactions what floats over the pictures
 * @property microphone one's own microphone
 * @property camera one's own camera
 * @property screen one's own screen
 * @property notice a line to be shown for a while
 */
data class CallState(
    val stage: Stage = Stage.Connecting,
    val code: String = "",
    val me: String = "",
    val tiles: List<Tile> = emptyList(),
    val speaker: String? = null,
    val people: List<Participant> = emptyList(),
    val waiting: List<Waiter> = emptyList(),
    val isHost: Boolean = false,
    val handPosition: Int? = null,
    val isRecording: Boolean = false,
    val chat: Chat = Chat(),
    val unread: Int = 0,
    val isChatOpen: Boolean = false,
    val reactions: List<Floating> = emptyList(),
    val microphone: DeviceState = DeviceState.OFF,
    val camera: DeviceState = DeviceState.OFF,
    val screen: DeviceState = DeviceState.OFF,
    val notice: String? = null,
) {
    /** The name of somebody who is in. */
    fun nameOf(id: String): String = people.find { it.id == id }?.name ?: "Somebody"

    /** With what is known of the meeting now. */
    fun with(known: MeetingState, lastSpoke: List<String>): CallState =
        copy(
            stage = stageOf(known.phase),
            code = known.code,
            me = known.me,
            tiles = tilesOf(known, lastSpoke),
            speaker = lastSpoke.firstOrNull { it != known.me && known.participant(it) != null },
            people = known.view?.participants.orEmpty(),
            waiting = known.lobby,
            isHost = known.myself?.role?.let { it >= Role.ADMINISTRATOR } ?: false,
            handPosition = known.handPosition(known.me),
            isRecording = known.view?.recording?.status?.isRunning ?: false,
        )
}

private fun stageOf(phase: Phase): Stage =
    when (phase) {
        Phase.Connecting -> Stage.Connecting
        is Phase.InLobby -> Stage.Waiting(phase.lobby.inWords(), canKnock = phase.lobby.canKnock())
        Phase.Connected -> Stage.In(isReconnecting = false)
        Phase.Reconnecting -> Stage.In(isReconnecting = true)
        is Phase.Disconnected -> Stage.Over(phase.reason.inWords())
    }

private fun Lobby.canKnock() =
    when (this) {
        is Lobby.Denied -> retryAfter != null
        Lobby.TimedOut, Lobby.Full, Lobby.Outside -> true
        Lobby.WaitingForHost, is Lobby.Waiting -> false
    }
