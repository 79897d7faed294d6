package dev.parvis

import java.nio.ByteBuffer

/**
 * How loud a sound is, for a bar that an app shows: up at once, down by 20 dB a second. Of a microphone before one joins, or of
 * any sound; [Microphone.level] says the same of one that is published.
 *
 * @param channels 1 or 2; what is pushed is interleaved
 */
public class LevelMeter(channels: Int = 1) : AutoCloseable {
    private val native = inLibrary { dev.parvis.ffi.LevelMeter(channels) }
    private val staging = Staging()

    /** Takes sound as floats of -1 to 1, 48 kHz, as much as a device gives at a time. */
    public fun push(samples: FloatArray): Unit = staging.lend(samples, native::pushF32)

    /** Takes sound as 16-bit integers, 48 kHz. */
    public fun push(samples: ShortArray): Unit = staging.lend(samples, native::pushI16)

    /** Takes sound as floats, little endian; [samples] is a direct buffer, from its position on. */
    public fun pushFloats(samples: ByteBuffer): Unit = lend(samples, native::pushF32)

    /** Takes sound as 16-bit integers, little endian, as [pushFloats] does. */
    public fun pushShorts(samples: ByteBuffer): Unit = lend(samples, native::pushI16)

    /** How loud it is, in decibels of the loudest that can be: 0 to [SILENCE]. */
    public val decibels: Float get() = inLibrary { native.decibels() }

    /** Falls silent at once, as a microphone that is muted. */
    public fun clear(): Unit = inLibrary { native.clear() }

    /** Frees it. Once more does nothing. */
    override fun close(): Unit = native.close()

    public companion object {
        /** What silence is shown as, in decibels of the loudest that can be. */
        public const val SILENCE: Float = -127f
    }
}
