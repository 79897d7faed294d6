package dev.parvis.android

import android.Manifest
import android.annotation.SuppressLint
import android.content.Context
import android.graphics.ImageFormat
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.params.OutputConfiguration
import android.hardware.camera2.params.SessionConfiguration
import android.hardware.display.DisplayManager
import android.media.Image
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread
import android.view.Display
import android.view.Surface
import dev.parvis.Camera
import dev.parvis.CameraCapture
import dev.parvis.ErrorKind
import dev.parvis.ParvisException
import dev.parvis.Picture
import dev.parvis.Rotation
import dev.parvis.VideoOptions
import kotlin.coroutines.Continuation
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.coroutines.suspendCoroutine

/** Which camera of a phone. */
public enum class Facing(internal val characteristic: Int) {
    /** The one that sees the user. */
    USER(CameraCharacteristics.LENS_FACING_FRONT),

    /** The one that sees what the user sees. */
    WORLD(CameraCharacteristics.LENS_FACING_BACK),
}

/**
 * A camera of the phone, 1280 by 720: for [dev.parvis.Meeting.camera], and for a preview before.
 *
 * What it gives is upright, and has the shape that the phone has when this is made. Once the phone lies across, make another: pictures
 * of the other shape are left out.
 *
 * @param preview where the user sees it too, 1280 by 720 as the sensor lies; null: nowhere
 * @param lost called on a thread of this class when Android took the camera away
 */
