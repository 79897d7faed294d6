package dev.parvis.app

import dev.parvis.Capture
import dev.parvis.CaptureStatus
import dev.parvis.DisconnectReason
import dev.parvis.Emoji
import dev.parvis.ErrorKind
import dev.parvis.Lobby
import dev.parvis.MediaState
import dev.parvis.MeetingEvent
import dev.parvis.Phase
import dev.parvis.Role
import dev.parvis.Source
import dev.parvis.Target
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.job
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Test

@OptIn(ExperimentalCoroutinesApi::class)
class CallModelTest {
    private val connected = state(Phase.Connected, person(ME), person("ada"), person("bo"))
    private val call = FakeCall()

    private fun TestScope.model(turnOn: Set<Source> = emptySet()) =
        CallModel(backgroundScope, call, turnOn).also { runCurrent() }

    private fun TestScope.happens(event: MeetingEvent) {
        call.happens.trySend(event)
        runCurrent()
    }

    @Test
    fun `the stage follows the phase`() = runTest {
        val model = model()
        val phases = mapOf(
            Phase.Connecting to Stage.Connecting,
            Phase.InLobby(Lobby.WaitingForHost) to Stage.Waiting("Waiting for the host to come", canKnock = false),
            Phase.InLobby(Lobby.Denied(30.seconds)) to Stage.Waiting("The host said no", canKnock = true),
            Phase.InLobby(Lobby.Denied(null)) to Stage.Waiting("The host said no", canKnock = false),
            Phase.Connected to Stage.In(isReconnecting = false),
            Phase.Reconnecting to Stage.In(isReconnecting = true),
            Phase.Disconnected(DisconnectReason.Removed) to Stage.Over("A host removed you"),
        )
        for ((phase, stage) in phases) {
            call.state.value = call.state.value.copy(phase = phase)
            runCurrent()
            assertEquals(stage, model.state.value.stage)
        }
    }

    @Test
    fun `devices wait for the door`() = runTest {
        val model = model(setOf(Source.MICROPHONE, Source.CAMERA))
        assertEquals(emptyList(), call.asked)
        call.state.value = connected
        runCurrent()
        assertEquals(listOf("open MICROPHONE", "open CAMERA"), call.asked.sorted().reversed())
        assertEquals(DeviceState.ON, model.state.value.microphone)
        assertEquals(DeviceState.OFF, model.state.value.screen)
    }

    @Test
    fun `the microphone is muted and not closed, the camera is closed`() = runTest {
        call.state.value = connected
        val model = model(setOf(Source.MICROPHONE, Source.CAMERA))
        call.asked.clear()
        for (act in listOf(model::toggleMicrophone, model::toggleCamera, model::toggleMicrophone)) {
            act()
            runCurrent()
        }
        assertEquals(listOf("mute own MICROPHONE", "close CAMERA", "unmute own MICROPHONE"), call.asked)
        assertEquals(DeviceState.ON to DeviceState.OFF, model.state.value.run { microphone to camera })
    }

    @Test
    fun `a refused permission is said, and the device is off`() = runTest {
        call.state.value = connected
        val model = model()
        call.refusal = ErrorKind.PERMISSION_DENIED
        model.toggleCamera()
        runCurrent()
        assertEquals(DeviceState.OFF, model.state.value.camera)
        assertTrue("settings" in model.state.value.notice!!)
        model.dismissNotice()
        assertNull(model.state.value.notice)
    }

    @Test
    fun `a device that opens while one leaves is closed`() = runTest {
        call.state.value = connected
        call.opening = CompletableDeferred()
        val model = model(setOf(Source.CAMERA))
        assertEquals(DeviceState.STARTING, model.state.value.camera)
        model.leave()
        call.opening.complete(Unit)
        runCurrent()
        assertEquals(listOf("open CAMERA", "leave", "close CAMERA"), call.asked)
    }

    @Test
    fun `a camera is opened anew when the phone was turned, and only where it is on`() = runTest {
        call.state.value = connected
        val model = model(setOf(Source.CAMERA))
        model.ended(Source.CAMERA, again = true)
        model.ended(Source.SCREEN, again = true)
        runCurrent()
        assertEquals(listOf("open CAMERA", "close CAMERA", "open CAMERA"), call.asked)
    }

