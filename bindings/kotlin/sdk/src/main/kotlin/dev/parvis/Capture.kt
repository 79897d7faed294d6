package dev.parvis

/** The app's own capture of sound, such as an Android AudioRecord. */
public interface AudioCapture {
    /**
     * Asks for permission and opens the device.
     *
     * What it throws comes out of [Meeting.microphone], and nothing is published: `ErrorKind.PERMISSION_DENIED` is the word
     * for a refusal.
     */
    public suspend fun open()

    /** Gives sound to the microphone from here on. */
    public fun start(microphone: Microphone)

    /** Gives no more: the microphone is turned off. */
    public fun stop()
}

/** The app's own capture of pictures, such as CameraX. */
public interface CameraCapture {
    /** Asks for permission and opens the device; see [AudioCapture.open]. */
    public suspend fun open()

    /** Gives pictures to the camera from here on. */
    public fun start(camera: Camera)

    /** Gives no more: the camera is turned off. */
    public fun stop()
}

/** The app's own capture of a screen, such as a MediaProjection. */
public interface ScreenCapture {
    /** Asks for permission; see [AudioCapture.open]. */
    public suspend fun open()

    /** Gives pictures to the screen from here on. */
    public fun start(screen: Screen)

    /** Gives no more: the screen is not shared any more. */
    public fun stop()
}

internal class ForeignAudioCapture(private val capture: AudioCapture) : dev.parvis.ffi.AudioCapture {
    override suspend fun open() = foreign { capture.open() }

    override fun start(microphone: dev.parvis.ffi.Microphone) = foreign { capture.start(Microphone(microphone)) }

    override fun stop() = foreign { capture.stop() }
}

internal class ForeignCameraCapture(private val capture: CameraCapture) : dev.parvis.ffi.CameraCapture {
    override suspend fun open() = foreign { capture.open() }

    override fun start(camera: dev.parvis.ffi.Camera) = foreign { capture.start(Camera(camera)) }

    override fun stop() = foreign { capture.stop() }
}

internal class ForeignScreenCapture(private val capture: ScreenCapture) : dev.parvis.ffi.ScreenCapture {
    override suspend fun open() = foreign { capture.open() }

    override fun start(screen: dev.parvis.ffi.Screen) = foreign { capture.start(Screen(screen)) }

    override fun stop() = foreign { capture.stop() }
}
