package dev.parvis.app

import dev.parvis.Source
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/** How it stands with a microphone, a camera or a screen of one's own. */
enum class DeviceState {
    /** Not published. */
    OFF,

    /** Opened, or asked for. */
    STARTING,

    /** Published. */
    ON,

    /** Published, and nothing is captured. */
    MUTED,
}

/** A device of one's own in a call. Each act waits for the one before, and the last state wins. */
class LocalDevice(private val call: Call, private val source: Source) {
    private val turn = Mutex()
    private val known = MutableStateFlow(DeviceState.OFF)
    private var track: LocalTrack? = null

    /** How it stands. */
    val state: StateFlow<DeviceState> = known.asStateFlow()

    /** Turns it on, also after a host has muted it. */
    suspend fun turnOn() =
        turn.withLock {
            val track = track
            if (track != null) {
                track.unmute()
                known.value = DeviceState.ON
                return@withLock
            }
            known.value = DeviceState.STARTING
            try {
                // What was opened must be known even when nobody waits for it any more: else it is never closed.
                this.track = withContext(NonCancellable) { call.open(source) }
                known.value = DeviceState.ON
            } finally {
                if (this.track == null) known.value = DeviceState.OFF
            }
        }

    /** Mutes it: it stays announced, and is quick to turn on again. Nothing is captured from now on, whatever the answer. */
    suspend fun mute() =
        turn.withLock {
            val track = track ?: return@withLock
            known.value = DeviceState.MUTED
            track.mute()
        }

    /** Turns it off and gives the device back. */
    suspend fun turnOff() =
        turn.withLock {
            val track = track ?: return@withLock
            this.track = null
            known.value = DeviceState.OFF
            track.turnOff()
        }

    /** A host has muted it. */
    suspend fun wasMuted() =
        turn.withLock {
            if (track != null) known.value = DeviceState.MUTED
        }
}
