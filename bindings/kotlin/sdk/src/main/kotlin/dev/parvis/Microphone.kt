package dev.parvis

import java.nio.ByteBuffer
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

/**
 * One's own microphone. [turnOff] turns it off; so does [close], which frees it too.
 *
 * Sound is interleaved, of 48 kHz and of any length; capture times are by [Meeting.clockUs], and 0 means that the sound ends
 * now. Nothing is sent while it is muted, by oneself or by a host.
 */
public class Microphone internal constructor(private val native: dev.parvis.ffi.Microphone) : AutoCloseable {
    private val staging = Staging()

    /** Gives sound as floats of -1 to 1. */
    public fun push(samples: FloatArray, timestampUs: Long = 0): Unit =
        staging.lend(samples) { native.pushF32(it, timestampUs) }

    /** Gives sound as 16-bit integers. */
    public fun push(samples: ShortArray, timestampUs: Long = 0): Unit =
        staging.lend(samples) { native.pushI16(it, timestampUs) }

    /** Gives sound as floats, little endian, without a copy on this side; [samples] is a direct buffer, from its position on. */
    public fun pushFloats(samples: ByteBuffer, timestampUs: Long = 0): Unit =
        lend(samples) { native.pushF32(it, timestampUs) }

    /** Gives sound as 16-bit integers, little endian, as [pushFloats] does. */
    public fun pushShorts(samples: ByteBuffer, timestampUs: Long = 0): Unit =
        lend(samples) { native.pushI16(it, timestampUs) }

    /**
     * How loud one is oneself, in decibels of the loudest that can be, for a bar to show; silence while it is muted. Before one
     * joins a [LevelMeter] says the same.
     */
    public fun level(): Float = inLibrary { native.level() }

    /** Mutes: nothing is captured, and the track stays announced. */
    public suspend fun mute(): Unit = awaitLibrary { native.mute() }

    /** Turns it on again, also after a host muted it. */
    public suspend fun unmute(): Unit = awaitLibrary { native.unmute() }

    /** Turns it off; returns once the app's own capture has stopped. Who is cancelled meanwhile turns it off all the same. */
    public suspend fun turnOff(): Unit = turnedOff { native.turnOff() }

    /** Turns it off and frees it, and stops the app's own capture in this thread: not in one that draws. Once more does nothing. */
    override fun close(): Unit = turnOffAndClose(native, native.uniffiIsDestroyed) { native.turnOff() }
}

/** Turns something off: a device takes a while to close, and is to be closed whoever waits for it. */
internal suspend fun turnedOff(turnOff: () -> Unit): Unit =
    withContext(Dispatchers.IO + NonCancellable) { inLibrary(turnOff) }

/** Turns something off unless it is, and frees it. */
internal fun turnOffAndClose(native: AutoCloseable, isClosed: Boolean, turnOff: () -> Unit) {
    if (isClosed) return
    try {
        inLibrary(turnOff)
    } catch (error: ParvisException) {
        if (error.kind != ErrorKind.LEFT) throw error
    } finally {
        native.close()
    }
}
