package dev.parvis.app.phone

import android.content.Context
import dev.parvis.AudioCapture
import dev.parvis.CameraCapture
import dev.parvis.ErrorKind
import dev.parvis.ParvisException
import dev.parvis.ScreenCapture
import dev.parvis.Source
import dev.parvis.VideoOptions
import dev.parvis.android.Facing
import dev.parvis.android.PhoneCamera
import dev.parvis.android.PhoneMicrophone
import dev.parvis.android.PhoneScreen
import dev.parvis.android.ScreenConsent
import dev.parvis.app.Devices

/** This phone's devices; [ended] is called when Android took one away. */
class PhoneDevices(private val context: Context, private val ended: (Source) -> Unit) : Devices {
    /** The camera that is opened next. */
    var facing: Facing = Facing.USER

    /** What the user said last to being asked for the screen; it holds for one sharing. */
    var consent: ScreenConsent? = null

    override fun microphone(): AudioCapture = PhoneMicrophone(context) { ended(Source.MICROPHONE) }

    override fun camera(): Pair<CameraCapture, VideoOptions> {
        val camera =
            try {
                PhoneCamera(context, facing) { ended(Source.CAMERA) }
            } catch (none: IllegalStateException) {
                throw ParvisException(ErrorKind.BAD_ARGUMENT, none.message.orEmpty())
            }
        return camera to camera.options
    }

    override fun screen(): Pair<ScreenCapture, VideoOptions> {
        val screen = PhoneScreen(context, consent) { ended(Source.SCREEN) }
        consent = null
        return screen to screen.options
    }
}
