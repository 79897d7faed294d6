package dev.parvis.app

import dev.parvis.AccessLevel
import dev.parvis.ChatMessage
import dev.parvis.Done
import dev.parvis.Emoji
import dev.parvis.ErrorKind
import dev.parvis.ForbiddenSources
import dev.parvis.HistoryPage
import dev.parvis.HistoryPolicy
import dev.parvis.JoinOptions
import dev.parvis.MediaState
import dev.parvis.MediaStates
import dev.parvis.MeetingEvent
import dev.parvis.MeetingState
import dev.parvis.Participant
import dev.parvis.ParvisException
import dev.parvis.Pending
import dev.parvis.PendingState
import dev.parvis.Phase
import dev.parvis.Policy
import dev.parvis.Quality
import dev.parvis.Receive
import dev.parvis.Role
import dev.parvis.RoomView
import dev.parvis.Source
import dev.parvis.StepDown
import dev.parvis.Target
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.receiveAsFlow

/** A meeting that says what the test says, and notes what is asked of it. */
class FakeCall(first: MeetingState = state(Phase.Connecting)) : Call {
    override val state = MutableStateFlow(first)
    val happens = Channel<MeetingEvent>(Channel.UNLIMITED)
    val asked = mutableListOf<String>()
    var history = emptyList<ChatMessage>()

    /** Thrown by the next thing that is asked. */
    var refusal: ErrorKind? = null

    /** How many there is no place for. */
    var waiting = 0

    /** What an answer to muting waits for. */
    var answering: CompletableDeferred<Unit> = CompletableDeferred(Unit)

    /** What opening a device waits for. */
    var opening: CompletableDeferred<Unit> = CompletableDeferred(Unit)

    override fun events() = happens.receiveAsFlow()

    private fun ask(what: String) {
        asked += what
        refusal?.let { kind ->
            refusal = null
            throw ParvisException(kind, "refused")
        }
    }

    override suspend fun knock() = ask("knock")

    override suspend fun chatPending(text: String): Pending {
        ask("chat $text")
        return FakePending("c${asked.size}", text) { ask("again $text") }
    }

    override suspend fun history(before: Long?, count: Int) = HistoryPage(history, emptyList(), null)

    override suspend fun raiseHand() = ask("raise")

    override suspend fun lowerHand() = ask("lower")

    override suspend fun react(emoji: Emoji) = ask("react $emoji")

    override suspend fun admit(who: Target): Done {
        ask("admit $who")
        return Done(null, null, null, null, 1, waiting)
    }

    override suspend fun deny(who: Target) = ask("deny $who")

    override suspend fun mute(who: Target) = ask("mute $who")

    override suspend fun remove(who: String) = ask("remove $who")

    override suspend fun endForAll() = ask("end")

    override suspend fun setReceive(receive: Receive) = ask("receive $receive")

    override suspend fun open(source: Source): LocalTrack {
        ask("open $source")
        opening.await()
        return object : LocalTrack {
            override suspend fun mute() {
                ask("mute own $source")
                answering.await()
            }

            override suspend fun unmute() = ask("unmute own $source")

            override suspend fun turnOff() = ask("close $source")
        }
    }

    override suspend fun leave() {
        ask("leave")
        answering.complete(Unit)
    }

    override fun close() = ask("close")
}

/** A message that [again] sends again. */
private class FakePending(
    override val clientId: String,
    override val text: String,
    private val again: () -> Unit,
) : Pending {
    override val state = PendingState.Sending

    override suspend fun outcome(): Done = Done(null, null, null, null, null, null)

    override suspend fun retry(): Done {
        again()
        return outcome()
    }
}

/** Meetings of which the test has one. */
class FakeCalls(private val call: Call) : Calls {
    val asked = mutableListOf<Pair<String, JoinOptions>>()
    var refusal: ErrorKind? = null

    override fun roomCode(linkOrCode: String): String =
        Regex("[a-z]{3}-[a-z]{4}-[a-z]{3}").find(linkOrCode)?.value ?: throw ParvisException(ErrorKind.BAD_CODE, linkOrCode)

    override suspend fun join(linkOrCode: String, options: JoinOptions): Call {
        asked += linkOrCode to options
        refusal?.let { throw ParvisException(it, "refused") }
        return call
    }
}

const val ME = "me"

/** A meeting with these people. */
fun state(phase: Phase, vararg people: Participant, speakers: List<String> = emptyList(), hands: List<String> = emptyList()) =
    MeetingState(
        phase,
        "abc-defg-hij",
        ME,
        RoomView(
            0,
            1,
            Policy(AccessLevel.TRUSTED, null, true, HistoryPolicy.SESSION, false, 60_000),
            false,
            ForbiddenSources(false, false, false),
            null,
            null,
            people.toList(),
            hands,
        ).takeIf { people.isNotEmpty() },
        emptyList(),
        speakers,
        Quality.EXCELLENT,
        StepDown.NOTHING,
    )

/** Somebody who is in. */
fun person(id: String, role: Role = Role.GUEST, screen: MediaState = MediaState.OFF, camera: MediaState = MediaState.ON) =
    Participant(
        id,
        id.replaceFirstChar(Char::uppercase),
        false,
        false,
        role,
        null,
        0,
        null,
        MediaStates(MediaState.ON, camera, screen),
        Quality.GOOD,
    )

/** A message to everybody. */
fun message(seq: Long, from: String, text: String, clientId: String = "m$seq") =
    ChatMessage(seq, seq * 1000, from, from, clientId, text)
