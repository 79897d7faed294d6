package dev.parvis

/**
 * The sound of everybody else, mixed, for what plays it to pull. [close] ends that.
 *
 * Voices are received as people come and go, at the volumes of [Meeting.setVolume]. A meeting has one mixer, and no
 * [Meeting.voice] beside it: a voice is received once.
 */
public class Mixer internal constructor(private val native: dev.parvis.ffi.Mixer) : AutoCloseable {
    /** 1 or 2. */
    public val channels: Int = inLibrary { native.channels() }

    /** The next 10 ms of all voices, to be closed; silence where nobody speaks. Never waits for one. */
    public fun pull(): AudioFrame = AudioFrame(inLibrary { native.pull() })

    /**
     * As much as a device asks for, whose buffers are not of 10 ms; to be closed.
     *
     * @param samples of each channel, 48 kHz
     */
    public fun pull(samples: Int): AudioFrame = AudioFrame(inLibrary { native.fill(samples) })

    /** Fills a device's buffer with what is heard next; interleaved, 48 kHz, as many samples of each channel. */
    public fun fill(out: FloatArray) {
        if (out.size % channels != 0) {
            throw ParvisException(ErrorKind.BAD_ARGUMENT, "samples of $channels channels are no ${out.size} in all")
        }
        pull(out.size / channels).use { it.samples.get(out) }
    }

    /** Ends it: nothing more is received for it. Once more does nothing. */
    override fun close() {
        if (native.uniffiIsDestroyed) return
        native.cancel()
        native.close()
    }
}
