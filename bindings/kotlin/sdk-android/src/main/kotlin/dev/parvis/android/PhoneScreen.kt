package dev.parvis.android

import android.app.Activity
import android.content.Context
import android.content.Intent
import android.graphics.PixelFormat
import android.graphics.Rect
import android.hardware.display.DisplayManager
import android.hardware.display.VirtualDisplay
import android.media.Image
import android.media.ImageReader
import android.media.projection.MediaProjection
import android.media.projection.MediaProjectionManager
import android.os.Handler
import android.os.HandlerThread
import android.os.SystemClock
import android.view.Display
import android.view.WindowManager
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
    private val size = whole(context).run { fitted(width(), height()) }
    private val worker = HandlerThread("screen-in")
    private var projection: MediaProjection? = null
    private var display: VirtualDisplay? = null
    private var reader: ImageReader? = null
    private val ending =
        object : MediaProjection.Callback() {
            override fun onStop() = ended()
        }

    /** What this gives. */
    public val options: VideoOptions = VideoOptions(size.first, size.second, FRAME_RATE, size.second)

    override suspend fun open() {
        val data = consent?.takeIf { it.resultCode == Activity.RESULT_OK }?.data ?: throw ParvisException(ErrorKind.PERMISSION_DENIED, "the screen may not be shared")
        MeetingService.awaitScreen()
        val projections = context.getSystemService(MediaProjectionManager::class.java)
        val projection = projections.getMediaProjection(consent.resultCode, data)
            ?: throw ParvisException(ErrorKind.PERMISSION_DENIED, "the screen may not be shared")
        projection.registerCallback(ending, Handler(context.mainLooper))
        this.projection = projection
    }

    override fun start(screen: Screen) {
        val projection = checkNotNull(projection) { "open comes before start" }
        worker.start()
        val (width, height) = size
        val reader = ImageReader.newInstance(width, height, PixelFormat.RGBA_8888, HELD + 2)
        val handler = Handler(worker.looper)
        reader.setOnImageAvailableListener(Shown(screen, handler), handler)
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
        projection?.unregisterCallback(ending)
        projection?.stop()
        worker.quit()
        // The worker may be who stops it, by what it pushes; else it has an image open, maybe.
        if (worker != Thread.currentThread()) worker.join()
        reader?.close()
    }

    /** What is seen, in the worker: a screen gives a picture when something changes, and none after the last change. */
    private inner class Shown(
        private val screen: Screen,
        private val handler: Handler,
    ) : ImageReader.OnImageAvailableListener, Runnable {
        private val picture = I420(size.first, size.second)
        private val pace = Pace(FRAME_RATE)
        private var newest: Image? = null

        override fun onImageAvailable(from: ImageReader) {
            val image = from.acquireLatestImage() ?: return
            newest?.close()
            newest = image
            again(isNew = true)
        }

        override fun run() {
            newest?.use { image -> image.planes[0].run { picture.fill(buffer, rowStride) } }
            newest = null
            try {
                screen.push(picture.picture())
            } catch (_: ParvisException) {
                worker.quit()
                return
            }
            pace.given(SystemClock.uptimeMillis())
            again(isNew = false)
        }

        private fun again(isNew: Boolean) {
            handler.removeCallbacks(this)
            handler.postAtTime(this, pace.next(SystemClock.uptimeMillis(), isNew))
        }
    }

    private companion object {
        const val FRAME_RATE = 15

        /** Images that wait for their turn. */
        const val HELD = 1
    }
}

/**
 * When a picture of a screen is given, in milliseconds: no more than so many a second, and one that stays the same again each
 * second, for those who come later.
 */
internal class Pace(frameRate: Int) {
    private val interval = 1000L / frameRate
    private var last: Long? = null

    /** A picture was given. */
    fun given(now: Long) {
        last = now
    }

    /** When the next one is, a new one or the same. */
    fun next(now: Long, isNew: Boolean): Long = maxOf(now, (last ?: return now) + if (isNew) interval else STILL)

    private companion object {
        const val STILL = 1000L
    }
}

/** The screen with its bars, as it is captured, whatever part of it the app has. */
private fun whole(context: Context): Rect {
    val display = context.getSystemService(DisplayManager::class.java).getDisplay(Display.DEFAULT_DISPLAY)
    val window = context.createDisplayContext(display).createWindowContext(WindowManager.LayoutParams.TYPE_APPLICATION_OVERLAY, null)
    return window.getSystemService(WindowManager::class.java).maximumWindowMetrics.bounds
}

/** A screen's size in a picture of at most 1280 by 1280, even in both directions. */
internal fun fitted(width: Int, height: Int): Pair<Int, Int> {
    val scale = minOf(1.0, 1280.0 / maxOf(width, height))
    return (width * scale / 2).roundToInt() * 2 to (height * scale / 2).roundToInt() * 2
}
