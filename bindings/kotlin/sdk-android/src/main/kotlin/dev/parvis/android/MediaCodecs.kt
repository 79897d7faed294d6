package dev.parvis.android

import android.media.MediaCodecInfo
import android.media.MediaCodecInfo.CodecCapabilities
import android.media.MediaCodecList
import dev.parvis.Codecs
import dev.parvis.EncodedSink
import dev.parvis.PictureSink
import dev.parvis.VideoDecoder
import dev.parvis.VideoDecoderFactory
import dev.parvis.VideoEncoder
import dev.parvis.VideoEncoderConfig
import dev.parvis.VideoEncoderFactory
import dev.parvis.VideoParams

/**
 * The phone's hardware codecs, by `MediaCodec`: for [dev.parvis.JoinOptions.codecs].
 *
 * Where the phone has none for a size and rate, the library's own codec works. That one knows AV1 only: whoever encodes
 * H.264 or H.265 is seen by those alone whose platforms decode it, so they are not among [encode] unless an app knows who
 * joins.
 *
 * @param encode what is encoded, preferred first
 * @param decode what is decoded
 */
public fun mediaCodecs(
    encode: List<VideoFormat> = listOf(VideoFormat.AV1),
    decode: List<VideoFormat> = VideoFormat.entries,
): Codecs = Codecs(HardwareEncoders(encode), HardwareDecoders(decode))

private class HardwareEncoders(private val formats: List<VideoFormat>) : VideoEncoderFactory {
    override fun create(config: VideoEncoderConfig, sink: EncodedSink): VideoEncoder? =
        formats.firstNotNullOfOrNull { format ->
            val codec = hardware(format, config.width, config.height, config.frameRate, isEncoder = true)
            codec?.let { HardwareEncoder(it, format, config, sink) }
        }
}

private class HardwareDecoders(private val formats: List<VideoFormat>) : VideoDecoderFactory {
    override fun create(stream: VideoParams, sink: PictureSink): VideoDecoder? {
        val format = formats.find { it.isOf(stream.codec) } ?: return null
        val rate = stream.framerate ?: USUAL_RATE
        val codec = hardware(format, stream.width, stream.height, rate, isEncoder = false) ?: return null
        return HardwareDecoder(codec.name, format, stream, sink)
    }
}

private const val USUAL_RATE = 30.0

/** A codec in hardware that can do this, whose pictures lie in memory, where they can be read. */
private fun hardware(format: VideoFormat, width: Int, height: Int, rate: Double, isEncoder: Boolean): MediaCodecInfo? =
    MediaCodecList(MediaCodecList.REGULAR_CODECS).codecInfos.find { codec ->
        codec.isEncoder == isEncoder &&
            codec.isHardwareAccelerated &&
            format.mime in codec.supportedTypes &&
            codec.getCapabilitiesForType(format.mime).run {
                CodecCapabilities.COLOR_FormatYUV420Flexible in colorFormats &&
                    !isFeatureRequired(CodecCapabilities.FEATURE_SecurePlayback) &&
                    !isFeatureRequired(CodecCapabilities.FEATURE_TunneledPlayback) &&
                    videoCapabilities.areSizeAndRateSupported(width, height, rate)
            }
    }
