package dev.parvis

import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Test

/** Messages that are shown before they are there, and commands that nobody answers. */
class ChatTest {
    @Test
    fun `a message that nobody answered is sent again and appears once`() = runBlocking(Dispatchers.Default) {
        Site().use { site ->
            coroutineScope {
                val alice = join(this, site.room(), "Alice", site.administrator, commandTimeout = 2.seconds)
                alice.isIn()
                val first = alice.meeting.chatPending("Bonjour !")
                assertEquals("Bonjour !", first.text)
                assertEquals(PendingState.Sent(first.outcome()), first.state)

                site.kill()
                val lost = alice.meeting.chatPending("encore")
                val refusal = assertFailsWith<ParvisException> { lost.outcome() }
                assertEquals(ErrorKind.NO_ANSWER to true, refusal.kind to refusal.isRetryable)
                assertEquals(ErrorKind.NO_ANSWER, assertIs<PendingState.Failed>(lost.state).error.kind)
                val told = MeetingEvent.ChatFailed(lost.clientId, ErrorKind.NO_ANSWER)
                assertEquals(told, alice.sees<MeetingEvent.ChatFailed>())
                val hand = assertFailsWith<ParvisException> { alice.meeting.raiseHand() }
                assertEquals(ErrorKind.NO_ANSWER, hand.kind)

                site.startAgain()
                val sent = withTimeout(PATIENCE) { sentAgain(lost) }
                assertEquals(PendingState.Sent(sent), lost.state)
                assertEquals(sent, lost.retry())
                assertEquals(listOf("Bonjour !", "encore"), alice.meeting.history().messages.map { it.text })

                val empty = alice.meeting.chatPending("  ")
                assertEquals(ErrorKind.EMPTY, assertFailsWith<ParvisException> { empty.outcome() }.kind)
                alice.meeting.leave()
                assertEquals(ErrorKind.LEFT, assertFailsWith<ParvisException> { empty.retry() }.kind)
                assertEquals(sent, lost.retry())
                alice.close()
            }
        }
    }

    private suspend fun sentAgain(pending: Pending): Done {
        while (true) {
            try {
                return pending.retry()
            } catch (error: ParvisException) {
                assertEquals(ErrorKind.NO_ANSWER, error.kind)
            }
        }
    }
}
