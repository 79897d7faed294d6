package dev.parvis

import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test

class HostsTest {
    @Test
    fun `what a host sets is what everybody sees`() = runBlocking(Dispatchers.Default) {
        Site().use { site ->
            coroutineScope {
                val (alice, zoe) = two(site)
                val host = alice.meeting
                suspend fun sees(what: String, holds: (RoomView) -> Boolean) =
                    zoe.knows("to see $what") { state -> state.view?.let(holds) == true }

                for (level in listOf(AccessLevel.PUBLIC, AccessLevel.RESTRICTED)) {
                    host.setAccess(level)
                    sees("$level") { it.policy.access == level }
                }
                for (gate in listOf(false, true)) {
                    host.setHostGate(gate)
                    sees("the gate $gate") { it.policy.hostGate == gate }
                }
                host.setHistory(HistoryPolicy.NONE)
                sees("no history") { it.policy.history == HistoryPolicy.NONE }
                for (locked in listOf(true, false)) {
                    host.lock(locked)
                    sees("locked: $locked") { it.locked == locked }
                }

                host.forbid(Source.SCREEN, true)
                sees("screens forbidden") { it.forbidden == ForbiddenSources(false, false, true) }
                val screen = VideoOptions(Media.WIDTH, Media.HEIGHT)
                assertEquals(ErrorKind.FORBIDDEN, assertFailsWith<ParvisException> { zoe.meeting.screen(screen) }.kind)
                host.forbid(Source.SCREEN, false)
                sees("screens allowed") { it.forbidden == ForbiddenSources(false, false, false) }

                host.renameOther(zoe.id, "Zoé B.")
                sees("the new name") { room -> room.participants.single { it.id == zoe.id }.name == "Zoé B." }
                zoe.meeting.raiseHand()
                host.lowerHandOf(zoe.id)
                sees("no hand") { it.hands.isEmpty() }
                zoe.meeting.raiseHand()
                host.raiseHand()
                sees("two hands") { it.hands == listOf(zoe.id, alice.id) }
                host.lowerAllHands()
                sees("no hands") { it.hands.isEmpty() }

                host.remove(zoe.id)
                zoe.knows("to be removed") { it.phase == Phase.Disconnected(DisconnectReason.Removed) }
                host.endForAll()
                alice.knows("the end") { it.phase == Phase.Disconnected(DisconnectReason.RoomEnded) }
                listOf(zoe, alice).forEach(Person::close)
            }
        }
    }
}
