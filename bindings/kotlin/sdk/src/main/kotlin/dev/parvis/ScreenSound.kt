package dev.parvis

import java.nio.ByteBuffer

/**
 * The sound of a shared screen. It is muted, forbidden and ends with the screen; a camera has none: `ErrorKind.FORBIDDEN`.
 *
 * It is as a [Microphone] takes it.
 */
public interface ScreenSound {
    /** Shares it; give it by [pushSound]. Once it is shared this changes nothing. */
    public suspend fun shareSound(options: AudioOptions = AudioOptions())

    /** Gives sound as floats of -1 to 1; never waits. */
    public fun pushSound(samples: FloatArray, timestampUs: Long = 0)

    /** Gives sound as 16-bit integers. */
    public fun pushSound(samples: ShortArray, timestampUs: Long = 0)

    /** Gives sound as floats, little endian; [samples] is a direct buffer, from its position on. */
    public fun pushSoundFloats(samples: ByteBuffer, timestampUs: Long = 0)

    /** Gives sound as 16-bit integers, little endian, as [pushSoundFloats] does. */
    public fun pushSoundShorts(samples: ByteBuffer, timestampUs: Long = 0)
}

/** Sound through functions of the library. */
internal class NativeScreenSound(
    private val share: suspend (AudioOptions) -> Unit,
    private val pushF32: (ByteBuffer, Long) -> Unit,
    private val pushI16: (ByteBuffer, Long) -> Unit,
) : ScreenSound {
    private val staging = Staging()

    override suspend fun shareSound(options: AudioOptions): Unit = awaitLibrary { share(options) }

    override fun pushSound(samples: FloatArray, timestampUs: Long): Unit = staging.lend(samples) { pushF32(it, timestampUs) }

    override fun pushSound(samples: ShortArray, timestampUs: Long): Unit = staging.lend(samples) { pushI16(it, timestampUs) }

    override fun pushSoundFloats(samples: ByteBuffer, timestampUs: Long): Unit = lend(samples) { pushF32(it, timestampUs) }

    override fun pushSoundShorts(samples: ByteBuffer, timestampUs: Long): Unit = lend(samples) { pushI16(it, timestampUs) }
}
