package dev.parvis.android

import dev.parvis.ErrorKind
import dev.parvis.ParvisException
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.Test

class NetworksTest {
    @Test
    fun `a meeting follows the networks until it is left`() = runBlocking {
        assertTrue(tryRebind {})
        assertTrue(tryRebind { throw ParvisException(ErrorKind.LOST, "it is being made anew") })
        assertTrue(tryRebind { throw ParvisException(ErrorKind.NO_SOCKET, "none") })
        assertFalse(tryRebind { throw ParvisException(ErrorKind.LEFT, "left") })
    }
}
