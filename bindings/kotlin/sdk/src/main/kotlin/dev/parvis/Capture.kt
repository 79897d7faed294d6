package dev.parvis

import kotlin.coroutines.cancellation.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

/** The app's own capture of sound, such as an Android AudioRecord. */
public interface AudioCapture {
    /**
     * Asks for permission and opens the device.
     *
     * What it throws comes out of [Meeting.microphone], and nothing is published: `ErrorKind.PERMISSION_DENIED` is the word
     * for a refusal. Whatever becomes of it, [stop] follows, once, and not before this has ended: also when this throws or is
     * cancelled, and when whoever wants the microphone gives up meanwhile.
     */
    public suspend fun open()

    /** Gives sound to the microphone from here on. */
    public fun start(microphone: Microphone)

    /** Gives no more: the microphone is turned off, or the meeting is over. */
    public fun stop()
}

/** The app's own capture of pictures, such as CameraX. */
public interface CameraCapture {
    /** Asks for permission and opens the device; see [AudioCapture.open]. */
    public suspend fun open()

    /** Gives pictures to the camera from here on. */
    public fun start(camera: Camera)

    /** Gives no more: the camera is turned off, or the meeting is over. */
    public fun stop()
}

/** The app's own capture of a screen, such as a MediaProjection. */
public interface ScreenCapture {
    /** Asks for permission; see [AudioCapture.open]. */
    public suspend fun open()

    /** Gives pictures to the screen from here on. */
    public fun start(screen: Screen)

    /** Gives no more: the screen is not shared any more, or the meeting is over. */
    public fun stop()
}

/** A capture of the app's, as the library calls it; [S] is what it gives to. */
internal abstract class ForeignCapture<S : AutoCloseable>(
    private val opens: suspend () -> Unit,
    private val starts: (S) -> Unit,
    private val stops: () -> Unit,
) {
    private var isOpening = false
    private var isStopped = false

    @Volatile private var started: S? = null

    suspend fun open() {
        synchronized(this) {
            if (isStopped) throw CancellationException("nobody wants it any more")
            isOpening = true
        }
        try {
            foreign { opens() }
        } finally {
            val wasStopped = synchronized(this) { isStopped.also { isOpening = false } }
            if (wasStopped) withContext(Dispatchers.IO + NonCancellable) { foreign { stops() } }
        }
    }

    // Who gives up does not wait for a device that opens: only then can it be closed.
    fun stop() {
        val isOpening = synchronized(this) { isOpening.also { isStopped = true } }
        if (!isOpening) foreign { stops() }
    }

    protected fun begin(source: S) {
        started = source
        foreign { starts(source) }
    }

    /** Turns a source on by [turnOn], and off again where the caller was cancelled meanwhile: nobody has it then. */
    protected suspend fun <R> using(turnOn: suspend () -> R): R =
        try {
            awaitLibrary(turnOn).also { started = null }
        } catch (cancelled: CancellationException) {
            started?.let { withContext(Dispatchers.IO + NonCancellable) { it.close() } }
            throw cancelled
        }
}

internal class ForeignAudioCapture(capture: AudioCapture) :
    ForeignCapture<Microphone>(capture::open, capture::start, capture::stop), dev.parvis.ffi.AudioCapture {
    suspend fun use(turnOn: suspend (dev.parvis.ffi.AudioCapture) -> dev.parvis.ffi.Microphone) = using { turnOn(this) }

    override fun start(microphone: dev.parvis.ffi.Microphone) = begin(Microphone(microphone))
}

internal class ForeignCameraCapture(capture: CameraCapture) :
    ForeignCapture<Camera>(capture::open, capture::start, capture::stop), dev.parvis.ffi.CameraCapture {
    suspend fun use(turnOn: suspend (dev.parvis.ffi.CameraCapture) -> dev.parvis.ffi.Camera) = using { turnOn(this) }

    override fun start(camera: dev.parvis.ffi.Camera) = begin(Camera(camera))
}

internal class ForeignScreenCapture(capture: ScreenCapture) :
    ForeignCapture<Screen>(capture::open, capture::start, capture::stop), dev.parvis.ffi.ScreenCapture {
    suspend fun use(turnOn: suspend (dev.parvis.ffi.ScreenCapture) -> dev.parvis.ffi.Screen) = using { turnOn(this) }

    override fun start(screen: dev.parvis.ffi.Screen) = begin(Screen(screen))
}