    @Test
    fun `pictures that nobody sees are not received`() = runTest {
        call.state.value = connected
        val model = model()
        model.setSeen(false)
        model.setSeen(true)
        runCurrent()
        assertEquals(listOf("receive AUDIO_ONLY", "receive ALL"), call.asked)
    }

    @Test
    fun `a host mutes, and one unmutes oneself`() = runTest {
        call.state.value = connected
        val model = model(setOf(Source.MICROPHONE))
        happens(MeetingEvent.Muted(Source.MICROPHONE, by = "ada"))
        assertEquals(DeviceState.MUTED, model.state.value.microphone)
        assertEquals("Ada turned your microphone off", model.state.value.notice)
        model.toggleMicrophone()
        runCurrent()
        assertEquals("unmute own MICROPHONE", call.asked.last())
    }

    @Test
    fun `a camera that is forbidden to all is closed, and nobody is said to have done it`() = runTest {
        call.state.value = connected
        val model = model(setOf(Source.CAMERA))
        happens(MeetingEvent.Muted(Source.CAMERA, by = ME))
        assertEquals("close CAMERA", call.asked.last())
        assertEquals(DeviceState.OFF, model.state.value.camera)
        assertEquals("Only hosts may use the camera now", model.state.value.notice)
    }

    @Test
    fun `who mutes without a network is muted at once, and may leave`() = runTest {
        call.state.value = connected
        val model = model(setOf(Source.MICROPHONE))
        call.answering = CompletableDeferred()
        model.toggleMicrophone()
        runCurrent()
        assertEquals(DeviceState.MUTED, model.state.value.microphone)
        model.leave()
        runCurrent()
        assertEquals(listOf("mute own MICROPHONE", "leave", "close MICROPHONE"), call.asked.takeLast(3))
    }

    @Test
    fun `nothing of a call that is over goes on`() = runTest {
        call.state.value = connected
        val calls = CoroutineScope(StandardTestDispatcher(testScheduler) + Job())
        val model = CallModel(calls, call, setOf(Source.CAMERA))
        runCurrent()
        assertEquals(DeviceState.ON, model.state.value.camera)
        call.state.value = connected.copy(phase = Phase.Disconnected(DisconnectReason.RoomEnded))
        runCurrent()
        assertEquals(Stage.Over("The meeting is over") to DeviceState.OFF, model.state.value.run { stage to camera })
        assertEquals(emptyList(), calls.coroutineContext.job.children.toList())
    }

    @Test
    fun `a meeting is recorded for as long as a recording runs`() = runTest {
        call.state.value = connected
        val model = model()
        for ((status, shown) in listOf(CaptureStatus.ACTIVE to true, CaptureStatus.SAVED to false, CaptureStatus.ABORTED to false)) {
            val recording = Capture(1, status, 0, "ada", null, null)
            call.state.value = connected.copy(view = connected.view!!.copy(recording = recording))
            runCurrent()
            assertEquals(shown, model.state.value.isRecording, "$status")
        }
    }

    @Test
    fun `devices are closed when the meeting ends`() = runTest {
        call.state.value = connected
        model(setOf(Source.MICROPHONE))
        call.state.value = connected.copy(phase = Phase.Disconnected(DisconnectReason.RoomEnded))
        runCurrent()
        assertEquals("close MICROPHONE", call.asked.last())
    }

    @Test
    fun `an own line is shown at once and becomes the stored one`() = runTest {
        call.state.value = connected
        val model = model()
        model.send("  salut ")
        runCurrent()
        val line = model.state.value.chat.lines.single()
        assertEquals("salut" to LineStatus.Pending, line.text to line.status)
        happens(MeetingEvent.Chat(message(7, ME, "salut", line.clientId)))
        assertEquals(LineStatus.Sent(7), model.state.value.chat.lines.single().status)
        assertEquals(0, model.state.value.unread)
    }

