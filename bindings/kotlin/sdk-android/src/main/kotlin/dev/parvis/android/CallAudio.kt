package dev.parvis.android

import android.content.Context
import android.media.AudioAttributes
import android.media.AudioDeviceCallback
import android.media.AudioDeviceInfo
import android.media.AudioFocusRequest
import android.media.AudioManager
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow

/** Where the sound of a call goes. */
public enum class AudioRoute {
    /** To the ear. */
    EARPIECE,

    /** Into the room. */
    SPEAKER,

    /** To a headset on a wire. */
    WIRED,

    /** To a headset or a car. */
    BLUETOOTH,
}

/**
 * The sound of a call: while it is on, other apps are silent, echoes are cancelled, and the route can be chosen.
 *
 * Android 12 or later.
 */
public class CallAudio(context: Context) : AutoCloseable {
    private val audio = context.getSystemService(AudioManager::class.java)
    private val known = MutableStateFlow(emptyList<AudioRoute>())
    private val chosen = MutableStateFlow<AudioRoute?>(null)
    private val lost = MutableStateFlow(false)
    private var isOpen = false

    /** The routes there are now. */
    public val routes: StateFlow<List<AudioRoute>> = known.asStateFlow()

    /** The route in use; null: Android's own choice. */
    public val route: StateFlow<AudioRoute?> = chosen.asStateFlow()

    /** Whether another call or app has the sound: capture and play nothing meanwhile. Android need not give it back: see [resume]. */
    public val isInterrupted: StateFlow<Boolean> = lost.asStateFlow()

    private val focus =
        AudioFocusRequest.Builder(AudioManager.AUDIOFOCUS_GAIN_TRANSIENT)
            .setAudioAttributes(
                AudioAttributes.Builder()
                    .setUsage(AudioAttributes.USAGE_VOICE_COMMUNICATION)
                    .setContentType(AudioAttributes.CONTENT_TYPE_SPEECH)
                    .build(),
            )
            // During a call of the phone: it is had after that.
            .setAcceptsDelayedFocusGain(true)
            .setOnAudioFocusChangeListener { change -> lost.value = isLostAfter(change, lost.value) }
            .build()

    private val devices =
        object : AudioDeviceCallback() {
            override fun onAudioDevicesAdded(added: Array<out AudioDeviceInfo>) = look()

            override fun onAudioDevicesRemoved(removed: Array<out AudioDeviceInfo>) = look()
        }

    /** Takes the sound, by default to a headset if there is one, else into the room. Once it has it this is [resume]. */
    public fun open() {
        if (isOpen) return resume()
        isOpen = true
        request()
        audio.mode = AudioManager.MODE_IN_COMMUNICATION
        audio.registerAudioDeviceCallback(devices, null)
        look()
    }

    /**
     * Takes the sound back where another app has it: when the app is seen again, and when the user unmutes. An app that took
     * it for good does not give it back by itself.
     */
    public fun resume() {
        if (isOpen && lost.value) request()
    }

    private fun request() {
        lost.value = audio.requestAudioFocus(focus) != AudioManager.AUDIOFOCUS_REQUEST_GRANTED
    }

    /** Sends the sound there; false: there is no such route now. */
    public fun select(route: AudioRoute): Boolean {
        val device = audio.availableCommunicationDevices.find { routeOf(it.type) == route } ?: return false
        val done = audio.setCommunicationDevice(device)
        if (done) chosen.value = route
        return done
    }

    /** Gives the sound back to the other apps. */
    override fun close() {
        if (!isOpen) return
        isOpen = false
        audio.unregisterAudioDeviceCallback(devices)
        audio.clearCommunicationDevice()
        audio.mode = AudioManager.MODE_NORMAL
        audio.abandonAudioFocusRequest(focus)
        chosen.value = null
    }

    private fun look() {
        val before = known.value
        val now = audio.availableCommunicationDevices.mapNotNull { routeOf(it.type) }.distinct()
        known.value = now
        val wanted = routeAfter(chosen.value, before, now)
        if (wanted != null && wanted != chosen.value) select(wanted)
        if (wanted == null) chosen.value = null
    }
}

/** Whether another has the sound after a change of the focus. */
internal fun isLostAfter(change: Int, before: Boolean): Boolean =
    when (change) {
        AudioManager.AUDIOFOCUS_GAIN -> false
        AudioManager.AUDIOFOCUS_LOSS, AudioManager.AUDIOFOCUS_LOSS_TRANSIENT -> true
        // Another is heard beside it for a moment.
        else -> before
    }

/** A headset that was put on takes the sound; when one goes away the next best has it; else nothing changes. */
internal fun routeAfter(chosen: AudioRoute?, before: List<AudioRoute>, now: List<AudioRoute>): AudioRoute? {
    val headset = (now - before.toSet()).filter { it == AudioRoute.BLUETOOTH || it == AudioRoute.WIRED }
    if (headset.isNotEmpty()) return headset.max()
    if (chosen in now) return chosen
    return listOf(AudioRoute.BLUETOOTH, AudioRoute.WIRED, AudioRoute.SPEAKER, AudioRoute.EARPIECE).find { it in now }
}

/** The route of a device of this type; null: it is none of a call. */
internal fun routeOf(type: Int): AudioRoute? =
    when (type) {
        AudioDeviceInfo.TYPE_BUILTIN_EARPIECE -> AudioRoute.EARPIECE
        AudioDeviceInfo.TYPE_BUILTIN_SPEAKER -> AudioRoute.SPEAKER
        AudioDeviceInfo.TYPE_WIRED_HEADSET,
        AudioDeviceInfo.TYPE_WIRED_HEADPHONES,
        AudioDeviceInfo.TYPE_USB_HEADSET,
        -> AudioRoute.WIRED
        AudioDeviceInfo.TYPE_BLUETOOTH_SCO,
        AudioDeviceInfo.TYPE_BLE_HEADSET,
        AudioDeviceInfo.TYPE_HEARING_AID,
        -> AudioRoute.BLUETOOTH
        else -> null
    }
