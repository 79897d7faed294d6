package dev.parvis

import java.nio.ByteBuffer
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicInteger
import java.util.zip.DataFormatException
import java.util.zip.Deflater
import java.util.zip.Inflater

/**
 * A platform's codec, written in Kotlin: pictures, deflated. It works in a thread of its own, as hardware does.
 *
 * @param codec what catalogs call it
 * @param failAfter after how many frames it breaks; null: never
 */
class FakeHardware(
    private val codec: String = CODEC,
    private val failAfter: Int? = null,
    private val failing: (said: (String) -> Unit) -> Unit = { error("taken away") },
) : VideoEncoderFactory, VideoDecoderFactory {
    /** Frames that were given to its encoders and decoders. */
    val frames = AtomicInteger()

    /** Encoders and decoders that were made, less those that were released. */
    val open = AtomicInteger()

    /** Key frames that were asked of its encoders. */
    val keys = AtomicInteger()

    override fun create(config: VideoEncoderConfig, sink: EncodedSink): VideoEncoder = Encoder(sink)

    override fun create(stream: VideoParams, sink: PictureSink): VideoDecoder? =
        if (stream.codec.startsWith(codec)) Decoder(stream, sink) else null

    private fun isTimeToFail() = frames.incrementAndGet() > (failAfter ?: Int.MAX_VALUE)

    /** What both have: a thread. */
    private abstract inner class Works {
        private val thread = Executors.newSingleThreadExecutor()

        init {
            open.incrementAndGet()
        }

        fun work(work: () -> Unit) {
            thread.execute(work)
        }

        fun flush() = Unit

        fun reset() = Unit

        fun release() {
            thread.shutdown()
            open.decrementAndGet()
        }
    }

    private inner class Encoder(private val sink: EncodedSink) : Works(), VideoEncoder {
        override val caps = VideoEncoderCaps(NAME, codec, 0, true, true, 1)

        override fun encode(frame: VideoFrame, key: Boolean) {
            if (isTimeToFail()) failing(sink::fail)
            if (key) keys.incrementAndGet()
            work { frame.use { sink.push(pack(it), it.timestampUs, key) } }
        }

        override fun setBitrate(bitrate: Int) = Unit
    }

    private inner class Decoder(private val stream: VideoParams, private val sink: PictureSink) : Works(), VideoDecoder {
        override val caps = VideoDecoderCaps(NAME, 0)

        override fun decode(frame: EncodedFrame) {
            if (isTimeToFail()) failing(sink::fail)
            work {
                try {
                    frame.use { sink.push(unpack(it.payload, stream.width, stream.height, it.timestampUs)) }
                } catch (_: DataFormatException) {
                    // The publisher may change its codec before the catalog says so.
                }
            }
        }
    }

    companion object {
        const val NAME = "Fake hardware"
        const val CODEC = "x-deflate"

        /** A picture's planes, one after the other, deflated. */
        fun pack(frame: VideoFrame): ByteBuffer {
            val plain = ByteBuffer.allocate(frame.width * frame.height * 3 / 2)
            rows(plain, frame.y, frame.yStride, frame.width, frame.height)
            for (chroma in listOf(frame.u, frame.v)) {
                rows(plain, chroma, frame.uvStride, frame.width / 2, frame.height / 2)
            }
            return pack(plain.flip())
        }

        fun pack(plain: ByteBuffer): ByteBuffer {
            val packed = ByteBuffer.allocateDirect(plain.remaining() + 1024)
            Deflater(Deflater.BEST_SPEED).run {
                setInput(plain)
                finish()
                deflate(packed)
                end()
            }
            return packed.flip()
        }

        private fun rows(out: ByteBuffer, plane: ByteBuffer, stride: Int, width: Int, height: Int) {
            for (row in 0 until height) out.put(plane.duplicate().position(row * stride).limit(row * stride + width))
        }

        fun unpack(packed: ByteBuffer, width: Int, height: Int, timestampUs: Long): Picture {
            val plain = ByteBuffer.allocateDirect(width * height * 3 / 2)
            Inflater().run {
                setInput(packed)
                inflate(plain)
                end()
            }
            val luma = width * height
            return Picture(
                width,
                height,
                plain.duplicate().position(0).limit(luma),
                plain.duplicate().position(luma).limit(luma * 5 / 4),
                plain.duplicate().position(luma * 5 / 4).limit(luma * 3 / 2),
                timestampUs = timestampUs,
            )
        }
    }
}