    @Test
    fun `a refused line stays and says why and is sent again`() = runTest {
        call.state.value = connected
        val model = model()
        model.send("salut")
        runCurrent()
        fun line() = model.state.value.chat.lines.single()
        happens(MeetingEvent.ChatFailed(line().clientId, ErrorKind.RATE_LIMITED))
        assertEquals(LineStatus.Failed("Not so fast. Wait a moment."), line().status)
        call.refusal = ErrorKind.RATE_LIMITED
        model.sendAgain(line().clientId)
        assertEquals(LineStatus.Pending, line().status)
        runCurrent()
        assertEquals(LineStatus.Failed("Not so fast. Wait a moment."), line().status)
        model.sendAgain(line().clientId)
        runCurrent()
        assertEquals(listOf("chat salut", "again salut", "again salut"), call.asked)
        happens(MeetingEvent.Chat(message(7, ME, "salut", line().clientId)))
        model.sendAgain(line().clientId)
        assertEquals(LineStatus.Sent(7), line().status)
    }

    @Test
    fun `lines that others write are counted while the chat is closed`() = runTest {
        call.history = listOf(message(2, "bo", "b"), message(1, "ada", "a"))
        call.state.value = connected
        val model = model()
        happens(MeetingEvent.Chat(message(2, "bo", "b")))
        happens(MeetingEvent.Chat(message(3, "bo", "c")))
        assertEquals(listOf("a", "b", "c"), model.state.value.chat.lines.map { it.text })
        model.showChat(true)
        happens(MeetingEvent.Chat(message(4, "bo", "d")))
        assertEquals(0, model.state.value.unread)
    }

    @Test
    fun `hands are raised and lowered, and have a place`() = runTest {
        call.state.value = state(Phase.Connected, person(ME), person("ada"), hands = listOf("ada", ME))
        val model = model()
        assertEquals(2, model.state.value.handPosition)
        model.toggleHand()
        call.state.value = connected
        runCurrent()
        model.toggleHand()
        runCurrent()
        assertEquals(listOf("lower", "raise"), call.asked)
    }

    @Test
    fun `a reaction floats for a while`() = runTest {
        call.state.value = connected
        val model = model()
        happens(MeetingEvent.Reaction("ada", Emoji.PARTY_POPPER))
        assertEquals(listOf("Ada" to Emoji.PARTY_POPPER), model.state.value.reactions.map { it.name to it.emoji })
        advanceTimeBy(5.seconds)
        assertEquals(emptyList(), model.state.value.reactions)
    }

    @Test
    fun `who speaks comes first and stays there in silence`() = runTest {
        call.state.value = connected
        val model = model()
        assertEquals(listOf("ada", "bo", ME), model.state.value.tiles.map { it.participant })
        call.state.value = connected.copy(speakers = listOf("bo"))
        happens(MeetingEvent.Speakers(listOf("bo")))
        assertTrue(model.state.value.tiles.first().isSpeaking)
        call.state.value = connected
        happens(MeetingEvent.Speakers(emptyList()))
        assertEquals(listOf("bo", "ada", ME), model.state.value.tiles.map { it.participant })
        assertEquals("bo", model.state.value.speaker)
        assertFalse(model.state.value.tiles.first().isSpeaking)
    }

    @Test
    fun `hosts let people in, end the meeting, and leave`() = runTest {
        call.state.value = state(Phase.Connected, person(ME, Role.OWNER), person("ada", screen = MediaState.ON))
        val model = model()
        assertTrue(model.state.value.isHost)
        assertEquals(Source.SCREEN, model.state.value.tiles.first().source)
        model.admit(Target.One("zoe"))
        runCurrent()
        model.leave(everybody = true)
        runCurrent()
        assertEquals(listOf("admit One(participant=zoe)", "end", "leave"), call.asked)
    }

    @Test
    fun `a host is told how many there is no place for`() = runTest {
        val model = model()
        model.admit(Target.All)
        runCurrent()
        assertNull(model.state.value.notice)
        call.waiting = 2
        model.admit(Target.All)
        runCurrent()
        assertEquals("The meeting is full: 2 wait still", model.state.value.notice)
    }

    @Test
    fun `members are no hosts`() = runTest {
        call.state.value = state(Phase.Connected, person(ME, Role.MEMBER))
        assertFalse(model().state.value.isHost)
    }
}
