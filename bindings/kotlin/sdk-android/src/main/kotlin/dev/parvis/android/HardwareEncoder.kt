package dev.parvis.android

import android.media.Image
import android.media.MediaCodec
import android.media.MediaCodecInfo
import android.media.MediaCodecInfo.CodecCapabilities
import android.media.MediaCodecInfo.CodecProfileLevel
import android.media.MediaCodecInfo.EncoderCapabilities
import android.media.MediaFormat
import android.os.Bundle
import dev.parvis.EncodedSink
import dev.parvis.VideoEncoder
import dev.parvis.VideoEncoderCaps
import dev.parvis.VideoEncoderConfig
import dev.parvis.VideoFrame
import java.nio.ByteBuffer

/** A phone's video encoder. */
internal class HardwareEncoder(
    private val info: MediaCodecInfo,
    private val format: VideoFormat,
    config: VideoEncoderConfig,
    private val sink: EncodedSink,
) : VideoEncoder {
    private val codec = Codec(config)
    private val codecString = format.codecString(config.width, config.height, config.frameRate)

    override val caps: VideoEncoderCaps get() = VideoEncoderCaps(info.name, codecString, 0, true, true, 1)

    override fun encode(frame: VideoFrame, key: Boolean): Unit = codec.give(Given(frame, key))

    override fun setBitrate(bitrate: Int): Unit = codec.setBitrate(bitrate)

    // What it holds back is of a camera that was turned off.
    override fun flush(): Unit = Unit

    override fun release(): Unit = codec.release()

    private class Given(val frame: VideoFrame, var key: Boolean) : AutoCloseable by frame

    private inner class Codec(config: VideoEncoderConfig) :
        HardwareCodec<Given>(info.name, settings(config), MediaCodec.CONFIGURE_FLAG_ENCODE, MOST) {
        private var parameterSets: ByteBuffer = ByteBuffer.allocate(0)

        init {
            begin()
        }

        override fun put(codec: MediaCodec, input: Int, item: Given) {
            if (item.key) codec.setParameters(Bundle().apply { putInt(MediaCodec.PARAMETER_KEY_REQUEST_SYNC_FRAME, 0) })
            val image = checkNotNull(codec.getInputImage(input)) { "the encoder takes no pictures in memory" }
            image.fill(item.frame)
            val bytes = item.frame.width * item.frame.height * 3 / 2
            codec.queueInputBuffer(input, 0, bytes, item.frame.timestampUs, 0)
        }

        // The library counts on a key frame that it asked for.
        override fun skip(item: Given, next: Given) {
            next.key = next.key || item.key
        }

        override fun take(codec: MediaCodec, output: Int, info: MediaCodec.BufferInfo) {
            val packet = codec.getOutputBuffer(output)?.position(info.offset)?.limit(info.offset + info.size) ?: return
            if (info.flags and MediaCodec.BUFFER_FLAG_CODEC_CONFIG != 0) {
                parameterSets = joined(packet)
                return
            }
            if (!packet.hasRemaining()) return
            val key = info.flags and MediaCodec.BUFFER_FLAG_KEY_FRAME != 0
            val before = if (key) format.before(packet, parameterSets) else null
            sink.push(if (before == null) packet else joined(before, packet), info.presentationTimeUs, key)
        }

        override fun failed(reason: String) = sink.fail(reason)

        fun setBitrate(bitrate: Int) = run { codec ->
            codec.setParameters(Bundle().apply { putInt(MediaCodec.PARAMETER_KEY_VIDEO_BITRATE, bitrate) })
        }
    }

    private fun settings(config: VideoEncoderConfig) =
        MediaFormat.createVideoFormat(format.mime, config.width, config.height).apply {
            setInteger(MediaFormat.KEY_COLOR_FORMAT, CodecCapabilities.COLOR_FormatYUV420Flexible)
            setInteger(MediaFormat.KEY_BIT_RATE, config.bitrate)
            val encoding = info.getCapabilitiesForType(format.mime).encoderCapabilities
            if (encoding.isBitrateModeSupported(EncoderCapabilities.BITRATE_MODE_CBR)) {
                setInteger(MediaFormat.KEY_BITRATE_MODE, EncoderCapabilities.BITRATE_MODE_CBR)
            }
            setFloat(MediaFormat.KEY_FRAME_RATE, config.frameRate.toFloat())
            // The library asks for them.
            setInteger(MediaFormat.KEY_I_FRAME_INTERVAL, -1)
            setInteger(MediaFormat.KEY_PREPEND_HEADER_TO_SYNC_FRAMES, 1)
            setInteger(MediaFormat.KEY_MAX_B_FRAMES, 0)
            if (format == VideoFormat.H264) {
                setInteger(MediaFormat.KEY_PROFILE, CodecProfileLevel.AVCProfileConstrainedBaseline)
            }
        }

    private companion object {
        /** An encoder that is behind skips pictures. */
        const val MOST = 2
    }
}

private fun Image.fill(frame: VideoFrame) {
    val (y, u, v) = planes
    copyPlane(frame.y, frame.yStride, frame.width, frame.height, y.buffer, y.rowStride, y.pixelStride)
    val (width, height) = (frame.width + 1) / 2 to (frame.height + 1) / 2
    copyPlane(frame.u, frame.uvStride, width, height, u.buffer, u.rowStride, u.pixelStride)
    copyPlane(frame.v, frame.uvStride, width, height, v.buffer, v.rowStride, v.pixelStride)
}

/** Copies a plane into one whose rows, and whose values in a row, may lie further apart. */
internal fun copyPlane(
    from: ByteBuffer,
    stride: Int,
    width: Int,
    height: Int,
    into: ByteBuffer,
    rowStride: Int,
    pixelStride: Int,
) {
    val row = ByteArray(width)
    val base = into.position()
    for (line in 0 until height) {
        from.duplicate().position(line * stride).get(row)
        val start = base + line * rowStride
        if (pixelStride == 1) {
            into.duplicate().position(start).put(row)
        } else {
            for (x in 0 until width) into.put(start + x * pixelStride, row[x])
        }
    }
}

/** All of them in one direct buffer. */
internal fun joined(vararg parts: ByteBuffer): ByteBuffer {
    val whole = ByteBuffer.allocateDirect(parts.sumOf(ByteBuffer::remaining))
    for (part in parts) whole.put(part.duplicate())
    return whole.flip()
}
