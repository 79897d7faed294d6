package dev.parvis.android

import android.Manifest
import android.app.Application
import android.content.Context
import android.content.Intent
import android.content.pm.ServiceInfo
import android.media.AudioDeviceInfo
import android.media.AudioManager
import android.net.ConnectivityManager
import dev.parvis.ErrorKind
import dev.parvis.ParvisException
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowNetwork

/** With Android's own classes, as Robolectric runs them on a JVM. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], manifest = Config.NONE)
class AndroidTest {
    private val app: Application = RuntimeEnvironment.getApplication()

    private fun <T> system(type: Class<T>): T = app.getSystemService(type)

    @Test
    fun `without a permission nothing is opened`() {
        val error = assertFailsWith<ParvisException> { runBlocking { PhoneMicrophone(app).open() } }
        assertEquals(ErrorKind.PERMISSION_DENIED, error.kind)
        assertTrue(Manifest.permission.RECORD_AUDIO in error.message)
    }

    @Test
    fun `a screen is shared with consent only`() {
        for (consent in listOf(null, ScreenConsent(0, null))) {
            val error = assertFailsWith<ParvisException> { runBlocking { PhoneScreen(app, consent) {}.open() } }
            assertEquals(ErrorKind.PERMISSION_DENIED, error.kind)
        }
    }

    @Test
    fun `a microphone that was granted opens and stops`() {
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        val microphone = PhoneMicrophone(app)
        runBlocking { microphone.open() }
        microphone.stop()
        microphone.stop()
    }

    @Test
    fun `a phone without a camera says so`() {
        assertFailsWith<IllegalStateException> { PhoneCamera(app, Facing.USER) }
    }

    @Test
    fun `a call has the sound until another takes it, and gives it back`() {
        val audio = system(AudioManager::class.java)
        val sound = CallAudio(app)
        sound.open()
        assertEquals(AudioManager.MODE_IN_COMMUNICATION, audio.mode)
        val asked = shadowOf(audio).lastAudioFocusRequest.listener
        asked.onAudioFocusChange(AudioManager.AUDIOFOCUS_LOSS_TRANSIENT)
        assertTrue(sound.isInterrupted.value)
        asked.onAudioFocusChange(AudioManager.AUDIOFOCUS_GAIN)
        assertFalse(sound.isInterrupted.value)
        sound.close()
        assertEquals(AudioManager.MODE_NORMAL, audio.mode)
    }

    @Test
    fun `a headset that is put on has the sound, and what is next best when it goes`() {
        val room = listOf(AudioRoute.EARPIECE, AudioRoute.SPEAKER)
        assertEquals(AudioRoute.SPEAKER, routeAfter(null, emptyList(), room))
        assertEquals(AudioRoute.EARPIECE, routeAfter(AudioRoute.EARPIECE, room, room))
        assertEquals(AudioRoute.BLUETOOTH, routeAfter(AudioRoute.EARPIECE, room, room + AudioRoute.BLUETOOTH))
        assertEquals(AudioRoute.SPEAKER, routeAfter(AudioRoute.BLUETOOTH, room + AudioRoute.BLUETOOTH, room))
        assertEquals(null, routeOf(AudioDeviceInfo.TYPE_HDMI))
    }

    @Test
    fun `another network is told once, and the first is not`() = runBlocking(Dispatchers.Default) {
        val networks = system(ConnectivityManager::class.java)
        val change = async(start = CoroutineStart.UNDISPATCHED) { networkChanges(app).first() }
        val callback = generateSequence { shadowOf(networks).networkCallbacks.firstOrNull() }.first()
        callback.onAvailable(networks.activeNetwork!!)
        val other = ShadowNetwork.newInstance(77)
        callback.onAvailable(other)
        assertEquals(other, change.await())
        assertEquals(emptySet(), shadowOf(networks).networkCallbacks)
    }

    @Test
    fun `the service is in the foreground with what is used, and stops when one leaves`() {
        val types = MeetingService.types(microphone = true, camera = false, screen = true)
        assertTrue(types and ServiceInfo.FOREGROUND_SERVICE_TYPE_MICROPHONE != 0)
        assertEquals(0, types and ServiceInfo.FOREGROUND_SERVICE_TYPE_CAMERA)
        val words = MeetingService.Words("abc-defg-hij", "Leave", android.R.drawable.ic_menu_call)
        MeetingService.start(app, words, microphone = true, camera = false, screen = true)
        val service = Robolectric.buildService(MeetingService::class.java, shadowOf(app).nextStartedService).create()
        service.startCommand(0, 1)
        val notification = shadowOf(service.get()).lastForegroundNotification
        assertEquals("Leave", notification.actions.single().title)
        assertEquals("abc-defg-hij", notification.extras.getString("android.title"))
        service.withIntent(Intent(app as Context, MeetingService::class.java).setAction("dev.parvis.LEAVE")).startCommand(0, 2)
        assertTrue(shadowOf(service.get()).isStoppedBySelf)
    }
}
