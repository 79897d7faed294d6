package dev.parvis

import java.nio.ByteBuffer
import kotlin.test.assertEquals
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Test

class EmbedTest {
    @Test
    fun `the ten lines join, speak, write, raise a hand, and show whoever else is there`() = runBlocking(Dispatchers.Default) {
        Site().use { site ->
            coroutineScope {
                val link = site.room()
                val alice = join(this, link, "Alice", site.administrator)
                alice.isIn()
                alice.meeting.raiseHand()
                val camera = alice.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15))
                val filming = film(camera::push)
                val shown = CompletableDeferred<Int>()
                val luma = ByteBuffer.allocateDirect(1280 * 720)
                val chroma = ByteBuffer.allocateDirect(640 * 360)
                val zoe = launch {
                    Embed(link, "device").join(luma, chroma, chroma, Media.sounds[0]) { shown.complete(it.width) }
                }
                alice.knows("for the lobby") { it.lobby.isNotEmpty() }
                alice.meeting.admit(Target.All)
                assertEquals("Bonjour !", alice.sees<MeetingEvent.Chat>().message.text)
                alice.sees<MeetingEvent.Hands> { it.participants.size == 2 }
                val known = alice.knows("for a voice") { state ->
                    state.view!!.participants.any { it.id != alice.id && it.media.microphone == MediaState.ON }
                }
                assertEquals(2, known.view!!.participants.size)
                assertEquals(Media.WIDTH, withTimeout(PATIENCE) { shown.await() })
                filming.cancelAndJoin()
                camera.close()
                alice.meeting.leave()
                alice.close()
                withTimeout(PATIENCE) { zoe.join() }
            }
        }
    }

    @Test
    fun `the ten lines end where a host says no`() = runBlocking(Dispatchers.Default) {
        Site().use { site ->
            coroutineScope {
                val link = site.room()
                val alice = join(this, link, "Alice", site.administrator)
                alice.isIn()
                val nothing = ByteBuffer.allocateDirect(0)
                val zoe = launch { Embed(link, "device").join(nothing, nothing, nothing, ShortArray(0)) { error("seen") } }
                alice.knows("for the lobby") { it.lobby.isNotEmpty() }
                alice.meeting.deny(Target.All)
                withTimeout(PATIENCE) { zoe.join() }
                alice.meeting.leave()
                alice.close()
            }
        }
    }
}
