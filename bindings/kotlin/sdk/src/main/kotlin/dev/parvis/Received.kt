package dev.parvis

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/** Somebody's voice: received while there is one, across mutes and reconnections. [close] ends it. */
public class RemoteVoice internal constructor(private val native: dev.parvis.ffi.RemoteVoice) : AutoCloseable {
    /** The next sound, 20 ms, to be closed; null: it left, the meeting is over, or this was closed. */
    public suspend fun next(): AudioFrame? = untilClosed { native.next() }?.let(::AudioFrame)

    /** The sound as it comes; each frame holds until the collector has taken it. */
    public fun frames(): Flow<AudioFrame> = flow { while (true) (next() ?: break).use { emit(it) } }

    /** Ends it: a [next] that waits returns null. Once more does nothing. */
    override fun close() {
        if (native.uniffiIsDestroyed) return
        native.cancel()
        native.close()
    }
}

/** Somebody's camera or screen, in the layer that fits what is shown. [close] ends it. */
public class RemotePicture internal constructor(private val native: dev.parvis.ffi.RemotePicture) : AutoCloseable {
    /** The next picture, to be closed; null: it left, the meeting is over, or this was closed. */
    public suspend fun next(): VideoFrame? = untilClosed { native.next() }?.let(::VideoFrame)

    /** The pictures as they come; each holds until the collector has taken it. */
    public fun frames(): Flow<VideoFrame> = flow { while (true) (next() ?: break).use { emit(it) } }

    /** Says what is shown of it from here on. */
    public fun setTarget(target: VideoTarget): Unit = inLibrary { native.setTarget(target) }

    /** What became of the frames of the track that is received, as of the last picture. */
    public fun stats(): RemoteStats = inLibrary { native.stats() }

    /** The track that is received, such as `camera/360p`, as of the last picture; null: none. */
    public fun layer(): String? = inLibrary { native.layer() }

    /** The decoder at work, as of the last picture; null: nothing was received. */
    public fun codec(): CodecInUse? = inLibrary { native.codec() }?.let(CodecInUse::lift)

    /** Codec strings of layers that nobody here decodes: why there is no picture, or not the one that would fit. */
    public suspend fun undecodable(): List<String> = awaitLibrary { native.undecodable() }

    /** Ends it: a [next] that waits returns null. Once more does nothing. */
    override fun close() {
        if (native.uniffiIsDestroyed) return
        native.cancel()
        native.close()
    }
}

/**
 * A stretch of sound that was received, in the library's memory until it is closed.
 *
 * @property channels 1 or 2
 * @property timestampUs when its first sample was captured, by the publisher's wall clock, microseconds since 1970
 * @property belowFullScale decibels below the loudest possible signal, as the publisher says: 0 is loudest, 127 silence
 * @property arrivedUs when it had come whole, by this machine's wall clock, microseconds since 1970; null: it did not come and
 * was made up, or is mixed
 */
public class AudioFrame internal constructor(private val native: dev.parvis.ffi.AudioFrame) : AutoCloseable {
    private val layout = inLibrary { native.layout() }

    public val channels: Int get() = layout.channels
    public val timestampUs: Long get() = layout.timestampUs
    public val belowFullScale: Int? get() = layout.belowFullScale
    public val arrivedUs: Long? get() = layout.arrivedUs

    /** The samples: interleaved, 48 kHz, -1 to 1. Not to be read any more once this is closed. */
    public val samples: FloatBuffer
        get() {
            val bytes = view(native, native.uniffiIsDestroyed, layout.address, layout.samples * Float.SIZE_BYTES)
            return bytes.order(ByteOrder.nativeOrder()).asFloatBuffer()
        }

    /** Frees it. Once more does nothing. */
    override fun close(): Unit = native.close()
}

/**
 * A picture that was received: I420 in the library's memory until it is closed.
 *
 * @property width pixels across
 * @property height pixels down
 * @property timestampUs when it was captured, by the publisher's wall clock, microseconds since 1970
 * @property arrivedUs when it had come whole, by this machine's wall clock, microseconds since 1970; null: it is one's own
 * @property yStride bytes from one row of [y] to the next
 * @property uvStride bytes from one row of [u] and [v] to the next
 */
public class VideoFrame internal constructor(private val native: dev.parvis.ffi.VideoFrame) : AutoCloseable {
    private val layout = inLibrary { native.layout() }

    public val width: Int get() = layout.width
    public val height: Int get() = layout.height
    public val timestampUs: Long get() = layout.timestampUs
    public val arrivedUs: Long? get() = layout.arrivedUs
    public val yStride: Int get() = layout.yStride
    public val uvStride: Int get() = layout.uvStride

    /** Luma. Not to be read any more once this is closed. */
    public val y: ByteBuffer get() = plane(layout.y, yStride * height)

    /** Blue difference, half as wide and high, rounded up. */
    public val u: ByteBuffer get() = plane(layout.u, uvStride * ((height + 1) / 2))

    /** Red difference. */
    public val v: ByteBuffer get() = plane(layout.v, uvStride * ((height + 1) / 2))

    /** Frees it. Once more does nothing. */
    override fun close(): Unit = native.close()

    private fun plane(address: Long, length: Int) = view(native, native.uniffiIsDestroyed, address, length).asReadOnlyBuffer()
}

/** The next item; null: what it comes from was closed. */
internal suspend fun <T : Any> untilClosed(next: suspend () -> T?): T? =
    try {
        awaitLibrary { next() }
    } catch (error: ParvisException) {
        if (error.kind == ErrorKind.LEFT) null else throw error
    }

