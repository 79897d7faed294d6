package dev.parvis.android

import android.media.Image
import android.media.MediaCodec
import android.media.MediaCodecInfo.CodecCapabilities
import android.media.MediaFormat
import dev.parvis.EncodedFrame
import dev.parvis.ErrorKind
import dev.parvis.ParvisException
import dev.parvis.Picture
import dev.parvis.PictureSink
import dev.parvis.VideoDecoder
import dev.parvis.VideoDecoderCaps
import dev.parvis.VideoParams
import java.nio.ByteBuffer
import java.util.concurrent.Semaphore
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean

/** A phone's video decoder. */
internal class HardwareDecoder(
    private val name: String,
    private val format: VideoFormat,
    private val stream: VideoParams,
    private val sink: PictureSink,
) : VideoDecoder {
    private val room = Semaphore(MOST)
    private val recovery = Recovery(MOST_FAILURES)

    // Made anew by the thread that decodes, after a failure.
    private var codec = Codec()

    override val caps: VideoDecoderCaps get() = VideoDecoderCaps(name, 0)

    override fun decode(frame: EncodedFrame) {
        if (recovery.isBroken) reopen(frame)
        // The library keeps what is to be decoded, and knows what to leave out.
        if (!room.tryAcquire(PATIENCE_S, TimeUnit.SECONDS)) {
            codec.failed("$name takes nothing")
            throw ParvisException(ErrorKind.BAD_FRAME, "$name takes nothing, and another one needs a key frame")
        }
        codec.give(Given(frame, room))
    }

    /** As when Android took it away in the background: another one begins with the next key frame. */
    private fun reopen(frame: EncodedFrame) {
        if (!frame.key) throw ParvisException(ErrorKind.BAD_FRAME, "$name failed, and another one needs a key frame")
        codec.release()
        codec = Codec()
        recovery.opened()
    }

    // A key frame follows, which needs nothing of what the codec knows.
    override fun reset(): Unit = codec.forget()

    override fun flush(): Unit = Unit

    override fun release(): Unit = codec.release()

    private class Given(val frame: EncodedFrame, private val room: Semaphore) : AutoCloseable {
        override fun close() {
            frame.close()
            room.release()
        }
    }

    private inner class Codec : HardwareCodec<Given>(name, settings(), 0, MOST) {
        private val isBroken = AtomicBoolean()

        init {
            begin()
        }

        override fun put(codec: MediaCodec, input: Int, item: Given) {
            val into = codec.getInputBuffer(input) ?: return
            val packet = item.frame.payload
            if (packet.remaining() > into.remaining()) {
                failed("a frame of ${packet.remaining()} bytes does not fit into ${into.remaining()}")
                return
            }
            val size = packet.remaining()
            into.put(packet)
            codec.queueInputBuffer(input, 0, size, item.frame.timestampUs, 0)
        }

        override fun take(codec: MediaCodec, output: Int, info: MediaCodec.BufferInfo) {
            if (info.size == 0) return
            val image = codec.getOutputImage(output)
            if (image == null) failed("the decoder gives no pictures in memory") else image.use { push(it, info) }
        }

        private fun push(image: Image, info: MediaCodec.BufferInfo) {
            val (y, u, v) = image.planes
            val shown = image.cropRect
            fun plane(plane: Image.Plane, left: Int, top: Int) =
                from(plane.buffer, left * plane.pixelStride + top * plane.rowStride)
            sink.push(
                Picture(
                    shown.width(),
                    shown.height(),
                    plane(y, shown.left, shown.top),
                    plane(u, shown.left / 2, shown.top / 2),
                    plane(v, shown.left / 2, shown.top / 2),
                    y.rowStride,
                    u.rowStride,
                    u.pixelStride,
                    timestampUs = info.presentationTimeUs,
                ),
            )
            recovery.gave()
        }

        public override fun failed(reason: String) {
            // What it says after that is not of the one in its place.
            if (isBroken.getAndSet(true)) return
            forget()
            if (recovery.failed()) sink.fail(reason)
        }
    }

    private fun settings() =
        MediaFormat.createVideoFormat(format.mime, stream.width, stream.height).apply {
            setInteger(MediaFormat.KEY_COLOR_FORMAT, CodecCapabilities.COLOR_FormatYUV420Flexible)
            setInteger(MediaFormat.KEY_LOW_LATENCY, 1)
            stream.config?.let { setByteBuffer("csd-0", ByteBuffer.wrap(it)) }
        }

    private companion object {
        /** Frames that wait for the codec. */
        const val MOST = 4

        const val PATIENCE_S = 2L

        /** Codecs that fail one after the other, before the library's own has its turn. */
        const val MOST_FAILURES = 2
    }
}

/** How it stands with codecs of which one takes the place of another that failed. */
internal class Recovery(private val most: Int) {
    private var failures = 0

    /** Whether another one is needed. */
    @get:Synchronized
    var isBroken: Boolean = false
        private set

    /** The one there is has failed; true: so many in turn have, and gave nothing, that the next would too. */
    @Synchronized
    fun failed(): Boolean {
        isBroken = true
        failures += 1
        return failures >= most
    }

    /** There is another one. */
    @Synchronized
    fun opened() {
        isBroken = false
    }

    /** It gave a picture. */
    @Synchronized
    fun gave() {
        failures = 0
    }
}

/** A plane from where the picture that is shown begins. */
private fun from(plane: ByteBuffer, offset: Int): ByteBuffer = plane.duplicate().position(plane.position() + offset)
