package dev.parvis.android

import android.media.MediaFormat
import java.nio.ByteBuffer

/** A video codec that a phone may have in hardware. */
public enum class VideoFormat(internal val mime: String, private vararg val families: String) {
    /** AV1: everybody decodes it, for the library has it built in; few phones encode it. */
    AV1(MediaFormat.MIMETYPE_VIDEO_AV1, "av01"),

    /** H.264, constrained baseline. */
    H264(MediaFormat.MIMETYPE_VIDEO_AVC, "avc1", "avc3"),

    /** H.265, main. */
    H265(MediaFormat.MIMETYPE_VIDEO_HEVC, "hvc1", "hev1"),
    ;

    /** Whether a codec string of a catalog is of this. */
    internal fun isOf(codec: String) = codec.substringBefore('.') in families

    /** What the catalog says of a stream of this size and rate, at the lowest level that holds it. */
    internal fun codecString(width: Int, height: Int, rate: Double): String {
        val pixels = width.toLong() * height
        return when (this) {
            AV1 -> "av01"
            H264 -> {
                val blocks = ((width + 15) / 16).toLong() * ((height + 15) / 16)
                val level = H264_LEVELS.find { blocks <= it.most && blocks * rate <= it.mostPerSecond } ?: H264_LEVELS.last()
                "avc1.42E0%02X".format(level.number)
            }
            H265 -> {
                val level = H265_LEVELS.find { pixels <= it.most && pixels * rate <= it.mostPerSecond } ?: H265_LEVELS.last()
                "hev1.1.6.L${level.number}.B0"
            }
        }
    }

    /**
     * What comes before a key frame so that it can be decoded alone; null: nothing, it has its parameter sets.
     *
     * @param config what the codec gave as its configuration: of AV1 `av1C`, else parameter sets
     */
    internal fun before(packet: ByteBuffer, config: ByteBuffer): ByteBuffer? {
        val sets = config.duplicate()
        if (this == AV1) sets.position(minOf(AV1C_HEADER, sets.limit()))
        if (!sets.hasRemaining()) return null
        return if (isInside(sets, packet)) null else sets.slice()
    }

    /** Whether the packet has these parameter sets in its first bytes, as after a delimiter. */
    private fun isInside(sets: ByteBuffer, packet: ByteBuffer): Boolean =
        (0..DELIMITER).any { offset ->
            packet.remaining() >= offset + sets.remaining() &&
                (0 until sets.remaining()).all { packet.get(packet.position() + offset + it) == sets.get(sets.position() + it) }
        }

    private class Level(val number: Int, val most: Long, val mostPerSecond: Long)

    private companion object {
        const val AV1C_HEADER = 4

        /** A delimiter's bytes, at most. */
        const val DELIMITER = 8

        /** ITU-T H.264, table A-1: macroblocks. */
        val H264_LEVELS = listOf(
            Level(13, 396, 11_880),
            Level(21, 792, 19_800),
            Level(30, 1_620, 40_500),
            Level(31, 3_600, 108_000),
            Level(40, 8_192, 245_760),
            Level(51, 36_864, 983_040),
        )

        /** ITU-T H.265, tables A.8 and A.9: luma samples. */
        val H265_LEVELS = listOf(
            Level(60, 122_880, 3_686_400),
            Level(90, 552_960, 16_588_800),
            Level(93, 983_040, 33_177_600),
            Level(120, 2_228_224, 66_846_720),
            Level(123, 2_228_224, 133_693_440),
            Level(153, 8_912_896, 534_773_760),
        )
    }
}
