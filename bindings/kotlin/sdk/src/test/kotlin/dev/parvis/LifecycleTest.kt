package dev.parvis

import java.io.File
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicInteger
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Test

/** Cancelling, ending, freeing; and nothing grows. */
class LifecycleTest {
    companion object {
        private val site = Site()

        @JvmStatic
        @AfterAll
        fun stop() = site.close()
    }

    private fun test(body: suspend CoroutineScope.() -> Unit) =
        runBlocking(Dispatchers.Default) { coroutineScope { body() } }

    @Test
    fun `cancelling a join cancels the app's own ticket source`() = test {
        val asked = CompletableDeferred<Unit>()
        val cancelled = CompletableDeferred<Unit>()
        val never =
            Tickets.Of {
                asked.complete(Unit)
                try {
                    awaitCancellation()
                } finally {
                    cancelled.complete(Unit)
                }
            }
        val joining = launch { Meeting.join(site.room(), JoinOptions("Zoé", "device", never)) }
        withTimeout(PATIENCE) { asked.await() }
        joining.cancelAndJoin()
        withTimeout(PATIENCE) { cancelled.await() }
    }

    @Test
    fun `a picture that was waited for in vain comes later`() = test {
        val (alice, zoe) = two(site)
        alice.meeting.picture(zoe.id, Source.CAMERA, VideoTarget(320, 180)).use { picture ->
            assertNull(withTimeoutOrNull(200.milliseconds) { picture.next() })
            zoe.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15)).use { camera ->
                val filming = film(camera::push)
                withTimeout(PATIENCE) { assertNotNull(Media.number(picture.next()!!)) }
                filming.cancelAndJoin()
            }
            val waiting = async { withTimeout(PATIENCE) { while (true) (picture.next() ?: break).close() } }
            picture.close()
            waiting.await()
            picture.close()
        }
        listOf(alice, zoe).forEach(Person::close)
    }

    @Test
    fun `events that came before they were collected are not lost`() = test {
        val (alice, zoe) = two(site)
        val events = alice.meeting.events()
        zoe.meeting.raiseHand()
        zoe.meeting.leave()
        alice.knows("to be alone") { it.view?.participants?.size == 1 }
        val seen = mutableListOf<MeetingEvent>()
        withTimeout(PATIENCE) { events.first { event -> seen.add(event) && event is MeetingEvent.Left } }
        assertTrue(MeetingEvent.Hands(listOf(zoe.id)) in seen, "$seen")
        val rest = alice.meeting.events()
        alice.meeting.leave()
        val last = withTimeout(PATIENCE) { rest.toList() }.last()
        assertEquals(MeetingEvent.Phase(Phase.Disconnected(DisconnectReason.Left)), last)
        listOf(alice, zoe).forEach(Person::close)
    }

    @Test
    fun `whoever collects once more gets what happens from then on`() = test {
        val (alice, zoe) = two(site)
        val events = alice.meeting.events()
        zoe.meeting.raiseHand()
        assertEquals(MeetingEvent.Hands(listOf(zoe.id)), withTimeout(PATIENCE) { events.first { it is MeetingEvent.Hands } })
        val again = async(start = CoroutineStart.UNDISPATCHED) { events.first { it is MeetingEvent.Hands } }
        zoe.meeting.lowerHand()
        assertEquals(MeetingEvent.Hands(emptyList()), withTimeout(PATIENCE) { again.await() })
        alice.close()
        assertEquals(ErrorKind.LEFT, assertFailsWith<ParvisException> { events.toList() }.kind)
        zoe.close()
    }

    @Test
    fun `the plane of a frame that was forgotten holds`() = test {
        val (alice, zoe) = two(site)
        val camera = zoe.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15))
        val filming = film(camera::push)
        alice.meeting.picture(zoe.id, Source.CAMERA, VideoTarget(Media.WIDTH, Media.HEIGHT)).use { picture ->
            val luma = withTimeout(PATIENCE) { picture.next()!!.y.slice() }
            fun sum() = (0 until luma.capacity()).sumOf { luma.get(it).toLong() }
            val before = sum()
            repeat(2) { System.gc() }
            repeat(30) { withTimeout(PATIENCE) { picture.next()!!.close() } }
            assertEquals(before, sum())
        }
        filming.cancelAndJoin()
        listOf(camera, alice, zoe).forEach(AutoCloseable::close)
    }

    @Test
    fun `what was closed says so, and closing once more does nothing`() = test {
        val meeting = Meeting.join(site.room(), JoinOptions("Zoé", "device", trust = Trust.Anyone))
        meeting.close()
        meeting.close()
        val calls =
            listOf<suspend () -> Any>(
                { meeting.chat("?") },
                { meeting.leave() },
                { meeting.events() },
                { meeting.voice("p1") },
                { meeting.setReceive(Receive.LESS) },
            )
        for (call in calls) assertEquals(ErrorKind.LEFT, assertFailsWith<ParvisException> { call() }.kind)
        val left = withTimeout(PATIENCE) { meeting.waitFor { it.isConnected } }
        assertEquals(Phase.Disconnected(DisconnectReason.Left), left.phase)
    }

    @Test
    fun `frames and tracks are of no use once they are closed, and are closed once`() = test {
        val (alice, zoe) = two(site)
        val camera = zoe.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15))
        val microphone = zoe.meeting.microphone()
        val giving = listOf(film(camera::push), talk(microphone))
        val picture = alice.meeting.picture(zoe.id, Source.CAMERA, VideoTarget(Media.WIDTH, Media.HEIGHT))
        val voice = alice.meeting.voice(zoe.id)
        val (frame, sound) = withTimeout(PATIENCE) { picture.next()!! to voice.next()!! }
        assertTrue(frame.arrivedUs!! >= frame.timestampUs)
        assertEquals("camera/180p", picture.layer())
        giving.forEach { it.cancelAndJoin() }
        repeat(2) { listOf(frame, sound, picture, voice, camera, microphone).forEach(AutoCloseable::close) }
        val calls =
            listOf<suspend () -> Any>(
                { frame.y },
                { sound.samples },
                { picture.stats() },
                { camera.push(Media.picture(0)) },
                { camera.mute() },
                { microphone.push(Media.sounds[0]) },
                { microphone.unmute() },
            )
        for (call in calls) assertEquals(ErrorKind.LEFT, assertFailsWith<ParvisException> { call() }.kind)
        assertNull(picture.next())
        assertNull(voice.next())
        listOf(alice, zoe).forEach { it.meeting.leave(); it.close() }
    }

    @Test
    fun `a meeting that is closed without leaving is seen to be left`() = test {
        val (alice, zoe) = two(site)
        val camera = zoe.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15))
        val held = listOf(zoe.meeting.microphone(), zoe.meeting.mixer(), camera)
        zoe.close()
        alice.knows("to be alone") { it.view?.participants?.size == 1 }
        assertEquals(ErrorKind.LEFT, assertFailsWith<ParvisException> { camera.mute() }.kind)
        held.forEach(AutoCloseable::close)
        alice.close()
    }

    @Test
    fun `a meeting that was forgotten is left once the garbage collector finds it`() = test {
        val (alice, zoe) = two(site)
        alice.meeting.setAccess(AccessLevel.PUBLIC)
        val forgotten = isInAndForgotten("${site.url}/${alice.meeting.state.value.code}")
        alice.knows("to be one of three") { it.participants.size == 3 }
        withTimeout(PATIENCE) {
            while (alice.meeting.state.value.participants.size == 3) {
                System.gc()
                delay(50)
            }
            forgotten.first { it.phase == Phase.Disconnected(DisconnectReason.Left) }
        }
        listOf(alice, zoe).forEach { it.meeting.leave(); it.close() }
    }

    /** Comes in, and drops the meeting and what is open of it; returns what is known of it. */
    private suspend fun isInAndForgotten(link: String): StateFlow<MeetingState> {
        val meeting = Meeting.join(link, JoinOptions("Chloé", "device3", trust = Trust.Anyone))
        meeting.waitFor { it.isConnected }
        meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT))
        return meeting.state
    }

    @Test
    fun `what is known is never older than what was told`() = test {
        val (alice, zoe) = two(site)
        val told = Channel<Pair<List<String>, List<String>>>(Channel.UNLIMITED)
        val events = alice.meeting.events()
        val following = launch {
            events.collect { if (it is MeetingEvent.Hands) told.send(it.participants to alice.meeting.state.value.hands) }
        }
        suspend fun isTold(hands: List<String>) = assertEquals(hands to hands, withTimeout(PATIENCE) { told.receive() })
        repeat(20) {
            zoe.meeting.raiseHand()
            isTold(listOf(zoe.id))
            zoe.meeting.lowerHand()
            isTold(emptyList())
        }
        following.cancelAndJoin()
        for (person in listOf(zoe, alice)) {
            person.meeting.leave()
            assertEquals(Phase.Disconnected(DisconnectReason.Left), person.meeting.state.value.phase)
            person.close()
        }
    }

    @Test
    fun `a command that waits ends when the meeting is left`() = test {
        val (alice, zoe) = two(site)
        site.kill()
        val pending = zoe.meeting.chatPending("into the void")
        val waiting = listOf(async { runCatching { zoe.meeting.chat("too") } }, async { runCatching { pending.outcome() } })
        zoe.knows("the loss") { it.phase == Phase.Reconnecting }
        withTimeout(PATIENCE) { zoe.meeting.leave() }
        for (call in waiting) {
            val error = withTimeout(PATIENCE) { call.await() }.exceptionOrNull()
            assertEquals(ErrorKind.LEFT, assertIs<ParvisException>(error).kind)
        }
        site.startAgain()
        listOf(alice, zoe).forEach(Person::close)
    }

    @Test
    fun `ten thousand frames each way, and nothing grows`() = test {
        val (alice, zoe) = two(site)
        val camera = zoe.meeting.camera(VideoOptions(SMALL, SMALL, 60))
        val microphone = zoe.meeting.microphone()
        val (picture, voice) =
            alice.meeting.picture(zoe.id, Source.CAMERA, VideoTarget(SMALL, SMALL)) to alice.meeting.voice(zoe.id)
        val pushed = AtomicInteger()
        val (seen, heard) = AtomicInteger() to AtomicInteger()
        val filming =
            launch {
                while (isActive) {
                    camera.push(small(pushed.incrementAndGet()))
                    microphone.push(Media.sounds[pushed.incrementAndGet() % Media.sounds.size])
                    delay(1)
                }
            }
        val watching =
            launch {
                picture.frames().collect { frame ->
                    assertEquals(SMALL, frame.width)
                    seen.incrementAndGet()
                }
            }
        val listening =
            launch {
                voice.frames().collect { frame ->
                    assertEquals(Media.FRAME, frame.samples.remaining())
                    heard.incrementAndGet()
                }
            }
        suspend fun until(frames: Int) =
            withTimeout(600.seconds) {
                while (minOf(2 * seen.get(), 2 * heard.get(), pushed.get()) < frames) delay(20)
            }
        until(FRAMES / 4)
        val (resident, heap) = afterCollecting(heard)
        until(FRAMES)
        val (residentThen, heapThen) = afterCollecting(heard)
        val (grown, heapGrown) = residentThen - resident to heapThen - heap
        println("$seen pictures and $heard of sound came of $pushed; after a quarter ${grown / 1024} KiB more, on the heap ${heapGrown / 1024}")
        // If either kind were kept, it would be 14 MB at least.
        assertTrue(grown < 8L shl 20, "$grown bytes more")
        // The heap is there from the start. If what stands for either kind on it were kept, it would be 1 MB at least.
        assertTrue(heapGrown < 3L shl 18, "$heapGrown bytes of the heap more")
        watching.cancelAndJoin()
        filming.cancelAndJoin()
        listening.cancelAndJoin()
        listOf(picture, voice, camera, microphone).forEach(AutoCloseable::close)
        listOf(alice, zoe).forEach { it.meeting.leave(); it.close() }
        Threads.atRest()
    }

    private val pixels = ByteBuffer.allocateDirect(SMALL * SMALL)

    private fun small(index: Int): Picture {
        pixels.put(index % pixels.capacity(), index.toByte())
        val chroma = pixels.duplicate().limit(SMALL * SMALL / 4)
        return Picture(SMALL, SMALL, pixels.duplicate(), chroma, chroma.duplicate())
    }

    /** Bytes of the process, and the fewest that are in use on the JVM's heap. */
    private suspend fun afterCollecting(heard: AtomicInteger): Pair<Long, Long> {
        val heap =
            List(5) {
                // What was collected is taken note of when a frame is looked at.
                val before = heard.get()
                while (heard.get() < before + 5) delay(5)
                System.gc()
                Runtime.getRuntime().run { totalMemory() - freeMemory() }
            }
        return File("/proc/self/statm").readText().split(' ')[1].toLong() * 4096 to heap.min()
    }
}

private const val SMALL = 64
private const val FRAMES = 10_000
