package dev.parvis

import java.nio.ByteBuffer
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * A camera or screen that the app encodes, such as by a phone's encoder that takes the camera's surface. [turnOff] turns
 * it off; so does [close], which frees it too.
 */
public class EncodedSource internal constructor(private val native: dev.parvis.ffi.EncodedSource) :
    ScreenSound by NativeScreenSound(native::shareSound, native::pushSoundF32, native::pushSoundI16),
    AutoCloseable {
    /**
     * Sends a frame of a layer; never waits. Frames of a layer that nobody watches are thrown away.
     *
     * @param layer in the order in which the layers were given
     * @param payload a direct buffer, from its position on; it is copied once
     * @param timestampUs when it was captured, by [Meeting.clockUs]
     * @param key whether it needs no earlier frame
     * @param temporalId its temporal layer, 0 the base
     */
    public fun push(layer: Int, payload: ByteBuffer, timestampUs: Long, key: Boolean, temporalId: Int = 0): Unit =
        lend(payload) { native.push(layer, it, timestampUs, key, temporalId) }

    /**
     * What the encoder is to do next; null: it was turned off, or the meeting is over. For one caller at a time. Whoever calls
     * late gets the outcome, nothing piles up.
     */
    public suspend fun nextDemand(): EncodedDemand? = untilClosed { native.nextDemand() }?.lift()

    /** What the encoder is to do, as it comes. */
    public fun demands(): Flow<EncodedDemand> = flow { while (true) emit(nextDemand() ?: break) }

    /** Mutes: nothing is captured, and the tracks stay announced. */
    public suspend fun mute(): Unit = awaitLibrary { native.mute() }

    /** Turns it on again. */
    public suspend fun unmute(): Unit = awaitLibrary { native.unmute() }

    /** The tracks, whether they are watched, and what became of their frames. */
    public fun stats(): List<LocalStats> = inLibrary { native.stats() }.map(LocalStats::lift)

    /** Turns it off: a [nextDemand] that waits returns null. Who is cancelled meanwhile turns it off all the same. */
    public suspend fun turnOff(): Unit = turnedOff { native.turnOff() }

    /** Turns it off and frees it. Once more does nothing. */
    override fun close(): Unit = turnOffAndClose(native, native.uniffiIsDestroyed) { native.turnOff() }
}

/** What the encoder of a source is to do; layers are in the order in which they were given. */
public sealed interface EncodedDemand {
    /** Somebody watches a layer, or nobody: then it need not be encoded. At first nobody does. */
    public data class Watched(val layer: Int, val watched: Boolean) : EncodedDemand

    /** The next frame of a layer should be a key frame. */
    public data class KeyFrame(val layer: Int) : EncodedDemand

    /** A layer should take so many bits a second from here on. */
    public data class Bitrate(val layer: Int, val bitrate: Int) : EncodedDemand

    /** All layers should have at most so many frames a second from here on; null: as many as come. */
    public data class MaxRate(val frameRate: Int?) : EncodedDemand

    /** Nothing is to be captured, or again. */
    public data class Paused(val paused: Boolean) : EncodedDemand

    /** What a newer library asks for. */
    public data object Unknown : EncodedDemand
}

/**
 * Somebody's camera or screen as it was encoded, for a decoder of the app, in the layer that fits what is shown. [close]
 * ends it.
 */
public class RemoteEncodedPicture internal constructor(
    private val native: dev.parvis.ffi.RemoteEncodedPicture,
) : AutoCloseable {
    /** The next frame, in order, to be closed; null: it left, the meeting is over, or this was closed. */
    public suspend fun next(): EncodedPicture? = untilClosed { native.next() }?.let(::EncodedPicture)

    /** The frames as they come; each holds until the collector has taken it. */
    public fun frames(): Flow<EncodedPicture> = flow { while (true) (next() ?: break).use { emit(it) } }

    /** Says what is shown of it from here on. */
    public fun setTarget(target: VideoTarget): Unit = inLibrary { native.setTarget(target) }

    /** Asks for a key frame, as a decoder needs one that has lost its references. */
    public fun askKey(): Unit = inLibrary { native.askKey() }

    /** The track that is received, such as `camera/360p`, as of the last frame; null: none. */
    public fun layer(): String? = inLibrary { native.layer() }

    /** Codec, size and configuration of the track that is received, as of the last frame. */
    public fun params(): VideoParams? = inLibrary { native.params() }

    /** What became of the frames of the track that is received, as of the last frame. */
    public fun stats(): RemoteStats = inLibrary { native.stats() }

    /** Ends it: a [next] that waits returns null. Once more does nothing. */
    override fun close() {
        if (native.uniffiIsDestroyed) return
        native.cancel()
        native.close()
    }
}

/**
 * An encoded picture of somebody, in the library's memory until it is closed.
 *
 * @property frame the frame
 * @property begins set where it begins another layer or codec, with a key frame: a decoder is opened anew, for this
 * @property arrivedUs when it had come whole, by this machine's wall clock, microseconds since 1970
 * @property gap how many frames are known to be missing right before it
 */
public class EncodedPicture internal constructor(private val native: dev.parvis.ffi.EncodedPicture) : AutoCloseable {
    public val frame: EncodedFrame = EncodedFrame(native.frame)
    public val begins: VideoParams? get() = native.begins
    public val arrivedUs: Long get() = native.arrivedUs
    public val gap: Long get() = native.gap

    /** Frees it. Once more does nothing. */
    override fun close(): Unit = frame.close()
}

/**
 * A frame of video as it was encoded, in the library's memory until it is closed.
 *
 * @property timestampUs when it was captured, by the publisher's wall clock, microseconds since 1970
 * @property key whether it needs no earlier frame
 * @property temporalId its temporal layer, 0 the base
 */
public class EncodedFrame internal constructor(private val native: dev.parvis.ffi.EncodedFrame) : AutoCloseable {
    private val layout = inLibrary { native.layout() }

    public val timestampUs: Long get() = layout.timestampUs
    public val key: Boolean get() = layout.key
    public val temporalId: Int get() = layout.temporalId

    /** The bitstream. Not to be read any more once this is closed. */
    public val payload: ByteBuffer
        get() = view(native, native.uniffiIsDestroyed, layout.address, layout.length).asReadOnlyBuffer()

    /** Frees it. Once more does nothing. */
    override fun close(): Unit = native.close()
}

private fun dev.parvis.ffi.EncodedDemand.lift(): EncodedDemand =
    when (this) {
        is dev.parvis.ffi.EncodedDemand.Watched -> EncodedDemand.Watched(layer, watched)
        is dev.parvis.ffi.EncodedDemand.KeyFrame -> EncodedDemand.KeyFrame(layer)
        is dev.parvis.ffi.EncodedDemand.Bitrate -> EncodedDemand.Bitrate(layer, bitrate)
        is dev.parvis.ffi.EncodedDemand.MaxRate -> EncodedDemand.MaxRate(frameRate)
        is dev.parvis.ffi.EncodedDemand.Paused -> EncodedDemand.Paused(paused)
        is dev.parvis.ffi.EncodedDemand.Unknown -> EncodedDemand.Unknown
    }
