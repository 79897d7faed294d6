package dev.parvis.android

import java.nio.FloatBuffer
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import org.junit.Test

class VoiceMixerTest {
    private val mixer = VoiceMixer()

    private fun mixed(length: Int = 480) = FloatArray(length).also(mixer::mix)

    private fun sound(length: Int, level: Float) = FloatBuffer.wrap(FloatArray(length) { level })

    @Test
    fun `voices add up`() {
        val (ada, bo) = mixer.add() to mixer.add()
        ada.put(sound(1920, 0.25f), 1)
        bo.put(sound(3840, 0.5f), 2)
        assertTrue(mixed().all { it == 0.75f })
        mixer.remove(bo)
        assertTrue(mixed().all { it == 0.25f })
    }

    @Test
    fun `a voice begins once there is a cushion, and again after it ran dry`() {
        val ada = mixer.add()
        ada.put(sound(960, 0.5f), 1)
        assertTrue(mixed().all { it == 0f })
        ada.put(sound(960, 0.5f), 1)
        repeat(4) { assertTrue(mixed().all { it == 0.5f }) }
        mixed()
        ada.put(sound(960, 0.5f), 1)
        assertTrue(mixed().all { it == 0f })
    }

    @Test
    fun `the oldest is thrown away when nobody plays`() {
        val ada = mixer.add()
        ada.put(sound(VoiceMixer.CAPACITY, 0.1f), 1)
        ada.put(sound(480, 0.2f), 1)
        val heard = mixed(VoiceMixer.CAPACITY)
        assertEquals(0.1f, heard.first())
        assertEquals(480, heard.count { it == 0.2f })
    }

    @Test
    fun `many loud voices stay below the loudest, and in order`() {
        val voices = List(4) { mixer.add() }
        val levels = voices.indices.map { count ->
            voices.take(count + 1).forEach { it.put(sound(1920, 0.7f), 1) }
            mixed(1920).last()
        }
        assertTrue(levels.all { it < 1f } && levels == levels.sorted() && levels.distinct() == levels, "$levels")
    }
}
