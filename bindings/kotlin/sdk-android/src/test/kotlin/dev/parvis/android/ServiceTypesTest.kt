package dev.parvis.android

import android.Manifest
import android.content.pm.ServiceInfo
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import org.junit.Test

class ServiceTypesTest {
    private val sound = ServiceInfo.FOREGROUND_SERVICE_TYPE_MEDIA_PLAYBACK
    private val microphone = ServiceInfo.FOREGROUND_SERVICE_TYPE_MICROPHONE
    private val camera = ServiceInfo.FOREGROUND_SERVICE_TYPE_CAMERA
    private val screen = ServiceInfo.FOREGROUND_SERVICE_TYPE_MEDIA_PROJECTION
    private val all = types(microphone = true, camera = true, screen = true)

    @Test
    fun `a device that the user did not allow is left out`() {
        assertEquals(sound or microphone or camera or screen, types(all, 0) { true })
        assertEquals(sound or microphone or screen, types(all, 0) { it != Manifest.permission.CAMERA })
        assertEquals(sound or camera or screen, types(all, 0) { it != Manifest.permission.RECORD_AUDIO })
    }

    @Test
    fun `microphone and camera stay, for they cannot come back in the background, and a screen does not`() {
        assertEquals(sound or microphone or camera, types(sound, all) { true })
        assertEquals(sound or microphone, types(sound, microphone) { true })
    }

    @Test
    fun `what Android refuses is tried with what there was, and then with sound alone`() {
        val asked = mutableListOf<Int>()
        fun entered(wanted: Int, had: Int, refused: Int) =
            firstAllowed(choices(wanted, had)) {
                asked += it
                if (it and refused != 0) throw SecurityException("Starting FGS with type …")
            }
        assertEquals(sound or microphone, entered(all, microphone or screen, refused = screen))
        assertEquals(listOf(all, sound or microphone), asked)
        assertEquals(sound, entered(all, 0, refused = camera))
        assertEquals(0, entered(sound, 0, refused = sound))
    }

    @Test
    fun `a service is stopped once no start is under way`() {
        val starts = Starts()
        starts.asked()
        assertFalse(starts.over(), "it has not come to the foreground")
        assertTrue(starts.came(), "and is stopped then")

        starts.asked()
        starts.asked()
        assertFalse(starts.came())
        assertFalse(starts.over())
        assertTrue(starts.came())

        starts.asked()
        starts.over()
        starts.asked()
        assertFalse(starts.came())
        assertFalse(starts.came(), "the second start holds")
        assertTrue(starts.over())
    }
}
