package dev.parvis.android

import java.nio.ByteBuffer
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.Test

class FormatsTest {
    private fun bytes(vararg values: Int) = ByteBuffer.wrap(ByteArray(values.size) { values[it].toByte() })

    @Test
    fun `a codec string has the lowest level that holds the size and rate`() {
        assertEquals("av01", VideoFormat.AV1.codecString(1280, 720, 30.0))
        assertEquals("avc1.42E00D", VideoFormat.H264.codecString(320, 180, 30.0))
        assertEquals("avc1.42E01F", VideoFormat.H264.codecString(1280, 720, 30.0))
        assertEquals("avc1.42E028", VideoFormat.H264.codecString(1920, 1080, 30.0))
        assertEquals("avc1.42E028", VideoFormat.H264.codecString(1280, 720, 60.0))
        assertEquals("hev1.1.6.L93.B0", VideoFormat.H265.codecString(1280, 720, 30.0))
        assertEquals("hev1.1.6.L120.B0", VideoFormat.H265.codecString(1920, 1080, 30.0))
    }

    @Test
    fun `a codec string tells its format`() {
        assertTrue(VideoFormat.H264.isOf("avc3.640028"))
        assertTrue(VideoFormat.H265.isOf("hvc1.1.6.L93.B0"))
        assertTrue(VideoFormat.AV1.isOf("av01.0.04M.08"))
        assertFalse(VideoFormat.AV1.isOf("vp09.00.10.08"))
    }

    @Test
    fun `a key frame without its parameter sets gets them`() {
        val sets = bytes(0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2)
        val slice = bytes(0, 0, 0, 1, 0x65, 9)
        assertEquals(sets, VideoFormat.H264.before(slice, sets))
        assertNull(VideoFormat.H264.before(joined(sets, slice), sets))
        assertNull(VideoFormat.H264.before(joined(bytes(0, 0, 0, 1, 9, 0x10), sets, slice), sets))
        assertNull(VideoFormat.H264.before(slice, bytes()))
    }

    @Test
    fun `a key frame of AV1 gets the sequence header out of the configuration`() {
        val header = bytes(0x0a, 2, 7, 8)
        val configuration = joined(bytes(0x81, 0, 0xc, 0), header)
        val frame = bytes(0x32, 1, 5)
        assertEquals(header, VideoFormat.AV1.before(frame, configuration))
        assertNull(VideoFormat.AV1.before(joined(bytes(0x12, 0), header, frame), configuration))
        assertNull(VideoFormat.AV1.before(frame, bytes(0x81, 0, 0xc, 0)))
    }

    @Test
    fun `a plane is laid out as the codec wants it`() {
        val from = bytes(1, 2, 0, 3, 4, 0)
        val tight = ByteBuffer.allocate(4)
        copyPlane(from, 3, 2, 2, tight, 2, 1)
        assertContentEquals(byteArrayOf(1, 2, 3, 4), tight.array())
        val interleaved = ByteBuffer.allocate(10).position(1)
        copyPlane(from, 3, 2, 2, interleaved, 5, 2)
        assertContentEquals(byteArrayOf(0, 1, 0, 2, 0, 0, 3, 0, 4, 0), interleaved.array())
    }
}
