package dev.parvis

import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Test

/** Data of apps, wishes to hosts, and the network before a meeting. */
class DataTest {
    companion object {
        private val site = Site()

        @JvmStatic
        @AfterAll
        fun stop() = site.close()
    }

    @Test
    fun `data of an app comes to whom it is for`() = runBlocking(Dispatchers.Default) {
        coroutineScope {
            val (alice, zoe) = two(site)
            val secrets = zoe.meeting.data("secret")
            val sent = byteArrayOf(0, -1, 7)
            alice.meeting.sendData("secret", sent, DataTarget.Some(listOf(zoe.id)))
            val came = withTimeout(PATIENCE) { secrets.first() }
            assertEquals(listOf(alice.id, "secret", true), listOf(came.from, came.topic, came.isPrivate))
            assertContentEquals(sent, came.payload)
            alice.meeting.sendData("cursor", sent)
            val tooMuch = ByteArray(10 * 1024 + 1)
            assertEquals(ErrorKind.TOO_LONG, assertFailsWith<ParvisException> { alice.meeting.sendData("x", tooMuch) }.kind)
            assertEquals(ErrorKind.MALFORMED, assertFailsWith<ParvisException> { alice.meeting.sendData("", sent) }.kind)
            listOf(zoe, alice).forEach { it.meeting.leave(); it.close() }
        }
    }

    @Test
    fun `hosts are told who would like to have it recorded or transcribed`() = runBlocking(Dispatchers.Default) {
        coroutineScope {
            val (alice, zoe) = two(site)
            zoe.meeting.requestRecording()
            zoe.meeting.requestTranscription()
            for (kind in listOf(CaptureKind.RECORDING, CaptureKind.TRANSCRIPTION)) {
                val told = MeetingEvent.CaptureRequested(kind, zoe.id)
                assertEquals(told, alice.sees<MeetingEvent.CaptureRequested>())
            }
            val again = assertFailsWith<ParvisException> { zoe.meeting.requestTranscription() }
            assertEquals(ErrorKind.RATE_LIMITED, again.kind)
            assertNotNull(again.retryAfter)
            listOf(zoe, alice).forEach { it.meeting.leave(); it.close() }
        }
    }

    @Test
    fun `how long chat is kept is told`() = runBlocking(Dispatchers.Default) {
        coroutineScope {
            val alice = join(this, site.room(), "Alice", site.administrator)
            assertEquals(1.minutes, alice.isIn().retention)
            alice.meeting.setHistory(HistoryPolicy.NONE)
            alice.knows("that nothing is kept") { it.retention == Duration.ZERO }
            alice.meeting.leave()
            alice.close()
        }
    }

    @Test
    fun `a connection is tried before anybody is joined`() = runBlocking(Dispatchers.Default) {
        val options = JoinOptions("Zoé", "device", trust = Trust.Anyone)
        val report = Meeting.testConnection(site.room(), options)
        assertTrue(report.isReachable && report.service > Duration.ZERO, "$report")
        assertEquals(listOf(Transport.QUIC, Transport.WEB_TRANSPORT), report.transports.map { it.transport })
        for (transport in report.transports) {
            assertNull(transport.failure)
            val path = assertNotNull(transport.path)
            assertTrue(path.handshake > Duration.ZERO && path.rtt > Duration.ZERO, "$path")
            assertEquals(Draft.D22 to 0, path.draft to path.unanswered)
            assertNotNull(path.answer)
            assertTrue(path.loss in 0.0..1.0)
            val capacity = assertNotNull(path.capacity)
            assertTrue(minOf(capacity.up, capacity.down) > 100_000, "$capacity")
        }
        val elsewhere = Tickets.Of { Ticket("pzoe", it.code, RelayAddress("moqt://127.0.0.1:9", null), "token", null, null) }
        val missed = options.copy(tickets = elsewhere, connectTimeout = 300.milliseconds)
        val lost = Meeting.testConnection(site.room(), missed)
        assertFalse(lost.isReachable)
        for (transport in lost.transports) {
            assertNull(transport.path)
            assertEquals(ErrorKind.UNREACHABLE to true, transport.failure!!.run { kind to isRetryable })
        }
        assertEquals(ErrorKind.BAD_CODE, assertFailsWith<ParvisException> { Meeting.testConnection("hello", options) }.kind)
    }
}
