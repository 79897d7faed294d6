package dev.parvis

import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Test

/** What a host asks for is what the others are told. */
class HostsTest {
    companion object {
        private val site = Site()

        @JvmStatic
        @AfterAll
        fun stop() = site.close()
    }

    private fun test(body: suspend CoroutineScope.() -> Unit) =
        runBlocking(Dispatchers.Default) { coroutineScope { body() } }

    private suspend fun refusal(call: suspend () -> Any?): ErrorKind = assertFailsWith<ParvisException> { call() }.kind

    private suspend fun Person.seesPolicy(wanted: (Policy) -> Boolean) = sees<MeetingEvent.Policy> { wanted(it.policy) }

    private suspend fun Person.seesChange(who: Person, wanted: (Participant) -> Boolean) =
        sees<MeetingEvent.Changed> { it.participant.id == who.id && wanted(it.participant) }

    private suspend fun Person.seesHands(vararg whose: Person) =
        sees<MeetingEvent.Hands> { hands -> hands.participants == whose.map { it.id } }

    @Test
    fun `a host is told how many come in, and how many wait still`() = test {
        val link = site.room()
        val alice = join(this, link, "Alice", site.administrator)
        alice.isIn()
        val zoe = join(this, link, "Zoé")
        alice.knows("for one") { it.lobby.size == 1 }
        val chloe = join(this, link, "Chloé")
        alice.knows("for two") { it.lobby.size == 2 }
        val first = alice.meeting.admit(Target.One(zoe.id))
        assertEquals(1 to 1, first.admitted to first.waiting)
        val rest = alice.meeting.admit(Target.All)
        assertEquals(1 to 0, rest.admitted to rest.waiting)
        assertEquals(ErrorKind.ALREADY_DECIDED, refusal { alice.meeting.admit(Target.One(zoe.id)) })
        val said = alice.meeting.chat("bonjour")
        assertEquals(null to null, said.admitted to said.waiting)
        for (person in listOf(zoe, chloe, alice)) {
            person.isIn()
            person.meeting.leave()
            person.close()
        }
    }

    @Test
    fun `what a host sets is what others see`() = test {
        val (alice, zoe) = two(site)
        val host = alice.meeting
        host.setAccess(AccessLevel.PUBLIC)
        zoe.seesPolicy { it.access == AccessLevel.PUBLIC }
        assertEquals(ErrorKind.FORBIDDEN, refusal { host.setAccess(AccessLevel.TRUSTED, "elsewhere") })
        host.setAccess(AccessLevel.RESTRICTED)
        zoe.seesPolicy { it.access == AccessLevel.RESTRICTED }
        for (gate in listOf(false, true)) {
            host.setHostGate(gate)
            zoe.seesPolicy { it.hostGate == gate }
        }
        host.setHistory(HistoryPolicy.NONE)
        zoe.seesPolicy { it.history == HistoryPolicy.NONE }
        for (locked in listOf(true, false)) {
            host.lock(locked)
            assertEquals(MeetingEvent.Locked(locked), zoe.sees<MeetingEvent.Locked>())
        }

        host.forbid(Source.SCREEN, true)
        assertEquals(ForbiddenSources(false, false, true), zoe.sees<MeetingEvent.Forbidden>().sources)
        val screen = VideoOptions(Media.WIDTH, Media.HEIGHT)
        assertEquals(ErrorKind.FORBIDDEN, refusal { zoe.meeting.screen(screen) })
        host.forbid(Source.SCREEN, false)
        assertEquals(ForbiddenSources(false, false, false), zoe.sees<MeetingEvent.Forbidden>().sources)

        host.renameOther(zoe.id, "Zoé B.")
        zoe.seesChange(zoe) { it.name == "Zoé B." }
        zoe.meeting.rename("Zoé")
        alice.seesChange(zoe) { it.name == "Zoé" }
        zoe.meeting.raiseHand()
        zoe.seesHands(zoe)
        host.lowerHandOf(zoe.id)
        zoe.seesHands()
        zoe.meeting.raiseHand()
        host.raiseHand()
        zoe.seesHands(zoe, alice)
        assertEquals(listOf(zoe.id, alice.id), zoe.meeting.state.value.hands)
        host.lowerAllHands()
        zoe.seesHands()

        zoe.meeting.requestRecording()
        zoe.meeting.requestTranscription()
        for (kind in listOf(CaptureKind.RECORDING, CaptureKind.TRANSCRIPTION)) {
            assertEquals(MeetingEvent.CaptureRequested(kind, zoe.id), alice.sees<MeetingEvent.CaptureRequested>())
        }
        // Nobody runs a service that would take them on.
        assertNotNull(host.startTranscription(Language.AUTO, record = true).capture)
        val failed = List(2) {
            val event = zoe.sees<MeetingEvent.Capture> { it.capture.status == CaptureStatus.FAILED_TO_START }
            assertEquals(CaptureFailure.SERVICE_UNAVAILABLE, event.capture.failure)
            event.capture.language
        }
        assertEquals(setOf(Language.AUTO, null), failed.toSet())
        assertNotNull(host.startRecording().capture)
        assertEquals(ErrorKind.NOT_RECORDING, refusal { host.stopTranscription() })
        assertEquals(ErrorKind.NOT_SIGNED_IN, refusal { host.setRole(zoe.id, Role.MEMBER) })
        host.remove(zoe.id)
        zoe.knows("to be removed") { it.phase == Phase.Disconnected(DisconnectReason.Removed) }
        assertEquals(MeetingEvent.Left(zoe.id, LeaveReason.REMOVED), alice.sees<MeetingEvent.Left>())
        host.leave()
        listOf(zoe, alice).forEach(Person::close)
    }

    @Test
    fun `who becomes a host may do what was refused before`() = test {
        val link = site.room()
        val alice = join(this, link, "Alice", site.administrator)
        alice.isIn()
        val bruno = join(this, link, "Bruno", site.account("Bruno", "bruno@example.org"))
        bruno.isIn()
        val member = bruno.meeting
        val refused =
            listOf<suspend () -> Any>(
                { member.admit(Target.All) },
                { member.deny(Target.All) },
                { member.forbid(Source.CAMERA, true) },
                { member.lowerHandOf(alice.id) },
                { member.lowerAllHands() },
                { member.renameOther(alice.id, "A.") },
                { member.setRole(alice.id, Role.GUEST) },
                { member.setAccess(AccessLevel.PUBLIC) },
                { member.setHostGate(false) },
                { member.setHistory(HistoryPolicy.NONE) },
                { member.lock(true) },
                { member.remove(alice.id) },
                { member.startRecording() },
                { member.stopRecording() },
                { member.startTranscription(Language.FR) },
                { member.stopTranscription() },
                { member.endForAll() },
            )
        for ((index, call) in refused.withIndex()) assertEquals(ErrorKind.FORBIDDEN, refusal(call), "$index")

        alice.meeting.setRole(bruno.id, Role.ADMINISTRATOR)
        for (person in listOf(alice, bruno)) person.seesChange(bruno) { it.role == Role.ADMINISTRATOR }
        member.lock(true)
        alice.knows("the lock") { it.view?.locked == true }
        // Nobody is above its owner.
        assertEquals(ErrorKind.FORBIDDEN, refusal { member.remove(alice.id) })
        alice.meeting.endForAll()
        for (person in listOf(alice, bruno)) {
            person.knows("the end") { it.phase == Phase.Disconnected(DisconnectReason.RoomEnded) }
            person.close()
        }
    }
}
