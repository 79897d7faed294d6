package dev.parvis

import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Test

/** Codecs of the app, and frames that it encodes. */
class CodecsTest {
    companion object {
        private val site = Site()

        @JvmStatic
        @AfterAll
        fun stop() = site.close()

        private val SHOWN = VideoTarget(Media.WIDTH, Media.HEIGHT)
    }

    /** Zoé is seen, Alice sees. */
    private fun meeting(
        zoes: Codecs = Codecs(),
        alices: Codecs = Codecs(),
        body: suspend CoroutineScope.(alice: Person, zoe: Person) -> Unit,
    ) = runBlocking(Dispatchers.Default) {
        coroutineScope {
            val (alice, zoe) = two(site, alices, zoes)
            body(alice, zoe)
            listOf(zoe, alice).forEach { it.meeting.leave(); it.close() }
        }
    }

    /** Films, until Alice has seen so many pictures, in their order; returns the decoder that was at work last. */
    private suspend fun CoroutineScope.seen(alice: Person, zoe: Person, count: Int, camera: Camera): CodecInUse? {
        val filming = film(camera::push)
        val decoder =
            alice.meeting.picture(zoe.id, Source.CAMERA, SHOWN).use { picture ->
                withTimeout(PATIENCE) {
                    val numbers = List(count) { picture.next()!!.use { frame -> Media.number(frame)!! } }
                    assertTrue(numbers.zipWithNext().all { (a, b) -> b > a || b < 15 && a > 30 }, "$numbers")
                }
                picture.codec()
            }
        filming.cancelAndJoin()
        return decoder
    }

    private suspend fun codecOf(person: Person, wanted: (CodecInUse) -> Boolean): CodecInUse {
        val event = person.sees<MeetingEvent.Codec> { (it.state as? CodecState.InUse)?.codec?.let(wanted) == true }
        return (event.state as CodecState.InUse).codec
    }

