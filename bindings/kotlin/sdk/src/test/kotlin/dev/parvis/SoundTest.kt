package dev.parvis

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Test

/** How loud one is, and the sound of a screen. */
class SoundTest {
    companion object {
        private val site = Site()

        @JvmStatic
        @AfterAll
        fun stop() = site.close()
    }

    private fun refusal(call: () -> Any?): ErrorKind = assertFailsWith<ParvisException> { call() }.kind

    @Test
    fun `a level rises at once and falls slowly to silence`() {
        val meter = LevelMeter()
        assertEquals(LevelMeter.SILENCE, meter.decibels)
        meter.push(FloatArray(960) { 1f })
        assertEquals(0f, meter.decibels, 0.01f)
        meter.push(ShortArray(24_000))
        assertEquals(-10f, meter.decibels, 0.01f)
        val half = ByteBuffer.allocateDirect(4 * 960).order(ByteOrder.LITTLE_ENDIAN)
        repeat(960) { half.putFloat(0.5f) }
        meter.pushFloats(half.flip())
        assertEquals(-6.02f, meter.decibels, 0.01f)
        meter.pushShorts(ByteBuffer.allocateDirect(2 * 48_000))
        assertEquals(-26.02f, meter.decibels, 0.01f)
        meter.clear()
        assertEquals(LevelMeter.SILENCE, meter.decibels)
        meter.close()
        meter.close()
        assertEquals(ErrorKind.LEFT, refusal { meter.decibels })
        LevelMeter(2).use { assertEquals(ErrorKind.BAD_FRAME, refusal { it.push(FloatArray(3)) }) }
        assertEquals(ErrorKind.BAD_ARGUMENT, refusal { LevelMeter(3) })
    }

    @Test
    fun `one sees one's own level, and silence while one is muted`() = runBlocking(Dispatchers.Default) {
        coroutineScope {
            val alice = join(this, site.room(), "Alice", site.administrator)
            alice.isIn()
            val microphone = alice.meeting.microphone()
            assertEquals(LevelMeter.SILENCE, microphone.level())
            microphone.push(Media.sounds[3])
            val loud = LevelMeter().use { it.push(Media.sounds[3]); it.decibels }
            assertTrue(loud > -40, "$loud")
            assertEquals(loud, microphone.level(), 0.1f)
            microphone.mute()
            microphone.push(Media.sounds[4])
            assertEquals(LevelMeter.SILENCE, microphone.level())
            microphone.unmute()
            microphone.push(Media.sounds[5])
            assertTrue(microphone.level() > -40)
            microphone.turnOff()
            assertEquals(ErrorKind.LEFT, refusal { microphone.level() })
            alice.meeting.leave()
            listOf(microphone, alice).forEach(AutoCloseable::close)
        }
    }

    @Test
    fun `a screen is heard with its sound, which ends with it`() = runBlocking(Dispatchers.Default) {
        coroutineScope {
            val (alice, zoe) = two(site)
            val screen = zoe.meeting.screen(VideoOptions(Media.WIDTH, Media.HEIGHT))
            assertEquals(ErrorKind.NO_SUCH_TRACK, refusal { screen.pushSound(Media.sounds[0]) })
            screen.shareSound()
            screen.shareSound(AudioOptions(2))
            heard(alice, zoe) { screen.pushSound(it) }
            val odd = ByteBuffer.allocateDirect(3)
            assertEquals(ErrorKind.BAD_FRAME, refusal { screen.pushSoundShorts(odd) })
            assertEquals(ErrorKind.BAD_FRAME, refusal { screen.pushSoundFloats(odd) })
            screen.turnOff()
            assertEquals(ErrorKind.LEFT, refusal { screen.pushSound(FloatArray(960)) })
            screen.close()

            val encoded = zoe.meeting.screenEncoded(listOf(av1Params(Media.WIDTH, Media.HEIGHT)))
            encoded.shareSound()
            heard(alice, zoe) { encoded.pushSound(it) }
            encoded.close()
            zoe.meeting.cameraEncoded(listOf(av1Params(Media.WIDTH, Media.HEIGHT))).use { camera ->
                val refused = assertFailsWith<ParvisException> { camera.shareSound() }
                assertEquals(ErrorKind.FORBIDDEN, refused.kind)
            }
            listOf(zoe, alice).forEach { it.meeting.leave(); it.close() }
        }
    }

    private suspend fun CoroutineScope.heard(alice: Person, zoe: Person, push: (ShortArray) -> Unit) {
        val playing = talk(push)
        alice.meeting.screenSound(zoe.id).use { listen(it) }
        playing.cancelAndJoin()
    }
}
