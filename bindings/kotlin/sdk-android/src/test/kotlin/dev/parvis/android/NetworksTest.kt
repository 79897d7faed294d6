package dev.parvis.android

import dev.parvis.ErrorKind
import dev.parvis.ParvisException
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.junit.Test

class NetworksTest {
    @Test
    fun `a meeting follows the networks until it is left`() = runBlocking {
        assertTrue(tryRebind {})
        assertTrue(tryRebind { throw ParvisException(ErrorKind.LOST, "it is being made anew") })
        assertTrue(tryRebind { throw ParvisException(ErrorKind.NO_SOCKET, "none") })
        assertFalse(tryRebind { throw ParvisException(ErrorKind.LEFT, "left") })
    }

    @Test
    fun `what follows the networks ends with the meeting, though none changes`() = runBlocking {
        val (changes, isOver) = MutableSharedFlow<Int>() to MutableStateFlow(false)
        var rebound = 0
        val following = launch { follow(changes, isOver) { rebound += 1 } }
        changes.subscriptionCount.first { it == 1 }
        changes.emit(1)
        yield()
        assertEquals(1, rebound)
        isOver.value = true
        withTimeout(5_000) { following.join() }
        assertEquals(0, changes.subscriptionCount.value)
    }

    @Test
    fun `what follows the networks ends where the meeting refuses`() = runBlocking {
        withTimeout(5_000) { follow(flowOf(1, 2), MutableStateFlow(false)) { throw ParvisException(ErrorKind.LEFT, "left") } }
    }
}
