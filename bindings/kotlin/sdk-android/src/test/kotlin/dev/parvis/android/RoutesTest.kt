package dev.parvis.android

import kotlin.test.assertEquals
import org.junit.Test

class RoutesTest {
    @Test
    fun `a headset that is put on has the sound, and what is next best when it goes`() {
        val room = listOf(AudioRoute.EARPIECE, AudioRoute.SPEAKER)
        assertEquals(AudioRoute.SPEAKER, routeAfter(null, emptyList(), room))
        assertEquals(AudioRoute.EARPIECE, routeAfter(AudioRoute.EARPIECE, room, room))
        assertEquals(AudioRoute.BLUETOOTH, routeAfter(AudioRoute.EARPIECE, room, room + AudioRoute.BLUETOOTH))
        assertEquals(AudioRoute.SPEAKER, routeAfter(AudioRoute.BLUETOOTH, room + AudioRoute.BLUETOOTH, room))
    }
}
