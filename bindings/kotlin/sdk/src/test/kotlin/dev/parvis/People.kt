package dev.parvis

import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout

/** How long anything may take. */
val PATIENCE = 60.seconds

/** Somebody in a meeting, with everything that happened. */
class Person(scope: CoroutineScope, val meeting: Meeting) : AutoCloseable {
    private val happened = Channel<MeetingEvent>(Channel.UNLIMITED)
    private val collecting = meeting.events().let { events -> scope.launch { events.collect(happened::send) } }

    val id: String = meeting.state.value.me

    /** Waits until what is known is so. */
    suspend fun knows(what: String, holds: (MeetingState) -> Boolean): MeetingState =
        within(what) { meeting.state.first(holds) }

    suspend fun isIn(): MeetingState = knows("to be in") { it.phase == Phase.Connected }

    /** Reads on to an event of this kind. */
    suspend inline fun <reified T : MeetingEvent> sees(crossinline wanted: (T) -> Boolean = { true }): T =
        within("to see ${T::class.simpleName}") {
            while (true) {
                val event = next()
                if (event is T && wanted(event)) return@within event
            }
            @Suppress("UNREACHABLE_CODE")
            error("unreachable")
        }

    @PublishedApi
    internal suspend fun next(): MeetingEvent = happened.receive()

    @PublishedApi
    internal suspend fun <T> within(what: String, wait: suspend () -> T): T =
        try {
            withTimeout(PATIENCE) { wait() }
        } catch (error: kotlinx.coroutines.TimeoutCancellationException) {
            throw AssertionError("${meeting.state.value.me} waits $what: ${meeting.state.value}", error)
        }

    override fun close() {
        collecting.cancel()
        meeting.close()
    }
}

/** Joins as a guest does, or with a session. */
suspend fun join(
    scope: CoroutineScope,
    link: String,
    name: String,
    session: String? = null,
    codecs: Codecs = Codecs(),
    commandTimeout: Duration = 30.seconds,
): Person {
    val tickets = session?.let(Tickets::Agent) ?: Tickets.Guest
    val device = "device${name.hashCode().toUInt()}"
    val options =
        JoinOptions(name, device, tickets, trust = Trust.Anyone, commandTimeout = commandTimeout, codecs = codecs)
    return Person(scope, Meeting.join(link, options))
}

/** Two who are in the same room: Alice, who owns it, and Zoé, a guest. */
suspend fun CoroutineScope.two(site: Site, alices: Codecs = Codecs(), zoes: Codecs = Codecs()): Pair<Person, Person> {
    val link = site.room()
    val alice = join(this, link, "Alice", site.administrator, alices)
    alice.isIn()
    val zoe = join(this, link, "Zoé", codecs = zoes)
    alice.knows("for the lobby") { it.lobby.isNotEmpty() }
    alice.meeting.admit(Target.All)
    zoe.isIn()
    return alice to zoe
}

/** Gives the pictures of the file to [push], 15 a second, until it is cancelled. */
fun CoroutineScope.film(push: (Picture) -> Unit) =
    launch(Dispatchers.Default) {
        var index = 0
        while (isActive) {
            push(Media.picture(index++))
            delay(66)
        }
    }

/** Gives the sound of the file to a microphone, as fast as it is spoken, until it is cancelled. */
fun CoroutineScope.talk(microphone: Microphone) = talk { microphone.push(it) }

/** Gives the sound of the file to [push], as fast as it is spoken, until it is cancelled. */
fun CoroutineScope.talk(push: (ShortArray) -> Unit) =
    launch(Dispatchers.Default) {
        val started = System.nanoTime()
        var index = 0
        while (isActive) {
            push(Media.sounds[index++ % Media.sounds.size])
            delay(index * 20 - (System.nanoTime() - started) / 1_000_000)
        }
    }

/** Listens for a second: the tone is heard. */
suspend fun listen(voice: RemoteVoice) =
    withTimeout(PATIENCE) {
        // What was made up for lost sound, or fades in after a mute, comes first.
        repeat(25) { voice.next()!!.close() }
        val samples = FloatArray(50 * Media.FRAME)
        repeat(50) { index ->
            voice.next()!!.use { frame ->
                assertEquals(1, frame.channels)
                frame.samples.get(samples, index * Media.FRAME, Media.FRAME)
            }
        }
        val louder = Media.louder(samples, 220.0, 3000.0)
        assertTrue(louder > 20, "220 Hz is $louder dB louder than 3000 Hz")
    }
