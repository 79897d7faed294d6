package dev.parvis.hello

import dev.parvis.Person
import dev.parvis.Site
import dev.parvis.Source
import dev.parvis.Target
import dev.parvis.VideoTarget
import dev.parvis.join
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Test

class HelloRoomTest {
    @Test
    fun `it is let in, is seen, says who is there, and leaves when it is told to`() =
        runBlocking(Dispatchers.Default) {
            Site().use { site ->
                coroutineScope {
                    val link = site.room()
                    val said = Channel<String>(Channel.UNLIMITED)
                    val hello = launch { helloRoom(link, "Zoé") { said.trySend(it) } }
                    assertEquals("waiting for the host", withTimeout(60.seconds) { said.receive() })
                    val alice: Person = join(this, link, "Alice", site.administrator)
                    alice.isIn()
                    alice.knows("for the lobby") { it.lobby.isNotEmpty() }
                    alice.meeting.admit(Target.All)
                    val line = withTimeout(60.seconds) { said.receive() }
                    assertTrue(line.startsWith("Zoé is in ") && line.endsWith(" with 1 others"), line)
                    val known = alice.knows("for Zoé") { it.view?.participants?.size == 2 }
                    val zoe = known.view!!.participants.first { it.id != alice.id }
                    alice.meeting.picture(zoe.id, Source.CAMERA, VideoTarget(320, 180)).use { picture ->
                        withTimeout(60.seconds) { picture.next()!!.use { assertEquals(180, it.height) } }
                    }
                    alice.meeting.chat("salut")
                    assertEquals("Alice: salut", withTimeout(60.seconds) { said.receive() })
                    alice.meeting.chat("bye")
                    withTimeout(60.seconds) { hello.join() }
                    alice.knows("to be alone") { it.view?.participants?.size == 1 }
                    alice.meeting.leave()
                    alice.close()
                }
            }
        }

    @Test
    fun `it ends when a host says no`() =
        runBlocking(Dispatchers.Default) {
            Site().use { site ->
                coroutineScope {
                    val link = site.room()
                    val alice = join(this, link, "Alice", site.administrator)
                    alice.isIn()
                    val said = Channel<String>(Channel.UNLIMITED)
                    val hello = launch { helloRoom(link, "Zoé") { said.trySend(it) } }
                    alice.knows("for the lobby") { it.lobby.isNotEmpty() }
                    alice.meeting.deny(Target.All)
                    withTimeout(60.seconds) { hello.join() }
                    val line = said.receive()
                    assertTrue(line.startsWith("not let in: "), line)
                    alice.meeting.leave()
                    alice.close()
                }
            }
        }
}
