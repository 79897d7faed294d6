package dev.parvis.app

import dev.parvis.AudioCapture
import dev.parvis.CameraCapture
import dev.parvis.Microphone
import dev.parvis.ScreenCapture
import dev.parvis.Site
import dev.parvis.Source
import dev.parvis.Target
import dev.parvis.Tickets
import dev.parvis.JoinOptions
import dev.parvis.Trust
import dev.parvis.VideoOptions
import kotlin.test.assertEquals
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.job
import kotlinx.coroutines.Job
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Test

/** The models with meetings of the SDK, at a service that runs. */
class RealCallTest {
    @Test
    fun `a guest is let in by a host, speaks, writes, and leaves`() = runBlocking(Dispatchers.Default) {
        Site().use { site ->
            val scope = CoroutineScope(Dispatchers.Default.limitedParallelism(1) + Job())
            val link = site.room()
            val (guestCall, sources) = join(scope, link)
            val guest = CallModel(scope, guestCall, sources)
            guest.reaches { it.stage == Stage.Waiting("Waiting for the host to come", canKnock = false) }

            val calls = SdkCalls(Quiet)
            val options = JoinOptions("Ada", "device-of-ada", Tickets.Agent(site.administrator), trust = Trust.Anyone)
            val hostCall = calls.join(link, options)
            val host = CallModel(scope, hostCall)
            host.reaches { it.isHost && it.waiting.isNotEmpty() }
            host.admit(Target.All)
            guest.reaches { it.microphone == DeviceState.ON && it.people.size == 2 }

            guest.send("salut")
            host.reaches { it.chat.lines.any { line -> line.text == "salut" } && it.unread == 1 }
            guest.reaches { it.chat.lines.single().status is LineStatus.Sent }
            guest.toggleHand()
            guest.reaches { it.handPosition == 1 }

            guest.leave()
            guest.reaches { it.stage is Stage.Over && it.microphone == DeviceState.OFF }
            host.reaches { it.people.size == 1 }
            host.leave(everybody = true)
            host.reaches { it.stage is Stage.Over }
            guestCall.close()
            hostCall.close()
            scope.coroutineContext.job.cancelAndJoin()
        }
    }

    private suspend fun join(scope: CoroutineScope, link: String): Pair<Call, Set<Source>> {
        val joined = CompletableDeferred<Joined>()
        val model = JoinModel(scope, SdkCalls(Quiet), "device-of-zoe", Trust.Anyone) { joined.complete(it) }
        model.setAddress(link)
        model.setName("Zoé")
        model.setCamera(false)
        model.join()
        val (call, sources) = withTimeout(60.seconds) { joined.await() }.let { it.call to it.sources }
        assertEquals(setOf(Source.MICROPHONE), sources)
        return call to sources
    }

    private suspend fun CallModel.reaches(wanted: (CallState) -> Boolean) {
        try {
            withTimeout(60.seconds) { state.first(wanted) }
        } catch (error: kotlinx.coroutines.TimeoutCancellationException) {
            throw AssertionError("${state.value}", error)
        }
    }

    /** A microphone that hears nothing, and no other device. */
    private object Quiet : Devices {
        override fun microphone() =
            object : AudioCapture {
                override suspend fun open() = Unit

                override fun start(microphone: Microphone) = microphone.push(ShortArray(4800))

                override fun stop() = Unit
            }

        override fun camera(): Pair<CameraCapture, VideoOptions> = error("no camera")

        override fun screen(): Pair<ScreenCapture, VideoOptions> = error("no screen")
    }
}
