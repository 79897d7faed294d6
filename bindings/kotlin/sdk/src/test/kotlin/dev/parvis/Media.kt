package dev.parvis

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.log10

/** The files of SCENARIO.md. */
object Media {
    private val folder = File(System.getProperty("parvis.media"))

    const val WIDTH = 320
    const val HEIGHT = 180

    /** The pictures of camera.y4m, packed I420 each. */
    val pictures: List<ByteBuffer> by lazy {
        val bytes = File(folder, "camera.y4m").readBytes()
        val size = WIDTH * HEIGHT * 3 / 2
        val marker = "FRAME\n".length
        val header = bytes.indexOf('\n'.code.toByte()) + 1
        val count = (bytes.size - header) / (size + marker)
        List(count) { index ->
            val start = header + index * (size + marker) + marker
            ByteBuffer.allocateDirect(size).put(bytes, start, size).flip()
        }
    }

    /** The sound of microphone.wav, frames of 20 ms. */
    val sounds: List<ShortArray> by lazy {
        val bytes = File(folder, "microphone.wav").readBytes()
        val samples = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).position(44).slice()
        val all = samples.order(ByteOrder.LITTLE_ENDIAN).asShortBuffer()
        List(all.remaining() / FRAME) { ShortArray(FRAME).also(all::get) }
    }

    const val FRAME = 960

    /** A picture of the file, to be pushed. */
    fun picture(index: Int): Picture {
        val bytes = pictures[index % pictures.size]
        val luma = WIDTH * HEIGHT
        return Picture(
            WIDTH,
            HEIGHT,
            bytes.duplicate().limit(luma),
            bytes.duplicate().position(luma).limit(luma * 5 / 4),
            bytes.duplicate().position(luma * 5 / 4),
        )
    }

    /** The number in a picture's bar code; null: it is damaged or absent. */
    fun number(picture: VideoFrame): Int? {
        val row = maxOf(4, picture.height / 10) / 2 * picture.yStride
        val luma = picture.y
        var bits = 0
        for (cell in 0 until 32) {
            val middle = (2 * cell + 1) * picture.width / 64
            val isWhite = (luma.get(row + middle).toInt() and 0xff) > 128
            bits = (bits shl 1) or (if (isWhite) 1 else 0)
        }
        val number = bits ushr 8
        val check = (number * 0x9e3779b1.toInt() ushr 24) xor 0xa5
        return number.takeIf { bits and 0xff == check }
    }

    /** How much louder one tone is than another in a stretch of mono sound, decibels. */
    fun louder(samples: FloatArray, tone: Double, than: Double): Double =
        10 * log10((power(samples, tone) + 1e-12) / (power(samples, than) + 1e-12))

    /** Goertzel's algorithm: the power of one frequency. */
    private fun power(samples: FloatArray, frequency: Double): Double {
        val coefficient = 2 * cos(2 * PI * frequency / 48_000)
        var before = 0.0
        var last = 0.0
        for (sample in samples) {
            val now = sample + coefficient * last - before
            before = last
            last = now
        }
        return (last * last + before * before - coefficient * last * before) / samples.size
    }
}
