package dev.parvis

import java.nio.ByteBuffer

/**
 * A picture as a device gives it: I420 or, with [uvPixelStride] 2, chroma that lies interleaved as in NV12 and NV21.
 *
 * Planes are direct buffers, read from their position on. They are copied once, when it is pushed.
 *
 * @property width pixels across, as the planes have them
 * @property height pixels down
 * @property y luma
 * @property u blue difference, half as wide and high, rounded up
 * @property v red difference
 * @property yStride bytes from one row of luma to the next
 * @property uvStride bytes from one row of chroma to the next
 * @property uvPixelStride bytes from one chroma value to the next: 1 or 2
 * @property rotation what brings it upright
 * @property timestampUs when it was captured, by [Meeting.clockUs]; 0: now
 */
public class Picture(
    public val width: Int,
    public val height: Int,
    public val y: ByteBuffer,
    public val u: ByteBuffer,
    public val v: ByteBuffer,
    public val yStride: Int = width,
    public val uvStride: Int = (width + 1) / 2,
    public val uvPixelStride: Int = 1,
    public val rotation: Rotation = Rotation.NONE,
    public val timestampUs: Long = 0,
) {
    /** Lends it to a function of the library. */
    internal inline fun lend(
        push: (ByteBuffer, ByteBuffer, ByteBuffer, Int, Int, Int, Int, Int, Int, Long) -> Unit,
    ): Unit =
        lend(y) { y ->
            lend(u) { u ->
                lend(v) { v ->
                    push(y, u, v, width, height, yStride, uvStride, uvPixelStride, rotation.degrees, timestampUs)
                }
            }
        }
}

/** What brings a picture upright. */
public enum class Rotation(internal val degrees: Int) {
    /** Nothing: it is upright. */
    NONE(0),

    /** A quarter turn, clockwise. */
    CLOCKWISE(90),

    /** Half a turn. */
    HALF(180),

    /** A quarter turn, counterclockwise. */
    COUNTERCLOCKWISE(270),
}

/** One's own camera. [turnOff] turns it off; so does [close], which frees it too. */
public class Camera internal constructor(private val native: dev.parvis.ffi.Camera) : AutoCloseable {
    /** Gives a picture to the layers that somebody watches; never waits. */
    public fun push(picture: Picture): Unit = picture.lend(native::pushI420)

    /** Mutes: nothing is captured, and the tracks stay announced. */
    public suspend fun mute(): Unit = awaitLibrary { native.mute() }

    /** Turns it on again. */
    public suspend fun unmute(): Unit = awaitLibrary { native.unmute() }

    /** The tracks, whether they are watched, and what became of their frames. */
    public fun stats(): List<LocalStats> = inLibrary { native.stats() }.map(LocalStats::lift)

    /** Turns it off; returns once the app's own capture has stopped. Who is cancelled meanwhile turns it off all the same. */
    public suspend fun turnOff(): Unit = turnedOff { native.turnOff() }

    /** Turns it off and frees it, and stops the app's own capture in this thread: not in one that draws. Once more does nothing. */
    override fun close(): Unit = turnOffAndClose(native, native.uniffiIsDestroyed) { native.turnOff() }
}

/** A screen that is shared. [turnOff] ends that; so does [close], which frees it too. */
public class Screen internal constructor(private val native: dev.parvis.ffi.Screen) :
    ScreenSound by NativeScreenSound(native::shareSound, native::pushSoundF32, native::pushSoundI16),
    AutoCloseable {
    /** Gives a picture to the layers that somebody watches; never waits. */
    public fun push(picture: Picture): Unit = picture.lend(native::pushI420)

    /** Mutes: nothing is captured, and the tracks stay announced. */
    public suspend fun mute(): Unit = awaitLibrary { native.mute() }

    /** Turns it on again. */
    public suspend fun unmute(): Unit = awaitLibrary { native.unmute() }

    /** The tracks, whether they are watched, and what became of their frames. */
    public fun stats(): List<LocalStats> = inLibrary { native.stats() }.map(LocalStats::lift)

    /** Ends the sharing; returns once the app's own capture has stopped. Who is cancelled meanwhile ends it all the same. */
    public suspend fun turnOff(): Unit = turnedOff { native.turnOff() }

    /** Ends the sharing and frees it, and stops the app's own capture in this thread: not in one that draws. Once more does nothing. */
    override fun close(): Unit = turnOffAndClose(native, native.uniffiIsDestroyed) { native.turnOff() }
}
