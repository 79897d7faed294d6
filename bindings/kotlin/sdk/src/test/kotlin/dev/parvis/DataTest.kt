package dev.parvis

import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Test

/** Data of apps, and the network before a meeting. */
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
            val link = site.room()
            val alice = join(this, link, "Alice", site.administrator)
            alice.isIn()
            val zoe = join(this, link, "Zoé")
            alice.knows("for the lobby") { it.lobby.isNotEmpty() }
            alice.meeting.admit(Target.All)
            zoe.isIn()
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
    fun `a connection is tried before anybody is joined`() = runBlocking(Dispatchers.Default) {
        val report = Meeting.testConnection(site.room(), JoinOptions("Zoé", "device", trust = Trust.Anyone))
        assertTrue(report.isReachable, "$report")
        assertEquals(Transport.QUIC, report.transports.first().transport)
        assertEquals(ErrorKind.BAD_CODE, assertFailsWith<ParvisException> {
            Meeting.testConnection("hello", JoinOptions("Zoé", "device"))
        }.kind)
    }
}
