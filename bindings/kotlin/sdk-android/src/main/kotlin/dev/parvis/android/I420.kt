package dev.parvis.android

import dev.parvis.Picture
import dev.parvis.VideoFrame
import java.nio.ByteBuffer

/** A picture of one's own, made of a screen's: BT.601, limited range, as cameras give. */
internal class I420(val width: Int, val height: Int) {
    private val chromaWidth = (width + 1) / 2
    private val chromaHeight = (height + 1) / 2
    private val y = ByteBuffer.allocateDirect(width * height)
    private val u = ByteBuffer.allocateDirect(chromaWidth * chromaHeight)
    private val v = ByteBuffer.allocateDirect(chromaWidth * chromaHeight)
    private val row = ByteArray(width * 4)

    /** Fills it from red, green, blue and a byte more for each pixel. */
    fun fill(rgba: ByteBuffer, stride: Int) {
        val luma = ByteArray(width)
        val blue = ByteArray(chromaWidth)
        val red = ByteArray(chromaWidth)
        for (line in 0 until height) {
            rgba.duplicate().position(line * stride).get(row)
            for (x in 0 until width) {
                val r = byte(x * 4)
                val g = byte(x * 4 + 1)
                val b = byte(x * 4 + 2)
                luma[x] = (((66 * r + 129 * g + 25 * b + 128) shr 8) + 16).toByte()
                if (x % 2 == 0) {
                    blue[x / 2] = (((-38 * r - 74 * g + 112 * b + 128) shr 8) + 128).toByte()
                    red[x / 2] = (((112 * r - 94 * g - 18 * b + 128) shr 8) + 128).toByte()
                }
            }
            y.duplicate().position(line * width).put(luma)
            if (line % 2 == 0) {
                u.duplicate().position(line / 2 * chromaWidth).put(blue)
                v.duplicate().position(line / 2 * chromaWidth).put(red)
            }
        }
    }

    /** To be pushed. */
    fun picture(): Picture = Picture(width, height, y.duplicate(), u.duplicate(), v.duplicate())

    private fun byte(index: Int) = row[index].toInt() and 0xff
}

/** A received picture's pixels as Android's bitmaps have them, alpha first. */
internal class Pixels {
    private var luma = ByteArray(0)
    private var blue = ByteArray(0)
    private var red = ByteArray(0)

    /** The pixels, row by row; overwritten by the next call. */
    var argb: IntArray = IntArray(0)
        private set

    /** Takes in a picture that was received. */
    fun take(frame: VideoFrame): Unit =
        take(frame.width, frame.height, Planes(frame.y, frame.u, frame.v, frame.yStride, frame.uvStride))

    /** Takes in planes: BT.601, limited range. */
    fun take(width: Int, height: Int, planes: Planes) {
        val chromaWidth = (width + 1) / 2
        if (argb.size != width * height) argb = IntArray(width * height)
        if (luma.size < width) luma = ByteArray(width)
        if (blue.size < chromaWidth) {
            blue = ByteArray(chromaWidth)
            red = ByteArray(chromaWidth)
        }
        for (line in 0 until height) {
            planes.y.duplicate().position(line * planes.yStride).get(luma, 0, width)
            if (line % 2 == 0) {
                planes.u.duplicate().position(line / 2 * planes.uvStride).get(blue, 0, chromaWidth)
                planes.v.duplicate().position(line / 2 * planes.uvStride).get(red, 0, chromaWidth)
            }
            for (x in 0 until width) argb[line * width + x] = pixel(x)
        }
    }

    private fun pixel(x: Int): Int {
        val c = 298 * ((luma[x].toInt() and 0xff) - 16) + 128
        val d = (blue[x / 2].toInt() and 0xff) - 128
        val e = (red[x / 2].toInt() and 0xff) - 128
        val r = level(c + 409 * e)
        val g = level(c - 100 * d - 208 * e)
        val b = level(c + 516 * d)
        return (0xff shl 24) or (r shl 16) or (g shl 8) or b
    }

    private fun level(scaled: Int) = (scaled shr 8).coerceIn(0, 255)
}

/** Luma and chroma, and how far their rows are apart. */
internal class Planes(val y: ByteBuffer, val u: ByteBuffer, val v: ByteBuffer, val yStride: Int, val uvStride: Int)
