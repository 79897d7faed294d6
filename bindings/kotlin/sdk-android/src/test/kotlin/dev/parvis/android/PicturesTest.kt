package dev.parvis.android

import dev.parvis.Rotation
import dev.parvis.VideoTarget
import java.nio.ByteBuffer
import kotlin.math.abs
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import org.junit.Test

class PicturesTest {
    @Test
    fun `colours survive the way to a picture and back`() {
        val (width, height) = 6 to 4
        for (colour in listOf(0x000000, 0xffffff, 0xff0000, 0x00ff00, 0x0000ff, 0x804020)) {
            val stride = width * 4 + 8
            val rgba = ByteBuffer.allocateDirect(stride * height)
            for (line in 0 until height) {
                rgba.position(line * stride)
                repeat(width) {
                    for (shift in listOf(16, 8, 0)) rgba.put((colour shr shift).toByte())
                    rgba.put(0)
                }
            }
            rgba.rewind()
            val picture = I420(width, height).apply { fill(rgba, stride) }.picture()
            val pixels = Pixels()
            pixels.take(width, height, Planes(picture.y, picture.u, picture.v, picture.yStride, picture.uvStride))
            for (pixel in pixels.argb) {
                val far = listOf(16, 8, 0).maxOf { abs((pixel shr it and 0xff) - (colour shr it and 0xff)) }
                assertTrue(far <= 4, "%06x became %08x".format(colour, pixel))
                assertEquals(0xff, pixel ushr 24)
            }
        }
    }

    @Test
    fun `a small picture is received at half the rate`() {
        assertEquals(VideoTarget(360, 730, fps = 15), shownIn(360, 730))
        assertEquals(VideoTarget(1080, 730), shownIn(1080, 730))
        assertEquals(VideoTarget(1, 1, fps = 15), shownIn(0, 0))
    }

    @Test
    fun `a camera is brought upright however the phone is held`() {
        assertEquals(Rotation.CLOCKWISE, uprightBy(sensor = 90, held = 0, facesUser = false))
        assertEquals(Rotation.NONE, uprightBy(sensor = 90, held = 90, facesUser = false))
        assertEquals(Rotation.HALF, uprightBy(sensor = 90, held = 270, facesUser = false))
        assertEquals(Rotation.COUNTERCLOCKWISE, uprightBy(sensor = 270, held = 0, facesUser = true))
        assertEquals(Rotation.NONE, uprightBy(sensor = 270, held = 90, facesUser = true))
    }

    @Test
    fun `screens are made smaller, with even sides`() {
        assertEquals(590 to 1280, fitted(1080, 2340))
        assertEquals(1280 to 720, fitted(2560, 1440))
        assertEquals(800 to 480, fitted(800, 480))
    }

    @Test
    fun `people fill their rectangle, screens are whole`() {
        assertEquals(listOf(-50, 0, 150, 100), placed(200 to 100, 100 to 100, Fit.FILL))
        assertEquals(listOf(0, 25, 100, 75), placed(200 to 100, 100 to 100, Fit.WHOLE))
    }

    @Test
    fun `a screen of 60 pictures a second becomes one of 15`() {
        val pace = Pace(15)
        var given = 0
        var due: Long? = null
        for (frame in 0L until 60) {
            val now = frame * 1000 / 60
            due?.takeIf { it <= now }?.let {
                pace.given(it)
                given += 1
                due = null
            }
            due = due ?: pace.next(now, isNew = true)
        }
        assertEquals(15, given)
    }

    @Test
    fun `the last picture of a screen is given, and again each second`() {
        val pace = Pace(15)
        assertEquals(5000, pace.next(5000, isNew = true))
        pace.given(5000)
        assertEquals(5066, pace.next(5010, isNew = true))
        assertEquals(5066, pace.next(5020, isNew = true))
        pace.given(5066)
        assertEquals(6066, pace.next(5066, isNew = false))
        assertEquals(5400, pace.next(5400, isNew = true))
        assertEquals(7000, pace.next(7000, isNew = false))
    }
}