public class PhoneCamera(
    private val context: Context,
    facing: Facing,
    private val preview: Surface? = null,
    private val lost: () -> Unit = {},
) : CameraCapture {
    private val cameras = context.getSystemService(CameraManager::class.java)
    private val display = context.getSystemService(DisplayManager::class.java).getDisplay(Display.DEFAULT_DISPLAY)
    private val id: String
    private val sensor: Int
    private val facesUser: Boolean
    private val worker = HandlerThread("camera-in")

    @Volatile
    private var device: CameraDevice? = null
    private var reader: ImageReader? = null

    /** What this gives. */
    public val options: VideoOptions

    init {
        fun facingOf(id: String) = cameras.getCameraCharacteristics(id).get(CameraCharacteristics.LENS_FACING)
        val ids = asked { cameras.cameraIdList }
        id = ids.find { asked { facingOf(it) } == facing.characteristic }
            ?: ids.firstOrNull()
            ?: error("this phone has no camera")
        sensor = asked { cameras.getCameraCharacteristics(id).get(CameraCharacteristics.SENSOR_ORIENTATION) } ?: 0
        facesUser = asked { facingOf(id) } == Facing.USER.characteristic
        val (width, height) = if (rotation().isQuarter) HEIGHT to WIDTH else WIDTH to HEIGHT
        options = VideoOptions(width, height, FRAME_RATE)
    }

    @SuppressLint("MissingPermission")
    override suspend fun open() {
        context.require(Manifest.permission.CAMERA, "camera")
        worker.start()
        // Not to be cancelled: a camera that opens is to be known, or nobody closes it.
        device = suspendCoroutine { opened ->
            asked { cameras.openCamera(id, Opening(opened), Handler(worker.looper)) }
        }
    }

    override fun start(camera: Camera): Unit = start { image ->
        try {
            camera.push(picture(image))
        } catch (error: ParvisException) {
            // One of the other shape is left out: the phone lies across now.
            if (error.kind != ErrorKind.BAD_FRAME) worker.quit()
        }
    }

    /** Shows the preview alone, before there is a meeting. */
    public fun startPreview(): Unit = start {}

    /** Gives no more; returns once the camera is closed, which takes a while: not to be called in a thread that draws. */
    override fun stop() {
        val closing = device
        device = null
        closing?.close()
        worker.quit()
        // The worker may be who stops it, by what it pushes; else it has an image open, maybe.
        if (worker != Thread.currentThread()) worker.join()
        reader?.close()
    }

    private fun start(take: (Image) -> Unit) {
        val device = checkNotNull(device) { "open comes before start" }
        val handler = Handler(worker.looper)
        val reader = ImageReader.newInstance(WIDTH, HEIGHT, ImageFormat.YUV_420_888, 3)
        reader.setOnImageAvailableListener({ it.acquireLatestImage()?.use(take) }, handler)
        this.reader = reader
        val surfaces = listOfNotNull(reader.surface, preview)
        val started =
            object : CameraCaptureSession.StateCallback() {
                override fun onConfigured(session: CameraCaptureSession) =
                    try {
                        val request = device.createCaptureRequest(CameraDevice.TEMPLATE_RECORD)
                        surfaces.forEach(request::addTarget)
                        session.setRepeatingRequest(request.build(), null, handler)
                        Unit
                    } catch (_: CameraAccessException) {
                        gone()
                    } catch (_: RuntimeException) {
                        // It was closed meanwhile, or a surface is gone.
                        gone()
                    }

                override fun onConfigureFailed(session: CameraCaptureSession) = gone()
            }
        val outputs = surfaces.map(::OutputConfiguration)
        val executor = java.util.concurrent.Executor { handler.post(it) }
        val session = SessionConfiguration(SessionConfiguration.SESSION_REGULAR, outputs, executor, started)
        asked { device.createCaptureSession(session) }
    }

    /** It gives nothing any more; of one that was stopped nobody needs to hear it. */
    private fun gone() {
        if (device != null) lost()
    }

    private fun rotation() = uprightBy(sensor, display.rotation * QUARTER, facesUser)

    private fun picture(image: Image): Picture {
        val (y, u, v) = image.planes
        return Picture(
            image.width,
            image.height,
            y.buffer,
            u.buffer,
            v.buffer,
            y.rowStride,
            u.rowStride,
            u.pixelStride,
            rotation(),
        )
    }

    private inner class Opening(private val opened: Continuation<CameraDevice>) : CameraDevice.StateCallback() {
        private var isOpening = true

        override fun onOpened(camera: CameraDevice) {
            isOpening = false
            opened.resume(camera)
        }

        override fun onDisconnected(camera: CameraDevice) = gone(camera, "another app has the camera")

        override fun onError(camera: CameraDevice, error: Int) = gone(camera, "the camera does not work: $error")

        private fun gone(camera: CameraDevice, why: String) {
            camera.close()
            if (!isOpening) return gone()
            isOpening = false
            opened.resumeWithException(IllegalStateException(why))
        }
    }

    private companion object {
        const val WIDTH = 1280
        const val HEIGHT = 720
        const val FRAME_RATE = 30

        /** Degrees of a turn in Android's numbers. */
        const val QUARTER = 90
    }
}

/** What Android answers of its cameras; what it throws is an [IllegalStateException], or a refusal. */
private inline fun <T> asked(question: () -> T): T =
    try {
        question()
    } catch (error: CameraAccessException) {
        val why = error.message ?: "the camera does not open"
        if (error.reason == CameraAccessException.CAMERA_DISABLED) throw ParvisException(ErrorKind.PERMISSION_DENIED, why)
        throw IllegalStateException(why, error)
    } catch (error: IllegalArgumentException) {
        throw IllegalStateException(error.message, error)
    }

/** What brings a sensor's picture upright while the phone is held so; degrees, clockwise. */
internal fun uprightBy(sensor: Int, held: Int, facesUser: Boolean): Rotation =
    when ((if (facesUser) sensor + held else sensor - held).mod(360)) {
        0 -> Rotation.NONE
        90 -> Rotation.CLOCKWISE
        180 -> Rotation.HALF
        270 -> Rotation.COUNTERCLOCKWISE
        else -> error("a camera lies in quarters: $sensor")
    }

private val Rotation.isQuarter get() = this == Rotation.CLOCKWISE || this == Rotation.COUNTERCLOCKWISE
