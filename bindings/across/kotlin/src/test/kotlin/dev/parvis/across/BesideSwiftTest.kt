package dev.parvis.across

import dev.parvis.Media
import dev.parvis.MeetingEvent
import dev.parvis.PATIENCE
import dev.parvis.Site
import dev.parvis.Source
import dev.parvis.Target
import dev.parvis.VideoOptions
import dev.parvis.VideoTarget
import dev.parvis.film
import dev.parvis.join
import dev.parvis.talk
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Test

/** This side of a meeting with bindings/swift/Tests/ParvisTests/BesideKotlinTests.swift. */
class BesideSwiftTest {
    @Test
    fun `a Swift client and this one see and hear each other and chat`() =
        runBlocking(Dispatchers.Default) {
            Site().use { site -> coroutineScope { meet(site) } }
        }

    private suspend fun CoroutineScope.meet(site: Site) {
        val link = site.room()
        val here = join(this, link, "Kotlin", site.administrator)
        here.isIn()
        val camera = here.meeting.camera(VideoOptions(Media.WIDTH, Media.HEIGHT, 15))
        val microphone = here.meeting.microphone()
        val (filming, talking) = film(camera::push) to talk(microphone)

        val swift =
            ProcessBuilder(System.getProperty("parvis.swift"))
                .redirectErrorStream(true)
                .apply { environment()["PARVIS_LINK"] = link }
                .start()
        // Read while it runs, so that it never waits to be read.
        val said = StringBuffer()
        val reading = thread { swift.inputStream.bufferedReader().forEachLine { said.append(it).append('\n') } }
        try {
            here.knows("for the lobby") { it.lobby.isNotEmpty() }
            here.meeting.admit(Target.All)
            val known = here.knows("for Swift") { state -> state.view?.participants?.any { it.name == "Swift" } == true }
            val other = known.view!!.participants.first { it.name == "Swift" }.id

            here.meeting.picture(other, Source.CAMERA, VideoTarget(Media.WIDTH, Media.HEIGHT)).use { picture ->
                val numbers = withTimeout(PATIENCE) { List(10) { picture.next()!!.use { frame -> Media.number(frame) } } }
                assertTrue(numbers.all { it in 0 until 45 }, "$numbers")
                assertTrue(numbers.distinct().size > 5, "$numbers")
            }
            here.meeting.voice(other).use { voice ->
                withTimeout(PATIENCE) {
                    var heard = false
                    while (!heard) {
                        heard = voice.next()!!.use { sound ->
                            val samples = FloatArray(sound.samples.remaining()).also(sound.samples::get)
                            Media.louder(samples, 220.0, 3000.0) > 20
                        }
                    }
                }
            }
            val question = here.sees<MeetingEvent.Chat> { it.message.from == other }.message
            assertEquals("Swift" to "Bonjour de Swift", question.name to question.text)
            here.meeting.chat("Bonjour de Kotlin")
            // It leaves once it has seen, heard and read.
            here.knows("to be alone") { it.view?.participants?.size == 1 }
            assertTrue(swift.waitFor(60, TimeUnit.SECONDS), "the Swift client does not end:\n$said")
            reading.join()
            assertEquals(0, swift.exitValue(), "$said")
            assertTrue("Executed 1 test, with 0 failures" in said, "$said")
        } catch (error: AssertionError) {
            throw AssertionError("the Swift client said:\n$said", error)
        } finally {
            swift.destroy()
        }
        listOf(filming, talking).forEach { it.cancelAndJoin() }
        here.meeting.leave()
        here.close()
    }
}
