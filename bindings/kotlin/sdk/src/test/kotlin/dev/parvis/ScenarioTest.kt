package dev.parvis

import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Test

/** bindings/SCENARIO.md, step by step. */
class ScenarioTest {
    @Test
    fun `one meeting from the lobby to the last goodbye`() =
        runBlocking(Dispatchers.Default) {
            Site().use { site -> coroutineScope { meet(site) } }
        }

    private suspend fun CoroutineScope.meet(site: Site) {
        val threads = Threads.atRest()
        val link = site.room()
        val brunosSession = site.account("Bruno", "bruno@example.org")

        // 1, 2: waiting, lobby.
        val chloe = join(this, link, "Chloé")
        chloe.knows("for the host") { it.phase == Phase.InLobby(Lobby.WaitingForHost) }
        val alice = join(this, link, "Alice", site.administrator)
        alice.isIn()
        chloe.knows("to be asked for") { (it.phase as? Phase.InLobby)?.lobby is Lobby.Waiting }
        val lobby = alice.knows("for Chloé in the lobby") { it.lobby.isNotEmpty() }.lobby
        assertEquals(listOf(chloe.id to "Chloé"), lobby.map { it.participant to it.name })

        // 3: admission.
        val admission = alice.meeting.admit(Target.One(chloe.id))
        assertEquals(1 to 0, admission.admitted to admission.waiting)
        for (person in listOf(alice, chloe)) {
            val known = person.knows("for two") { it.phase == Phase.Connected && it.view?.participants?.size == 2 }
            assertEquals(Role.OWNER, known.participant(alice.id)?.role)
            assertEquals(Role.GUEST, known.participant(chloe.id)?.role)
        }

        // 4: an account.
        val bruno = join(this, link, "Bruno", brunosSession)
        val all = listOf(alice, bruno, chloe)
        for (person in all) person.knows("for three") { it.view?.participants?.size == 3 }
        assertTrue(bruno.meeting.state.value.myself!!.signedIn)

        // 5: camera and microphone.
        val camera = chloe.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15))
        val microphone = chloe.meeting.microphone()
        val filming = film(camera::push)
        val talking = talk(microphone)
        val picture = alice.meeting.picture(chloe.id, Source.CAMERA, VideoTarget(Media.WIDTH, Media.HEIGHT))
        watch(picture, 20)
        val voice = alice.meeting.voice(chloe.id)
        listen(voice)
        assertTrue(camera.stats().any { it.watched && it.encoded > 0 })
        assertEquals("camera/180p", picture.stats().track)
        assertTrue(Threads.ofTheLibrary().containsAll(threads + "camera/180p" + "microphone"), "${Threads.ofTheLibrary()}")

        // 6: chat.
        alice.meeting.chat("Bonjour !")
        for (person in listOf(bruno, chloe)) {
            val message = person.sees<MeetingEvent.Chat>().message
            assertEquals("Alice" to "Bonjour !", message.name to message.text)
        }
        val pending = bruno.meeting.chatPending("À tous")
        val came = bruno.sees<MeetingEvent.Chat>().message
        assertEquals(pending.clientId to "À tous", came.clientId to came.text)
        assertEquals(came.seq, pending.outcome().seq)
        assertEquals(PendingState.Sent(pending.outcome()), pending.state)
        alice.meeting.chatPrivately(bruno.id, "entre nous")
        assertEquals("entre nous", bruno.sees<MeetingEvent.PrivateMessage>().message.text)
        val history = chloe.meeting.history()
        assertEquals(listOf("Bonjour !", "À tous"), history.messages.map { it.text })
        assertEquals(emptyList(), history.gaps)

        // 7: hands.
        chloe.meeting.raiseHand()
        bruno.meeting.raiseHand()
        for (person in all) person.knows("for both hands") { it.view?.hands == listOf(chloe.id, bruno.id) }
        assertEquals(2, alice.meeting.state.value.handPosition(bruno.id))
        alice.meeting.lowerHandOf(chloe.id)
        for (person in all) person.knows("for one hand") { it.view?.hands == listOf(bruno.id) }

        // 8: reaction.
        bruno.meeting.react(Emoji.CLAPPING_HANDS)
        for (person in listOf(alice, chloe)) {
            assertEquals(MeetingEvent.Reaction(bruno.id, Emoji.CLAPPING_HANDS), person.sees<MeetingEvent.Reaction>())
        }
        assertEquals("👏", Emoji.CLAPPING_HANDS.sign)

        // 9: screen.
        val screen = bruno.meeting.screen(VideoOptions(Media.WIDTH, Media.HEIGHT))
        val sharing = film(screen::push)
        chloe.meeting.picture(bruno.id, Source.SCREEN, VideoTarget(Media.WIDTH, Media.HEIGHT)).use { watch(it, 5) }
        sharing.cancelAndJoin()
        screen.turnOff()
        for (person in all) person.knows("for no screen") { it.participant(bruno.id)?.media?.screen == MediaState.OFF }

        // 10: mute.
        alice.meeting.mute(Target.One(chloe.id))
        assertEquals(MeetingEvent.Muted(Source.MICROPHONE, alice.id), chloe.sees<MeetingEvent.Muted>())
        for (person in all) {
            person.knows("for silence") { it.participant(chloe.id)?.media?.microphone == MediaState.MUTED }
        }
        microphone.unmute()
        for (person in all) {
            person.knows("for sound") { it.participant(chloe.id)?.media?.microphone == MediaState.ON }
        }
        listen(voice)

        // 11: refused.
        val refused = assertFailsWith<ParvisException> { chloe.meeting.mute(Target.All) }
        assertEquals(ErrorKind.FORBIDDEN, refused.kind)

        // 12: the relay dies.
        val before = alice.meeting.state.value.view!!.participants.map { it.id }.toSet()
        site.kill()
        for (person in all) person.knows("for the loss") { it.phase == Phase.Reconnecting }
        site.startAgain()
        for (person in all) {
            val known = person.isIn()
            assertEquals(before, known.view!!.participants.map { it.id }.toSet())
        }
        watch(picture, 5)
        bruno.meeting.chat("encore")
        for (person in all) person.sees<MeetingEvent.Chat> { it.message.text == "encore" }

        // 13: leaving.
        filming.cancelAndJoin()
        talking.cancelAndJoin()
        bruno.meeting.leave()
        for (person in listOf(alice, chloe)) {
            assertEquals(MeetingEvent.Left(bruno.id, LeaveReason.LEFT), person.sees<MeetingEvent.Left>())
        }
        chloe.meeting.leave()
        alice.meeting.leave()
        for (person in all) {
            person.knows("to be out") { it.phase == Phase.Disconnected(DisconnectReason.Left) }
            for (call in listOf<suspend () -> Any>({ person.meeting.chat("?") }, { person.meeting.leave() })) {
                assertEquals(ErrorKind.LEFT, assertFailsWith<ParvisException> { call() }.kind)
            }
        }
        assertEquals(ErrorKind.LEFT, assertFailsWith<ParvisException> { camera.push(Media.picture(0)) }.kind)
        listOf(picture, voice, camera, microphone, screen).forEach(AutoCloseable::close)
        all.forEach(Person::close)

        // 14: nothing is left.
        assertEquals(threads, Threads.atRest())
    }

    /** Takes pictures, which have the numbers of the file in their order. */
    private suspend fun watch(picture: RemotePicture, count: Int) =
        withTimeout(PATIENCE) {
            val numbers = mutableListOf<Int>()
            while (numbers.size < count) {
                picture.next()!!.use { frame ->
                    assertEquals(Media.WIDTH to Media.HEIGHT, frame.width to frame.height)
                    numbers += Media.number(frame) ?: error("a picture without a number after $numbers")
                }
            }
            val isInOrder = numbers.zipWithNext().all { (a, b) -> b > a || b < a && a > 30 && b < 15 }
            assertTrue(isInOrder && numbers.all { it in Media.pictures.indices }, "$numbers")
        }
}
