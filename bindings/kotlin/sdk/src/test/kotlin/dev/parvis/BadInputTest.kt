package dev.parvis

import java.nio.ByteBuffer
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Test

/** What goes wrong is a [ParvisException] of its own kind. */
class BadInputTest {
    companion object {
        private val site = Site()

        @JvmStatic
        @AfterAll
        fun stop() = site.close()
    }

    private fun test(body: suspend CoroutineScope.() -> Unit) =
        runBlocking(Dispatchers.Default) { coroutineScope { body() } }

    private suspend fun refusal(call: suspend () -> Any?): ParvisException = assertFailsWith<ParvisException> { call() }

    private val options = JoinOptions("Zoé", "device", trust = Trust.Anyone)

    /** A ticket of the service, changed. */
    private fun tickets(change: (Ticket) -> Ticket) =
        Tickets.Of { request ->
            val answer = site.ticket(request.code, request.name)
            val relay = RelayAddress(Site.field(answer, "url")!!, Site.field(answer, "fingerprint"))
            val token = Site.field(answer, "token")!!
            change(Ticket(Site.field(answer, "participant")!!, request.code, relay, token, null, null))
        }

    @Test
    fun `a link that is none`() = test {
        for (link in listOf("", "hello", "https://meet.example/", "abc-defg-hi", "\u0000".repeat(5000))) {
            assertEquals(ErrorKind.BAD_CODE, refusal { Meeting.join(link, options) }.kind)
            assertEquals(ErrorKind.BAD_CODE, refusal { Meeting.roomCode(link) }.kind)
        }
        assertEquals("abc-defg-hij", Meeting.roomCode("https://meet.example/ABCdefgHIJ?x=1"))
    }

    @Test
    fun `a bare code without a site, and a name that is none`() = test {
        assertEquals(ErrorKind.NO_SITE, refusal { Meeting.join("abc-defg-hij", options) }.kind)
        val unnamed = options.copy(name = " ")
        assertEquals(ErrorKind.BAD_NAME, refusal { Meeting.join(site.room(), unnamed) }.kind)
    }

    @Test
    fun `a service or a relay that does not answer may do so later`() = test {
        val service = refusal { Meeting.join("http://127.0.0.1:9/abc-defg-hij", options) }
        assertEquals(ErrorKind.SERVICE_UNAVAILABLE to true, service.kind to service.isRetryable)
        val elsewhere = tickets { it.copy(relay = RelayAddress("moqt://127.0.0.1:9", null)) }
        val hurried = options.copy(tickets = elsewhere, connectTimeout = 300.milliseconds)
        val relay = refusal { Meeting.join(site.room(), hurried) }
        assertEquals(ErrorKind.UNREACHABLE to true, relay.kind to relay.isRetryable)
    }

    @Test
    fun `a relay that is another one`() = test {
        val pinned = options.copy(trust = Trust.Fingerprint("00".repeat(32)))
        assertEquals(ErrorKind.CERTIFICATE_REJECTED, refusal { Meeting.join(site.room(), pinned) }.kind)
        val unreadable = options.copy(trust = Trust.Fingerprint("no digits"))
        assertEquals(ErrorKind.BAD_TRUST, refusal { Meeting.join(site.room(), unreadable) }.kind)
        val absent = options.copy(trust = Trust.AuthorityFile("/no/such/file.pem"))
        assertEquals(ErrorKind.BAD_TRUST, refusal { Meeting.join(site.room(), absent) }.kind)
    }

    @Test
    fun `an authority of the site that cannot be read`() = test {
        val absent = refusal { Meeting.join(site.room(), options.copy(authority = "/no/such/file.pem")) }
        assertEquals(ErrorKind.SERVICE_UNAVAILABLE, absent.kind)
        assertTrue("/no/such/file.pem" in absent.message, absent.message)
    }

    @Test
    fun `a token that has expired, and one that is none`() = test {
        for (token in listOf<(String) -> String>(site::expired, { "nonsense" })) {
            val bad = options.copy(tickets = tickets { it.copy(token = token(it.token)) })
            val refused = refusal { Meeting.join(site.room(), bad) }
            assertEquals(ErrorKind.NOT_LET_IN to true, refused.kind to refused.isAuth)
        }
        val good = options.copy(tickets = tickets { it })
        Meeting.join(site.room(), good).use { it.leave() }
    }

    @Test
    fun `a ticket of nobody`() = test {
        val nobody = options.copy(tickets = tickets { it.copy(participant = "No Body") })
        assertEquals(ErrorKind.BAD_ARGUMENT, refusal { Meeting.join(site.room(), nobody) }.kind)
    }

