package dev.parvis.android

import android.media.AudioManager
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue
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

    @Test
    fun `the sound is lost until it is gained`() {
        assertTrue(isLostAfter(AudioManager.AUDIOFOCUS_LOSS, before = false))
        assertTrue(isLostAfter(AudioManager.AUDIOFOCUS_LOSS_TRANSIENT, before = false))
        assertTrue(isLostAfter(AudioManager.AUDIOFOCUS_LOSS_TRANSIENT_CAN_DUCK, before = true))
        assertFalse(isLostAfter(AudioManager.AUDIOFOCUS_LOSS_TRANSIENT_CAN_DUCK, before = false))
        assertFalse(isLostAfter(AudioManager.AUDIOFOCUS_GAIN, before = true))
    }
}
