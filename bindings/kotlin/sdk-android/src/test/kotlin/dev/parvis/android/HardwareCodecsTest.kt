package dev.parvis.android

import dev.parvis.ErrorKind
import dev.parvis.ParvisException
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.Test

class HardwareCodecsTest {
    private class Item(val number: Int, var key: Boolean = false) : AutoCloseable {
        var isClosed = false

        override fun close() {
            isClosed = true
        }
    }

    @Test
    fun `the oldest of too much is closed, and the key frame that it was to be is the next one`() {
        val waiting = Waiting<Item>(2) { item, next -> next.key = next.key || item.key }
        val items = List(4) { Item(it, key = it == 0) }
        items.forEach(waiting::add)
        assertEquals(listOf(true, true, false, false), items.map { it.isClosed })
        val first = waiting.take()
        assertEquals(2 to true, first?.number to first?.key)
        assertEquals(3 to false, waiting.take().let { it?.number to it?.key })
        assertNull(waiting.take())
        waiting.add(items[3])
        waiting.clear()
        assertTrue(items[3].isClosed)
        assertNull(waiting.take())
    }

    @Test
    fun `nothing is thrown in the thread of a codec`() {
        val failures = mutableListOf<String>()
        guarded(failures::add) { throw ParvisException(ErrorKind.BAD_FRAME, "more pixels than are wanted") }
        guarded(failures::add) { throw IllegalArgumentException("a position behind the limit") }
        guarded(failures::add) { throw IllegalStateException() }
        guarded(failures::add) {}
        assertEquals(
            listOf("more pixels than are wanted", "a position behind the limit", "java.lang.IllegalStateException"),
            failures,
        )
    }

    @Test
    fun `a decoder that failed is followed by another, and after some by the library's own`() {
        val recovery = Recovery(2)
        assertFalse(recovery.failed(), "it was taken away in the background")
        assertTrue(recovery.isBroken)
        recovery.opened()
        assertFalse(recovery.isBroken)
        recovery.gave()
        assertFalse(recovery.failed(), "and again, a while later")
        recovery.opened()
        assertTrue(recovery.failed(), "this one gave nothing")
    }
}