    @Test
    fun `what a ticket source throws comes out of join`() = test {
        val denied = Tickets.Of { throw ParvisException(ErrorKind.PERMISSION_DENIED, "signed out") }
        val refused = refusal { Meeting.join(site.room(), options.copy(tickets = denied)) }
        assertEquals(ErrorKind.PERMISSION_DENIED to "signed out", refused.kind to refused.message)
        val full = Tickets.Of { throw ParvisException(ErrorKind.ROOM_FULL, "full") }
        assertEquals(ErrorKind.ROOM_FULL, refusal { Meeting.join(site.room(), options.copy(tickets = full)) }.kind)
        for (bug in listOf<() -> Nothing>({ error("a bug") }, { throw NotImplementedError("a bug") })) {
            val broken = refusal { Meeting.join(site.room(), options.copy(tickets = Tickets.Of { bug() })) }
            assertEquals(ErrorKind.CALLBACK, broken.kind)
            assertTrue("a bug" in broken.message, broken.message)
        }
    }

    @Test
    fun `an error of the app's own is as others of its kind, unless it says so`() = test {
        fun told(error: ParvisException) = listOf(error.isRetryable, error.isAuth, error.retryAfter)
        for ((own, wanted) in listOf(
            ParvisException(ErrorKind.NOT_LET_IN, "?") to listOf(false, true, null),
            ParvisException(ErrorKind.SERVICE_UNAVAILABLE, "?") to listOf(true, false, null),
            ParvisException(ErrorKind.FORBIDDEN, "?") to listOf(false, false, null),
            ParvisException(ErrorKind.FORBIDDEN, "?", retryAfter = 3.seconds) to listOf(true, false, 3.seconds),
            ParvisException(ErrorKind.LOST, "?", isRetryable = false, isAuth = true) to listOf(false, true, null),
        )) {
            assertEquals(wanted, told(own))
            assertEquals(wanted, told(refusal { Meeting.join(site.room(), options.copy(tickets = Tickets.Of { throw own })) }))
        }
    }

    @Test
    fun `a text that is no Unicode`() = test {
        val half = "a\ud800"
        val alice = join(this, site.room(), "Alice", site.administrator)
        alice.isIn()
        val calls =
            listOf<suspend () -> Any>(
                { alice.meeting.chat(half) },
                { alice.meeting.voice(half) },
                { Meeting.roomCode(half) },
                { Meeting.join(site.room(), options.copy(name = half)) },
                { Meeting.join(site.room(), options.copy(tickets = tickets { it.copy(token = half) })) },
            )
        for ((index, call) in calls.withIndex()) assertEquals(ErrorKind.BAD_ARGUMENT, refusal(call).kind, "$index")
        val own = Tickets.Of { throw ParvisException(ErrorKind.ROOM_FULL, half) }
        assertEquals(ErrorKind.ROOM_FULL, refusal { Meeting.join(site.room(), options.copy(tickets = own)) }.kind)
        alice.meeting.leave()
        alice.close()
    }

    @Test
    fun `a panic of the library is told as an error`() = test {
        val bug = refusal { inLibrary { throw dev.parvis.ffi.InternalException("index out of bounds") } }
        assertEquals(ErrorKind.UNKNOWN, bug.kind)
        assertTrue("index out of bounds" in bug.message, bug.message)
    }

    @Test
    fun `a host who denies`() = test {
        val link = site.room()
        val alice = join(this, link, "Alice", site.administrator)
        alice.isIn()
        val zoe = join(this, link, "Zoé")
        alice.knows("for the lobby") { it.lobby.isNotEmpty() }
        alice.meeting.deny(Target.All)
        assertFalse(zoe.meeting.state.value.isConnected)
        val state = zoe.knows("for an answer") { it.isTurnedAway }
        assertNotNull(((state.phase as Phase.InLobby).lobby as Lobby.Denied).retryAfter)
        val early = refusal { zoe.meeting.knock() }
        assertEquals(ErrorKind.DENIED, early.kind)
        assertNotNull(early.retryAfter)
        assertTrue(early.isRetryable)
        listOf(zoe, alice).forEach { it.meeting.leave(); it.close() }
    }

    @Test
    fun `no permission for the microphone`() = test {
        val alice = join(this, site.room(), "Alice", site.administrator)
        alice.isIn()
        val refused = refusal { alice.meeting.microphone(Capturing { throw ParvisException(ErrorKind.PERMISSION_DENIED, "no") }) }
        assertEquals(ErrorKind.PERMISSION_DENIED to "no", refused.kind to refused.message)
        assertEquals(MediaState.OFF, alice.meeting.state.value.myself!!.media.microphone)
        val broken = refusal { alice.meeting.microphone(Capturing { error("a bug") }) }
        assertEquals(ErrorKind.CALLBACK, broken.kind)
        // Neither is on, so this is the first.
        val capturing = Capturing {}
        alice.meeting.microphone(capturing).use {
            assertTrue(capturing.started)
            assertEquals(ErrorKind.TRACK_EXISTS, refusal { alice.meeting.microphone() }.kind)
            assertFalse(capturing.stopped)
        }
        assertTrue(capturing.stopped)
        alice.meeting.leave()
        alice.close()
    }

