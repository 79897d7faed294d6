package dev.parvis.app.phone

import android.Manifest
import android.content.Intent
import android.media.projection.MediaProjectionManager
import android.os.Bundle
import androidx.activity.ComponentActivity
import androidx.activity.compose.setContent
import androidx.activity.enableEdgeToEdge
import androidx.activity.result.contract.ActivityResultContracts.RequestMultiplePermissions
import androidx.activity.result.contract.ActivityResultContracts.StartActivityForResult
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.safeDrawingPadding
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableIntStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalConfiguration
import dev.parvis.Source
import dev.parvis.Target
import dev.parvis.android.ScreenConsent
import dev.parvis.app.CallModel
import dev.parvis.app.DeviceState
import dev.parvis.app.ui.CallActions
import dev.parvis.app.ui.CallScreen
import dev.parvis.app.ui.JoinActions
import dev.parvis.app.ui.JoinScreen
import dev.parvis.app.ui.ParvisTheme
import dev.parvis.sign

/** The one activity: before a meeting, and in it. */
class MainActivity : ComponentActivity() {
    private val phone get() = (application as ParvisApplication).phone

    /** Asked for when joining; who refuses comes in without, and is told why when turning a device on. */
    private val permissions = registerForActivityResult(RequestMultiplePermissions()) { phone.join.join() }

    private val consent = registerForActivityResult(StartActivityForResult()) { answer ->
        if (answer.resultCode != RESULT_OK) return@registerForActivityResult
        phone.devices.consent = ScreenConsent(answer.resultCode, answer.data)
        phone.call.value?.model?.toggleScreen()
    }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        enableEdgeToEdge()
        open(intent)
        setContent { ParvisTheme { Box(Modifier.safeDrawingPadding()) { Content() } } }
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        open(intent)
    }

    override fun onStart() {
        super.onStart()
        phone.setSeen(true)
    }

    override fun onStop() {
        phone.setSeen(false)
        super.onStop()
    }

    private fun open(intent: Intent) {
        intent.dataString?.let(phone.join::setAddress)
    }

    @Composable
    private fun Content() {
        val shown by phone.call.collectAsState()
        val call = shown
        if (call == null) {
            val state by phone.join.state.collectAsState()
            JoinScreen(state, joining()) { CameraPreview(it) }
        } else {
            val state by call.model.state.collectAsState()
            val turned = LocalConfiguration.current.orientation
            var published by remember(call) { mutableIntStateOf(turned) }
            LaunchedEffect(turned) {
                if (turned != published) call.model.ended(Source.CAMERA, again = true)
                published = turned
            }
            CallScreen(state, acting(call.model), { it.sign }) { tile, modifier -> TilePicture(call, tile, modifier) }
        }
    }

    private fun joining() =
        with(phone.join) {
            JoinActions(::setAddress, ::setName, ::setSite, ::setMicrophone, ::setCamera) {
                permissions.launch(
                    arrayOf(
                        Manifest.permission.RECORD_AUDIO,
                        Manifest.permission.CAMERA,
                        Manifest.permission.POST_NOTIFICATIONS,
                    ),
                )
            }
        }

    private fun acting(model: CallModel): CallActions {
        fun target(who: String?) = who?.let(Target::One) ?: Target.All
        return CallActions(
            toggleMicrophone = model::toggleMicrophone,
            toggleCamera = model::toggleCamera,
            toggleScreen = { share(model) },
            toggleHand = model::toggleHand,
            react = model::react,
            send = model::send,
            sendAgain = model::sendAgain,
            showChat = model::showChat,
            admit = { model.admit(target(it)) },
            deny = { model.deny(target(it)) },
            knock = model::knock,
            dismissNotice = model::dismissNotice,
            leave = { model.leave() },
            finish = phone::finish,
        )
    }

    private fun share(model: CallModel) {
        if (model.state.value.screen != DeviceState.OFF) return model.toggleScreen()
        consent.launch(getSystemService(MediaProjectionManager::class.java).createScreenCaptureIntent())
    }
}
