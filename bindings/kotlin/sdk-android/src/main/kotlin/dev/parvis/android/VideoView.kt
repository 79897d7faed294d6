package dev.parvis.android

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.Rect
import android.util.AttributeSet
import android.view.TextureView
import dev.parvis.Meeting
import dev.parvis.RemotePicture
import dev.parvis.Source
import dev.parvis.VideoFrame
import dev.parvis.VideoTarget
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/** How a picture is fitted into a rectangle of another shape. */
public enum class Fit {
    /** The rectangle is filled, and what does not fit is cut off: for people. */
    FILL,

    /** All is seen, with black beside it: for screens. */
    WHOLE,
}

/** Shows somebody's camera or screen, and receives no more of it than fits: of a small one 15 pictures a second. */
public class VideoView(context: Context, attributes: AttributeSet? = null) : TextureView(context, attributes) {
    private val turn = Mutex()
    private val pixels = Pixels()
    private val paint = Paint(Paint.FILTER_BITMAP_FLAG)
    private var bitmap: Bitmap? = null
    private var picture: RemotePicture? = null

    /** Shows it until it is cancelled or nothing more comes. */
    public suspend fun show(meeting: Meeting, who: String, source: Source) {
        val fit = if (source == Source.SCREEN) Fit.WHOLE else Fit.FILL
        // One that was cancelled may draw its last picture still.
        turn.withLock {
            meeting.picture(who, source, target()).use { shown ->
                picture = shown
                try {
                    withContext(Dispatchers.Default) { shown.frames().collect { draw(it, fit) } }
                } finally {
                    picture = null
                }
            }
        }
    }

    override fun onSizeChanged(width: Int, height: Int, oldWidth: Int, oldHeight: Int) {
        super.onSizeChanged(width, height, oldWidth, oldHeight)
        picture?.setTarget(target())
    }

    private fun target() = shownIn(width, height)

    private fun draw(frame: VideoFrame, fit: Fit) {
        pixels.take(frame)
        val bitmap = bitmap?.takeIf { it.width == frame.width && it.height == frame.height }
            ?: Bitmap.createBitmap(frame.width, frame.height, Bitmap.Config.ARGB_8888)
        this.bitmap = bitmap
        bitmap.setPixels(pixels.argb, 0, frame.width, 0, 0, frame.width, frame.height)
        // Null until the view is shown.
        val canvas = lockCanvas() ?: return
        try {
            canvas.show(bitmap, fit)
        } finally {
            unlockCanvasAndPost(canvas)
        }
    }

    private fun Canvas.show(bitmap: Bitmap, fit: Fit) {
        drawColor(Color.BLACK)
        val (left, top, right, bottom) = placed(bitmap.width to bitmap.height, width to height, fit)
        drawBitmap(bitmap, null, Rect(left, top, right, bottom), paint)
    }
}

/** What is received for a rectangle. Many small ones are shown at a time, and each picture is drawn in software. */
internal fun shownIn(width: Int, height: Int): VideoTarget =
    VideoTarget(maxOf(width, 1), maxOf(height, 1), fps = if (width * height < SMALL) SMALL_RATE else null)

/** Pixels: less than a tile of two rows has on most phones. */
private const val SMALL = 640 * 480

private const val SMALL_RATE = 15

/** Where a picture lies in a rectangle, in its middle: left, top, right, bottom. */
internal fun placed(picture: Pair<Int, Int>, into: Pair<Int, Int>, fit: Fit): List<Int> {
    val across = into.first.toDouble() / picture.first
    val down = into.second.toDouble() / picture.second
    val scale = if (fit == Fit.FILL) maxOf(across, down) else minOf(across, down)
    val width = (picture.first * scale).toInt()
    val height = (picture.second * scale).toInt()
    val left = (into.first - width) / 2
    val top = (into.second - height) / 2
    return listOf(left, top, left + width, top + height)
}
