package dev.parvis.hello

import dev.parvis.JoinOptions
import dev.parvis.Lobby
import dev.parvis.Meeting
import dev.parvis.MeetingEvent
import dev.parvis.ParvisException
import dev.parvis.Phase
import dev.parvis.Picture
import dev.parvis.Source
import dev.parvis.VideoOptions
import dev.parvis.VideoTarget
import java.nio.ByteBuffer
import java.util.UUID
import kotlin.system.exitProcess
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.takeWhile
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/**
 * Joins a meeting, shows a picture, and prints who is there and what they look like.
 *
 * ```
 * java -Dparvis.library=target/debug/libparvis_ffi.so -cp … dev.parvis.hello.MainKt LINK NAME
 * ```
 */
fun main(arguments: Array<String>) {
    if (arguments.size != 2) {
        System.err.println("usage: hello-room LINK NAME")
        exitProcess(2)
    }
    try {
        runBlocking(Dispatchers.Default) { helloRoom(arguments[0], arguments[1], ::println) }
    } catch (error: ParvisException) {
        System.err.println("hello-room: ${error.message} (${error.kind})")
        exitProcess(1)
    }
}

/** Stays until somebody says "bye" in the chat, or the meeting is over. */
suspend fun helloRoom(link: String, name: String, say: (String) -> Unit) {
    val options = JoinOptions(name, device = UUID.randomUUID().toString())
    Meeting.join(link, options).use { meeting ->
        val events = meeting.events()
        val known =
            meeting.state.first { state ->
                if (state.phase == Phase.InLobby(Lobby.WaitingForHost)) say("waiting for the host")
                state.isConnected || state.isTurnedAway || state.phase is Phase.Disconnected
            }
        if (!known.isConnected) return say("not let in: ${known.phase}")
        say("$name is in ${known.code} with ${known.view!!.participants.size - 1} others")
        val before = known.view!!.participants.map { it.id }
        coroutineScope {
            val showing = launch {
                launch { film(meeting) }
                for (other in known.view!!.participants) {
                    if (other.id != known.me) launch { look(meeting, other.id, other.name, say) }
                }
            }
            events.takeWhile { it.goesOn() }
                .collect { event ->
                    when (event) {
                        // Who was there before is told of as well.
                        is MeetingEvent.Joined ->
                            if (event.participant.id !in before) say("${event.participant.name} came")
                        is MeetingEvent.Left -> say("${event.participant} left")
                        is MeetingEvent.Chat -> say("${event.message.name}: ${event.message.text}")
                        else -> Unit
                    }
                }
            showing.cancel()
            meeting.leave()
        }
    }
}

private fun MeetingEvent.goesOn() =
    when (this) {
        is MeetingEvent.Phase -> phase !is Phase.Disconnected
        is MeetingEvent.Chat -> message.text != "bye"
        else -> true
    }

/** Shows a grey picture that gets brighter, ten times a second. */
private suspend fun film(meeting: Meeting) =
    coroutineScope {
        val (width, height) = 320 to 180
        val luma = ByteBuffer.allocateDirect(width * height)
        val chroma = ByteBuffer.allocateDirect(width * height / 4)
        while (chroma.hasRemaining()) chroma.put(128.toByte())
        chroma.flip()
        meeting.camera(VideoOptions(width, height, 10)).use { camera ->
            var shade = 0
            while (isActive) {
                luma.clear()
                while (luma.hasRemaining()) luma.put(shade.toByte())
                camera.push(Picture(width, height, luma.flip(), chroma, chroma))
                shade = (shade + 1) % 200
                delay(100)
            }
        }
    }

/** Says what somebody's first picture is like. */
private suspend fun look(meeting: Meeting, who: String, name: String, say: (String) -> Unit) {
    meeting.picture(who, Source.CAMERA, VideoTarget(320, 180)).use { picture ->
        picture.next()?.use { frame -> say("$name looks like ${frame.width}x${frame.height}") }
    }
}