    @Test
    fun `the pictures go through the app's encoder and decoder`() {
        val (encoders, decoders) = FakeHardware() to FakeHardware()
        meeting(Codecs(videoEncoders = encoders), Codecs(videoDecoders = decoders)) { alice, zoe ->
            val fake = CodecInUse(FakeHardware.NAME, FakeHardware.CODEC, null)
            zoe.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15)).use { camera ->
                assertEquals(fake, seen(alice, zoe, 20, camera))
                assertEquals(fake, camera.stats().single().codec)
                assertTrue(camera.stats().single().bytes > 0)
            }
            assertEquals(fake, codecOf(zoe) { it.fallback == null })
            assertEquals(fake, codecOf(alice) { it.fallback == null })
        }
        assertTrue(encoders.frames.get() >= 20 && decoders.frames.get() >= 20)
        assertTrue(encoders.keys.get() >= 1)
        assertEquals(0 to 0, encoders.open.get() to decoders.open.get())
    }

    @Test
    fun `a real codec of the JVM carries H264`() =
        meeting(Codecs(videoEncoders = Jcodec), Codecs(videoDecoders = Jcodec)) { alice, zoe ->
            zoe.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15)).use { camera ->
                assertEquals(CodecInUse("jcodec", Jcodec.CODEC, null), seen(alice, zoe, 20, camera))
                assertEquals("jcodec", camera.stats().single().codec!!.backend)
            }
        }

    @Test
    fun `where the app has no codec or it does not open the built-in one says why`() {
        val refused = ParvisException(ErrorKind.CODEC, "busy")
        val cases =
            listOf(
                Codecs({ _, _ -> null }, { _, _ -> null }) to { fallback: CodecFallback? ->
                    assertEquals(CodecFallback.NotOffered, fallback)
                },
                Codecs({ _, _ -> throw refused }, { _, _ -> throw refused }) to { fallback ->
                    assertTrue("busy" in assertIs<CodecFallback.NotOpened>(fallback).reason)
                },
                Codecs({ _, _ -> error("a bug") }, { _, _ -> TODO("a bug") }) to { fallback ->
                    assertTrue("a bug" in assertIs<CodecFallback.NotOpened>(fallback).reason)
                },
            )
        for ((codecs, check) in cases) {
            meeting(codecs, codecs) { alice, zoe ->
                zoe.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15)).use { camera ->
                    val decoder = seen(alice, zoe, 3, camera)!!
                    assertTrue(decoder.codec.startsWith("av01"), "$decoder")
                    check(decoder.fallback)
                    check(camera.stats().single().codec!!.fallback)
                }
            }
        }
    }

    @Test
    fun `an encoder that throws in mid-call is replaced and another codec is announced`() {
        val (encoders, decoders) = FakeHardware(failAfter = 10) to FakeHardware()
        meeting(Codecs(videoEncoders = encoders), Codecs(videoDecoders = decoders)) { alice, zoe ->
            zoe.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15)).use { camera ->
                val decoder = seen(alice, zoe, 30, camera)!!
                assertTrue(decoder.codec.startsWith("av01"), "$decoder")
                val failed = codecOf(zoe) { it.fallback != null }
                assertTrue("taken away" in assertIs<CodecFallback.Failed>(failed.fallback).reason)
                assertTrue(failed.codec.startsWith("av01"))
            }
        }
        assertEquals(0 to 0, encoders.open.get() to decoders.open.get())
    }

    @Test
    fun `an encoder that says that it broke is replaced`() {
        val encoders = FakeHardware(failAfter = 5, failing = { say -> say("too hot") })
        val codecs = Codecs(videoEncoders = encoders)
        meeting(codecs, Codecs(videoDecoders = FakeHardware())) { alice, zoe ->
            zoe.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15)).use { camera ->
                seen(alice, zoe, 20, camera)
                val failed = codecOf(zoe) { it.fallback != null }
                assertTrue("too hot" in assertIs<CodecFallback.Failed>(failed.fallback).reason)
            }
        }
        assertEquals(0, encoders.open.get())
    }

    @Test
    fun `a decoder that throws in mid-call is replaced from a key frame on`() {
        // It takes AV1, makes nothing of it, and breaks.
        val silent = CountDownLatch(3)
        val decoders =
            VideoDecoderFactory { _, _ ->
                object : VideoDecoder {
                    override val caps = VideoDecoderCaps("Silent", 0)

                    override fun decode(frame: EncodedFrame) {
                        frame.close()
                        silent.countDown()
                        check(silent.count > 0) { "taken away" }
                    }

                    override fun reset() = Unit

                    override fun flush() = Unit

                    override fun release() = Unit
                }
            }
        meeting(alices = Codecs(videoDecoders = decoders)) { alice, zoe ->
            zoe.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15)).use { camera ->
                val decoder = seen(alice, zoe, 5, camera)!!
                assertTrue("taken away" in assertIs<CodecFallback.Failed>(decoder.fallback).reason)
                assertTrue(silent.await(1, TimeUnit.SECONDS))
            }
        }
    }

    @Test
    fun `a codec that nobody here decodes is told`() {
        meeting(Codecs(videoEncoders = FakeHardware())) { alice, zoe ->
            zoe.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15)).use {
                alice.meeting.picture(zoe.id, Source.CAMERA, SHOWN).use { picture ->
                    val waiting = async { picture.next() }
                    val event = alice.sees<MeetingEvent.Codec> { it.state is CodecState.NoDecoder }
                    assertEquals(CodecState.NoDecoder(FakeHardware.CODEC, null), event.state)
                    assertEquals(zoe.id to "camera/180p", event.participant to event.track)
                    assertEquals(listOf(FakeHardware.CODEC), picture.undecodable())
                    picture.close()
                    assertNull(withTimeout(PATIENCE) { waiting.await() })
                }
            }
        }
    }

    @Test
    fun `a decoder that breaks in mid-call and has no other is told with its reason`() {
        val decoders = FakeHardware(failAfter = 10)
        meeting(Codecs(videoEncoders = FakeHardware()), Codecs(videoDecoders = decoders)) { alice, zoe ->
            zoe.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15)).use { camera ->
                val filming = film(camera::push)
                alice.meeting.picture(zoe.id, Source.CAMERA, SHOWN).use { picture ->
                    val watching = launch { picture.frames().collect {} }
                    val event = alice.sees<MeetingEvent.Codec> { it.state is CodecState.NoDecoder }
                    val none = event.state as CodecState.NoDecoder
                    assertEquals(FakeHardware.CODEC, none.codec)
                    assertTrue("taken away" in assertIs<CodecFallback.Failed>(none.fallback).reason, "$none")
                    withTimeout(PATIENCE) { while (picture.undecodable() != listOf(FakeHardware.CODEC)) delay(20) }
                    watching.cancelAndJoin()
                }
                filming.cancelAndJoin()
            }
        }
        assertEquals(0, decoders.open.get())
    }

    @Test
    fun `frames that the app encoded arrive as they are`() = meeting { alice, zoe ->
        val params = VideoParams(FakeHardware.CODEC, Media.WIDTH, Media.HEIGHT, 15.0, 500_000L, byteArrayOf(1, 2))
        val camera = zoe.meeting.cameraEncoded(listOf(params))
        val shown = alice.meeting.pictureEncoded(zoe.id, Source.CAMERA, SHOWN)
        val first = async { withTimeout(PATIENCE) { shown.next()!! } }
        withTimeout(PATIENCE) {
            while (camera.nextDemand() != EncodedDemand.Watched(0, true)) continue
            val sent = FakeHardware.pack(Media.pictures[7].duplicate())
            val captured = Meeting.clockUs()
            camera.push(0, sent, captured, key = true)
            first.await().use { picture ->
                assertEquals(captured, picture.frame.timestampUs)
                assertTrue(picture.frame.key)
                assertEquals(sent, picture.frame.payload)
                val begins = picture.begins!!
                assertEquals(FakeHardware.CODEC to Media.HEIGHT, begins.codec to begins.height)
                assertEquals(listOf<Byte>(1, 2), begins.config!!.toList())
            }
            shown.askKey()
            // What is asked while it waits is told as well.
            val next = async { shown.next() }
            while (camera.nextDemand() != EncodedDemand.KeyFrame(0)) continue
            camera.push(0, sent, captured + 66_000, key = true)
            next.await()!!.use { assertEquals(captured + 66_000 to null, it.frame.timestampUs to it.begins) }
            assertEquals(2, shown.stats().received)
            assertEquals("camera/180p" to 2L, camera.stats().single().let { it.track to it.encoded })
            for (layer in listOf(-1, 1)) {
                val none = assertFailsWith<ParvisException> { camera.push(layer, sent, captured, key = true) }
                assertEquals(ErrorKind.BAD_ARGUMENT, none.kind)
            }
            camera.mute()
            while (camera.nextDemand() != EncodedDemand.Paused(true)) continue
            alice.knows("the mute") { it.participant(zoe.id)?.media?.camera == MediaState.MUTED }
        }
        val waiting = async { camera.nextDemand() }
        shown.close()
        camera.close()
        assertTrue(withTimeout(PATIENCE) { waiting.await() } in listOf(null, EncodedDemand.Watched(0, false)))
    }
}
