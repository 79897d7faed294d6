package dev.parvis

import java.util.concurrent.CountDownLatch
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.coroutines.CoroutineContext
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Test

/** Who gives up, however late, leaves nothing behind: no ghost in the meeting, no camera that films. */
class CancellationTest {
    private fun test(body: suspend CoroutineScope.(Site) -> Unit) =
        runBlocking(Dispatchers.Default) { Site().use { site -> coroutineScope { body(site) } } }

    @Test
    fun `a join that is given up when its answer is there leaves nobody in the meeting`() = test { site ->
        val (alice, zoe) = two(site)
        alice.meeting.setAccess(AccessLevel.PUBLIC)
        val link = "${site.url}/${alice.meeting.state.value.code}"
        val ghost = Busy.cancelledAtTheEnd { Meeting.join(link, JoinOptions("Ghost", "device9", trust = Trust.Anyone)) }
        assertTrue(ghost.isCancelled)
        // Whoever comes now finds two, and stays the third: the ghost is gone without the garbage collector's help.
        val chloe = join(this, link, "Chloé")
        chloe.knows("to be the third") { known -> known.view?.participants?.map { it.name } == listOf("Chloé", "Alice", "Zoé") }
        listOf(chloe, zoe, alice).forEach { it.meeting.leave(); it.close() }
    }

    @Test
    fun `a camera that is given up when it is on is off again, and its capture stopped`() = test { site ->
        val (alice, zoe) = two(site)
        val capture = Recorded()
        Busy.cancelledAtTheEnd { zoe.meeting.camera(capture, VideoOptions(Media.WIDTH, Media.HEIGHT)) }
        withTimeout(PATIENCE) { capture.stopped.await() }
        assertEquals(listOf("open", "start", "stop"), capture.calls)
        zoe.knows("for no camera") { it.myself?.media?.camera == MediaState.OFF }
        zoe.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT)).close()
        listOf(zoe, alice).forEach { it.meeting.leave(); it.close() }
    }

    @Test
    fun `a capture is stopped when whoever waits for its camera gives up`() = test { site ->
        val (alice, zoe) = two(site)
        site.kill()
        zoe.knows("the loss") { it.phase == Phase.Reconnecting }
        val capture = Recorded()
        val waiting = launch { zoe.meeting.camera(capture, VideoOptions(Media.WIDTH, Media.HEIGHT)) }
        withTimeout(PATIENCE) { capture.opened.await() }
        waiting.cancelAndJoin()
        withTimeout(PATIENCE) { capture.stopped.await() }
        assertEquals(listOf("open", "stop"), capture.calls)
        listOf(zoe, alice).forEach(Person::close)
    }

    @Test
    fun `a capture that still opens when nobody wants it any more is stopped once it is open`() = test { site ->
        val (alice, zoe) = two(site)
        for (turnOn in listOf<suspend (Recorded) -> AutoCloseable>(
            { zoe.meeting.camera(it, VideoOptions(Media.WIDTH, Media.HEIGHT)) },
            { zoe.meeting.screen(it, VideoOptions(Media.WIDTH, Media.HEIGHT)) },
            { zoe.meeting.microphone(it) },
        )) {
            val opens = CompletableDeferred<Unit>()
            val capture = Recorded {
                withContext(NonCancellable) { opens.await() }
                calls += "opened"
            }
            val waiting = launch { turnOn(capture) }
            withTimeout(PATIENCE) { capture.opened.await() }
            waiting.cancelAndJoin()
            opens.complete(Unit)
            withTimeout(PATIENCE) { capture.stopped.await() }
            assertEquals(listOf("open", "opened", "stop"), capture.calls)
        }
        listOf(zoe, alice).forEach { it.meeting.leave(); it.close() }
    }

    @Test
    fun `a capture is stopped when the meeting is over, and nothing more is taken`() = test { site ->
        for (end in listOf<suspend (alice: Person, zoe: Person) -> Unit>(
            { _, zoe -> zoe.meeting.leave() },
            { alice, zoe -> alice.meeting.remove(zoe.id) },
            { alice, _ -> alice.meeting.endForAll() },
        )) {
            val (alice, zoe) = two(site)
            val captures = List(2) { Recorded() }
            val camera = zoe.meeting.camera(captures[0], VideoOptions(Media.WIDTH, Media.HEIGHT))
            val microphone = zoe.meeting.microphone(captures[1])
            end(alice, zoe)
            for (capture in captures) {
                withTimeout(PATIENCE) { capture.stopped.await() }
                assertEquals(listOf("open", "start", "stop"), capture.calls)
            }
            assertEquals(ErrorKind.LEFT, assertFailsWith<ParvisException> { camera.push(Media.picture(0)) }.kind)
            assertEquals(ErrorKind.LEFT, assertFailsWith<ParvisException> { microphone.push(Media.sounds[0]) }.kind)
            listOf(camera, microphone, zoe, alice).forEach(AutoCloseable::close)
            assertEquals(listOf("open", "start", "stop"), captures[0].calls)
        }
    }

    @Test
    fun `a device that is slow to close holds up nobody but who turns it off, and is closed whoever gives up`() = test { site ->
        val (alice, zoe) = two(site)
        val closed = CountDownLatch(1)
        val capture = Recorded(closing = { check(closed.await(PATIENCE.inWholeSeconds, TimeUnit.SECONDS)) })
        val camera = zoe.meeting.camera(capture, VideoOptions(Media.WIDTH, Media.HEIGHT))
        withContext(Dispatchers.Default.limitedParallelism(1)) {
            val turningOff = launch(start = CoroutineStart.UNDISPATCHED) { camera.turnOff() }
            turningOff.cancel()
            assertFalse(turningOff.isCompleted)
            closed.countDown()
            withTimeout(PATIENCE) { turningOff.join() }
        }
        assertEquals(listOf("open", "start", "stop"), capture.calls)
        assertEquals(ErrorKind.LEFT, assertFailsWith<ParvisException> { camera.turnOff() }.kind)
        zoe.knows("for no camera") { it.myself?.media?.camera == MediaState.OFF }
        camera.close()
        listOf(zoe, alice).forEach { it.meeting.leave(); it.close() }
    }

    @Test
    fun `a capture that does not open is stopped, once`() = test { site ->
        val (alice, zoe) = two(site)
        val capture = Recorded { throw ParvisException(ErrorKind.PERMISSION_DENIED, "no") }
        val refused =
            assertFailsWith<ParvisException> { zoe.meeting.camera(capture, VideoOptions(Media.WIDTH, Media.HEIGHT)) }
        assertEquals(ErrorKind.PERMISSION_DENIED, refused.kind)
        assertEquals(listOf("open", "stop"), capture.calls)
        listOf(zoe, alice).forEach { it.meeting.leave(); it.close() }
    }
}