    @Test
    fun `a capture that throws when it is started or stopped`() = test {
        val alice = join(this, site.room(), "Alice", site.administrator)
        alice.isIn()
        val size = VideoOptions(Media.WIDTH, Media.HEIGHT)
        val taken = Filming(start = { throw ParvisException(ErrorKind.PERMISSION_DENIED, "no") })
        val refused = refusal { alice.meeting.camera(taken, size) }
        assertEquals(ErrorKind.PERMISSION_DENIED to "no", refused.kind to refused.message)
        assertEquals(ErrorKind.CALLBACK, refusal { alice.meeting.camera(Filming(start = { TODO("a bug") }), size) }.kind)
        // Neither is on, so this is the first.
        alice.meeting.camera(Filming(stop = { error("a bug") }), size).use { camera ->
            val broken = refusal { camera.turnOff() }
            assertEquals(ErrorKind.CALLBACK, broken.kind)
            assertTrue("a bug" in broken.message, broken.message)
            assertEquals(ErrorKind.LEFT, refusal { camera.turnOff() }.kind)
        }
        alice.knows("for no camera") { it.myself?.media?.camera == MediaState.OFF }
        alice.meeting.leave()
        alice.close()
    }

    @Test
    fun `pictures and sounds that are none`() = test {
        val alice = join(this, site.room(), "Alice", site.administrator)
        alice.isIn()
        assertEquals(ErrorKind.BAD_ARGUMENT, refusal { alice.meeting.camera(VideoOptions(0, 180)) }.kind)
        alice.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT)).use { camera ->
            val good = Media.picture(0)
            val empty = ByteBuffer.allocateDirect(0)
            val heap = ByteBuffer.allocate(Media.WIDTH * Media.HEIGHT)
            val bad =
                listOf(
                    Picture(good.width, good.height, empty, good.u, good.v),
                    Picture(good.width, good.height, heap, good.u, good.v),
                    Picture(good.width, good.height, good.y, good.u, good.v, yStride = 1),
                    Picture(good.width / 2, good.height, good.y, good.u, good.v),
                    Picture(-1, Int.MIN_VALUE, good.y, good.u, good.v),
                    Picture(good.width, good.height, good.y, good.u, good.v, rotation = Rotation.CLOCKWISE),
                )
            for (picture in bad) assertEquals(ErrorKind.BAD_FRAME, refusal { camera.push(picture) }.kind)
            camera.push(good)
        }
        alice.meeting.microphone(AudioOptions(2)).use { microphone ->
            val odd = refusal { microphone.pushShorts(ByteBuffer.allocateDirect(6)) }
            assertEquals(ErrorKind.BAD_FRAME, odd.kind)
        }
        assertEquals(ErrorKind.BAD_ARGUMENT, refusal { alice.meeting.microphone(AudioOptions(3)) }.kind)
        assertEquals(ErrorKind.BAD_ARGUMENT, refusal { alice.meeting.voice("No Body") }.kind)
        alice.meeting.mixer(2).use { mixer ->
            for (size in listOf(0, 1, 961)) assertEquals(ErrorKind.BAD_ARGUMENT, refusal { mixer.fill(FloatArray(size)) }.kind, "$size")
            val out = FloatArray(960) { 1f }
            mixer.fill(out)
            assertEquals(0f, out.max())
        }
        alice.meeting.leave()
        alice.close()
    }

    @Test
    fun `messages that are none`() = test {
        val alice = join(this, site.room(), "Alice", site.administrator)
        alice.isIn()
        assertEquals(ErrorKind.EMPTY, refusal { alice.meeting.chat(" \n ") }.kind)
        assertEquals(ErrorKind.TOO_LONG, refusal { alice.meeting.chat("é".repeat(2001)) }.kind)
        assertEquals(ErrorKind.NOT_PRESENT, refusal { alice.meeting.chatPrivately("pnobody", "psst") }.kind)
        assertEquals(ErrorKind.LAST_OWNER, refusal { alice.meeting.setRole(alice.id, Role.GUEST) }.kind)
        assertEquals(ErrorKind.BAD_NAME, refusal { alice.meeting.rename("") }.kind)
        alice.meeting.leave()
        alice.close()
    }
}

/** A capture of pictures that does as it is told. */
private class Filming(private val start: () -> Unit = {}, private val stop: () -> Unit = {}) : CameraCapture {
    override suspend fun open() = Unit

    override fun start(camera: Camera) = start.invoke()

    override fun stop() = stop.invoke()
}

/** A capture that does as it is told when it is opened. */
private class Capturing(private val opening: suspend () -> Unit) : AudioCapture {
    @Volatile
    var started = false

    @Volatile
    var stopped = false

    override suspend fun open() = opening()

    override fun start(microphone: Microphone) {
        started = true
    }

    override fun stop() {
        stopped = true
    }
}
