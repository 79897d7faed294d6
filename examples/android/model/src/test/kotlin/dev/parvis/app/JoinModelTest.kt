package dev.parvis.app

import dev.parvis.ErrorKind
import dev.parvis.Source
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Test

@OptIn(ExperimentalCoroutinesApi::class)
class JoinModelTest {
    private val call = FakeCall()
    private val calls = FakeCalls(call)
    private val joined = mutableListOf<Joined>()

    private fun TestScope.model() = JoinModel(backgroundScope, calls, "device") { joined += it }

    @Test
    fun `an address has a code or not`() = runTest {
        val model = model()
        model.setName("Zoé")
        model.setAddress("abc-de")
        assertNull(model.state.value.code)
        assertFalse(model.state.value.canJoin)
        model.setAddress(" https://meet.example/abc-defg-hij ")
        assertEquals("abc-defg-hij", model.state.value.code)
        assertTrue(model.state.value.canJoin)
    }

    @Test
    fun `it joins as it was asked to`() = runTest {
        val model = model()
        model.setAddress(" abc-defg-hij ")
        model.setName(" Zoé ")
        model.setSite("https://meet.example")
        model.setCamera(false)
        model.join()
        assertTrue(model.state.value.isJoining)
        model.join()
        runCurrent()
        val (address, options) = calls.asked.single()
        assertEquals("abc-defg-hij", address)
        assertEquals(Triple("Zoé", "device", "https://meet.example"), Triple(options.name, options.device, options.site))
        assertEquals(setOf(Source.MICROPHONE), joined.single().sources)
        assertFalse(model.state.value.isJoining)
    }

    @Test
    fun `what went wrong is said in words, until something is typed`() = runTest {
        val model = model()
        model.setAddress("abc-defg-hij")
        model.setName("Zoé")
        calls.refusal = ErrorKind.NOT_FOUND
        model.join()
        runCurrent()
        assertEquals("There is no such meeting. Is the link complete?", model.state.value.error)
        assertEquals(0, joined.size)
        model.setAddress("abc-defg-hik")
        assertNull(model.state.value.error)
    }

    @Test
    fun `every kind of failure has words`() {
        for (kind in ErrorKind.entries) assertTrue(kind.inWords().endsWith('.') || kind.inWords().endsWith('?'), "$kind")
    }
}