/** A thread that is busy whenever an answer comes, as an app's main thread may be: it runs what it is told, when it is told. */
private class Busy : CoroutineDispatcher() {
    private val waiting = LinkedBlockingQueue<Runnable>()

    override fun dispatch(context: CoroutineContext, block: Runnable) {
        waiting.add(block)
    }

    companion object {
        /** Calls, and cancels the caller once the answer is there, before it is taken. */
        fun cancelledAtTheEnd(call: suspend () -> Any): Job {
            val busy = Busy()
            val calling = CoroutineScope(busy).launch { call() }
            busy.waiting.take().run()
            val answered = busy.waiting.take()
            calling.cancel()
            answered.run()
            while (!calling.isCompleted) busy.waiting.poll(1, TimeUnit.SECONDS)?.run()
            return calling
        }
    }
}

/** A capture that remembers what was asked of it. */
private class Recorded(private val closing: () -> Unit = {}, private val opening: suspend Recorded.() -> Unit = {}) :
    AudioCapture, CameraCapture, ScreenCapture {
    val calls = mutableListOf<String>()
    val opened = CompletableDeferred<Unit>()
    val stopped = CompletableDeferred<Unit>()

    override suspend fun open() {
        calls += "open"
        opened.complete(Unit)
        opening()
    }

    override fun start(microphone: Microphone) {
        calls += "start"
    }

    override fun start(camera: Camera) {
        calls += "start"
    }

    override fun start(screen: Screen) {
        calls += "start"
    }

    override fun stop() {
        closing()
        calls += "stop"
        stopped.complete(Unit)
    }
}
