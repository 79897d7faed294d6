package dev.parvis.android

import android.content.Context
import android.content.Intent
import android.graphics.PixelFormat
import android.hardware.display.DisplayManager
import android.hardware.display.VirtualDisplay
import android.media.Image
import android.media.ImageReader
import android.media.projection.MediaProjection
import android.media.projection.MediaProjectionManager
import android.os.Handler
import android.os.HandlerThread
import dev.parvis.ErrorKind
import dev.parvis.ParvisException
import dev.parvis.Screen
import dev.parvis.ScreenCapture
import dev.parvis.VideoOptions
import kotlin.math.roundToInt

/** What the user said to being asked whether the screen may be shared. */
public class ScreenConsent(public val resultCode: Int, public val data: Intent?)

/**
 * The phone's screen: for [dev.parvis.Meeting.screen].
 *
 * [open] waits until [MeetingService] runs with `screen`, as Android wants it; and each sharing has a consent of its own.
 *
 * @param consent what came of [MediaProjectionManager.createScreenCaptureIntent]; null: nobody was asked
 * @param ended called on the main thread when the user or Android ended the sharing
 */
public class PhoneScreen(
    private val context: Context,
    private val consent: ScreenConsent?,
    private val ended: () -> Unit,
) : ScreenCapture {
    private val size = context.resources.displayMetrics.run { fitted(widthPixels, heightPixels) }
    private val worker = HandlerThread("screen-in")
    private var projection: MediaProjection? = null
    private var display: VirtualDisplay? = null
    private var reader: ImageReader? = null

    /** What this gives. */
    public val options: VideoOptions = VideoOptions(size.first, size.second, FRAME_RATE, size.second)

    override suspend fun open() {
        val data = consent?.data ?: throw ParvisException(ErrorKind.PERMISSION_DENIED, "the screen may not be shared")
        MeetingService.awaitScreen()
        val projections = context.getSystemService(MediaProjectionManager::class.java)
        val projection = projections.getMediaProjection(consent.resultCode, data)
            ?: throw ParvisException(ErrorKind.PERMISSION_DENIED, "the screen may not be shared")
        projection.registerCallback(
            object : MediaProjection.Callback() {
                override fun onStop() = ended()
            },
            Handler(context.mainLooper),
        )
        this.projection = projection
    }

    override fun start(screen: Screen) {
        val projection = checkNotNull(projection) { "open comes before start" }
        worker.start()
        val (width, height) = size
        val picture = I420(width, height)
        val reader = ImageReader.newInstance(width, height, PixelFormat.RGBA_8888, 2)
        val pace = Pace(FRAME_RATE)
        val came = ImageReader.OnImageAvailableListener { from ->
            from.acquireLatestImage()?.use { image -> push(image, pace, picture, screen) }
        }
        reader.setOnImageAvailableListener(came, Handler(worker.looper))
        this.reader = reader
        display = projection.createVirtualDisplay(
            "parvis",
            width,
            height,
            context.resources.displayMetrics.densityDpi,
            DisplayManager.VIRTUAL_DISPLAY_FLAG_AUTO_MIRROR,
            reader.surface,
            null,
            null,
        )
    }

    override fun stop() {
        display?.release()
        projection?.stop()
        worker.quit()
        // The worker may be who stops it, by what it pushes; else it has an image open, maybe.
        if (worker != Thread.currentThread()) worker.join()
        reader?.close()
    }

    private fun push(image: Image, pace: Pace, picture: I420, screen: Screen) {
        if (!pace.isDue(image.timestamp)) return
        val plane = image.planes[0]
        picture.fill(plane.buffer, plane.rowStride)
        try {
            screen.push(picture.picture())
        } catch (_: ParvisException) {
            worker.quit()
        }
    }

    private companion object {
        const val FRAME_RATE = 15
    }
}

/** Lets no more pictures pass than so many a second. */
internal class Pace(frameRate: Int) {
    private val interval = 1_000_000_000L / frameRate
    private var next = Long.MIN_VALUE

    /** Whether the picture of this time, nanoseconds, is to be taken. */
    fun isDue(time: Long): Boolean {
        if (time < next) return false
        next = if (next == Long.MIN_VALUE || time - next > interval) time + interval else next + interval
        return true
    }
}

/** A screen's size in a picture of at most 1280 by 1280, even in both directions. */
internal fun fitted(width: Int, height: Int): Pair<Int, Int> {
    val scale = minOf(1.0, 1280.0 / maxOf(width, height))
    return (width * scale / 2).roundToInt() * 2 to (height * scale / 2).roundToInt() * 2
}
