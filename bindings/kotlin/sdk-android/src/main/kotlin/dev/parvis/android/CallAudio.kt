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

    /** The routes there are now. */
    public val routes: StateFlow<List<AudioRoute>> = known.asStateFlow()

    /** The route in use; null: Android's own choice. */
    public val route: StateFlow<AudioRoute?> = chosen.asStateFlow()

    /** Whether another call has the sound: capture and play nothing meanwhile. */
    public val isInterrupted: StateFlow<Boolean> = lost.asStateFlow()

    private val focus =
        AudioFocusRequest.Builder(AudioManager.AUDIOFOCUS_GAIN)
            .setAudioAttributes(
                AudioAttributes.Builder()
                    .setUsage(AudioAttributes.USAGE_VOICE_COMMUNICATION)
                    .setContentType(AudioAttributes.CONTENT_TYPE_SPEECH)
                    .build(),
            )
            .setOnAudioFocusChangeListener { change ->
                when (change) {
                    AudioManager.AUDIOFOCUS_GAIN -> lost.value = false
                    AudioManager.AUDIOFOCUS_LOSS, AudioManager.AUDIOFOCUS_LOSS_TRANSIENT -> lost.value = true
                }
            }
            .build()

    private val devices =
        object : AudioDeviceCallback() {
            override fun onAudioDevicesAdded(added: Array<out AudioDeviceInfo>) = look()

            override fun onAudioDevicesRemoved(removed: Array<out AudioDeviceInfo>) = look()
        }

    /** Takes the sound, by default to a headset if there is one, else into the room. */
    public fun open() {
        lost.value = audio.requestAudioFocus(focus) != AudioManager.AUDIOFOCUS_REQUEST_GRANTED
        audio.mode = AudioManager.MODE_IN_COMMUNICATION
        audio.registerAudioDeviceCallback(devices, null)
        look()
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
