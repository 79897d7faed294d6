package dev.parvis

import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import kotlin.time.Duration
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Test

/** What is heard and shown of others, and over what network. */
class PlayTest {
    companion object {
        private val site = Site()

        @JvmStatic
        @AfterAll
        fun stop() = site.close()
    }

    private fun meeting(body: suspend CoroutineScope.(alice: Person, zoe: Person) -> Unit) =
        runBlocking(Dispatchers.Default) {
            coroutineScope {
                val (alice, zoe) = two(site)
                body(alice, zoe)
                listOf(zoe, alice).forEach { it.meeting.leave(); it.close() }
            }
        }

    /** Pulls 10 ms every 10 ms, as a device does, until the last second is as wanted. */
    private suspend fun hears(mixer: Mixer, wanted: (FloatArray) -> Boolean) =
        withTimeout(PATIENCE) {
            val second = FloatArray(48_000)
            var pulls = 0
            val started = System.nanoTime()
            while (pulls < 100 || !wanted(second)) {
                second.copyInto(second, 0, 480)
                mixer.pull().use { it.samples.get(second, second.size - 480, 480) }
                delay(++pulls * 10 - (System.nanoTime() - started) / 1_000_000)
            }
        }

    @Test
    fun `everybody is heard mixed as loud as was asked for`() = meeting { alice, zoe ->
        val microphone = zoe.meeting.microphone()
        val talking = talk(microphone)
        val mixer = alice.meeting.mixer()
        assertEquals(1, mixer.channels)
        hears(mixer) { Media.louder(it, 220.0, 3000.0) > 20 && it.average() < 1 }
        alice.meeting.setVolume(zoe.id, 0.5f)
        assertEquals(0.5f, alice.meeting.volume(zoe.id))
        alice.meeting.muteForMe(zoe.id, true)
        assertTrue(alice.meeting.isMutedForMe(zoe.id))
        hears(mixer) { second -> second.all { it == 0f } }
        alice.meeting.muteForMe(zoe.id, false)
        assertFalse(alice.meeting.isMutedForMe(zoe.id))
        hears(mixer) { Media.louder(it, 220.0, 3000.0) > 20 }
        val device = FloatArray(441)
        mixer.fill(device)
        assertTrue(device.any { it != 0f })
        assertEquals(ErrorKind.BAD_ARGUMENT, assertFailsWith<ParvisException> { mixer.pull(0) }.kind)
        assertEquals(ErrorKind.BAD_ARGUMENT, assertFailsWith<ParvisException> { alice.meeting.mixer(3) }.kind)
        talking.cancelAndJoin()
        microphone.close()
        mixer.close()
        mixer.close()
        assertEquals(ErrorKind.LEFT, assertFailsWith<ParvisException> { mixer.pull() }.kind)
    }

    @Test
    fun `targets and pins are kept and what comes is counted`() = meeting { alice, zoe ->
        alice.meeting.setPinned(zoe.id, true)
        assertEquals(listOf(zoe.id), alice.meeting.pinned)
        alice.meeting.setPinned(zoe.id, false)
        assertEquals(emptyList(), alice.meeting.pinned)
        assertEquals(StepDown.NOTHING, alice.meeting.state.value.stepDown)
        val camera = zoe.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15))
        val filming = film(camera::push)
        val hidden = VideoTarget(0, 0, visible = false)
        alice.meeting.picture(zoe.id, Source.CAMERA, hidden).use { picture ->
            alice.meeting.setVideoTarget(zoe.id, Source.CAMERA, VideoTarget(Media.WIDTH, Media.HEIGHT, fps = 5))
            withTimeout(PATIENCE) {
                val times = List(10) { picture.next()!!.use { it.timestampUs } }
                val spacing = times.zipWithNext { a, b -> b - a }.average()
                assertTrue(spacing > 150_000, "pictures are $spacing µs apart")
            }
            val stats = alice.meeting.stats()
            val received = stats.received.single { it.participant == zoe.id }
            assertEquals("camera/180p", received.stats.track)
            assertTrue(received.stats.received >= 10)
            val path = assertNotNull(stats.path)
            assertTrue(path.rtt > Duration.ZERO && path.receivedBytes > 0)
            assertTrue(zoe.meeting.stats().sent.single().watched)
        }
        filming.cancelAndJoin()
        camera.close()
    }

    @Test
    fun `a camera has the layers and the encoder that were asked for`() = meeting { alice, _ ->
        val layers = listOf(VideoLayer(0, 300_000), VideoLayer(1))
        val options = VideoOptions(Media.WIDTH, Media.HEIGHT, 15, layers = layers, encoder = VideoEncoderChoice.RAV1E)
        alice.meeting.camera(options).use { camera ->
            val tracks = camera.stats()
            assertEquals(listOf("camera/180p", "camera/90p"), tracks.map { it.track })
            assertTrue(tracks.all { it.codec!!.backend == "rav1e" }, "$tracks")
        }
        val slides = VideoOptions(Media.WIDTH, Media.HEIGHT, 5, layers = listOf(VideoLayer(1)))
        alice.meeting.screen(slides).use { screen -> assertEquals("screen/full", screen.stats().single().track) }
        for ((halvings, kind) in listOf(-1 to ErrorKind.BAD_ARGUMENT, 20 to ErrorKind.BAD_ARGUMENT)) {
            val bad = options.copy(layers = listOf(VideoLayer(halvings)))
            assertEquals(kind, assertFailsWith<ParvisException> { alice.meeting.camera(bad) }.kind)
        }
    }

    @Test
    fun `another socket is another path for the same meeting`() = meeting { alice, zoe ->
        alice.meeting.rebind()
        zoe.meeting.chat("Bonjour !")
        assertEquals("Bonjour !", alice.sees<MeetingEvent.Chat>().message.text)
        alice.meeting.chat("Bonjour Zoé !")
        assertEquals("Bonjour Zoé !", zoe.sees<MeetingEvent.Chat> { it.message.from == alice.id }.message.text)
        assertEquals(Phase.Connected, alice.meeting.state.value.phase)
    }

    @Test
    fun `who has left has no path and hears nobody`() = runBlocking(Dispatchers.Default) {
        coroutineScope {
            val alice = join(this, site.room(), "Alice", site.administrator)
            alice.isIn()
            val mixer = alice.meeting.mixer()
            alice.meeting.leave()
            val calls =
                listOf<suspend () -> Any>(
                    { alice.meeting.rebind() },
                    { alice.meeting.stats() },
                    { alice.meeting.cameraEncoded(listOf(av1Params(320, 180))) },
                    { alice.meeting.pinned },
                    { alice.meeting.mixer() },
                    { mixer.pull() },
                )
            for (call in calls) assertEquals(ErrorKind.LEFT, assertFailsWith<ParvisException> { call() }.kind)
            mixer.close()
            alice.close()
        }
    }
}
