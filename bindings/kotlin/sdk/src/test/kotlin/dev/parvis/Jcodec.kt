package dev.parvis

import java.nio.ByteBuffer
import org.jcodec.codecs.h264.H264Decoder
import org.jcodec.codecs.h264.H264Encoder
import org.jcodec.codecs.h264.io.model.SliceType
import org.jcodec.common.model.ColorSpace
import org.jcodec.common.model.Picture as JcodecPicture

/** H.264 by jcodec: real codecs that the library knows nothing of. They work at once, in the call. */
object Jcodec : VideoEncoderFactory, VideoDecoderFactory {
    const val CODEC = "avc1.42E01F"

    override fun create(config: VideoEncoderConfig, sink: EncodedSink): VideoEncoder = Encoder(sink)

    override fun create(stream: VideoParams, sink: PictureSink): VideoDecoder? =
        if (stream.codec == CODEC) Decoder(stream, sink) else null

    private class Encoder(private val sink: EncodedSink) : VideoEncoder {
        private val encoder = H264Encoder.createH264Encoder()
        private var number = 0

        override val caps = VideoEncoderCaps("jcodec", CODEC, 0, false, true, 1)

        override fun encode(frame: VideoFrame, key: Boolean) =
            frame.use {
                val picture = JcodecPicture.create(it.width, it.height, ColorSpace.YUV420J)
                lift(it.y, it.yStride, picture, 0)
                lift(it.u, it.uvStride, picture, 1)
                lift(it.v, it.uvStride, picture, 2)
                val out = ByteBuffer.allocate(encoder.estimateBufferSize(picture))
                val packet = encode(picture, out, key)
                sink.push(direct(packet), it.timestampUs, key)
            }

        private fun encode(picture: JcodecPicture, out: ByteBuffer, key: Boolean): ByteBuffer {
            number = if (key) 0 else number + 1
            return encoder.doEncodeFrame(picture, out, key, number, if (key) SliceType.I else SliceType.P)
        }

        private fun lift(plane: ByteBuffer, stride: Int, picture: JcodecPicture, index: Int) {
            val (width, height) = picture.getPlaneWidth(index) to picture.getPlaneHeight(index)
            val into = picture.getPlaneData(index)
            for (row in 0 until height) {
                for (x in 0 until width) into[row * width + x] = signed(plane.get(row * stride + x))
            }
        }

        override fun setBitrate(bitrate: Int) = Unit

        override fun flush() = Unit

        override fun release() = Unit
    }

    private class Decoder(private val stream: VideoParams, private val sink: PictureSink) : VideoDecoder {
        private var decoder = H264Decoder()

        override val caps = VideoDecoderCaps("jcodec", 0)

        override fun decode(frame: EncodedFrame) =
            frame.use {
                val packet = ByteBuffer.allocate(it.payload.remaining()).put(it.payload).flip()
                val into = JcodecPicture.create(aligned(stream.width), aligned(stream.height), ColorSpace.YUV420J)
                val picture = decoder.decodeFrame(packet, into.data)
                sink.push(lower(picture, it.timestampUs))
            }

        private fun lower(picture: JcodecPicture, timestampUs: Long): Picture {
            val planes = List(3) { index ->
                val bytes = picture.getPlaneData(index)
                val plane = ByteBuffer.allocateDirect(bytes.size)
                for (byte in bytes) plane.put(signed(byte))
                plane.flip()
            }
            val (y, u, v) = planes
            return Picture(
                stream.width,
                stream.height,
                y,
                u,
                v,
                picture.getPlaneWidth(0),
                picture.getPlaneWidth(1),
                timestampUs = timestampUs,
            )
        }

        override fun reset() {
            decoder = H264Decoder()
        }

        override fun flush() = Unit

        override fun release() = Unit
    }

    private fun aligned(side: Int) = (side + 15) / 16 * 16

    private fun direct(packet: ByteBuffer): ByteBuffer = ByteBuffer.allocateDirect(packet.remaining()).put(packet).flip()

    /** From 0 to 255 to -128 to 127, as jcodec has them, and back. */
    private fun signed(byte: Byte) = (byte.toInt() xor 0x80).toByte()
}
