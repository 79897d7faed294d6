package dev.parvis.app.phone

import android.graphics.SurfaceTexture
import android.view.Surface
import android.view.TextureView
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.viewinterop.AndroidView
import dev.parvis.ParvisException
import dev.parvis.android.Facing
import dev.parvis.android.PhoneCamera
import dev.parvis.android.VideoView
import dev.parvis.app.Tile
import kotlin.coroutines.cancellation.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.withContext

/** Somebody's camera or screen. */
@Composable
fun TilePicture(call: ShownCall, tile: Tile, modifier: Modifier) {
    val context = LocalContext.current
    val view = remember { VideoView(context) }
    AndroidView({ view }, modifier)
    LaunchedEffect(call, tile.participant, tile.source) {
        try {
            view.show(call.call.meeting, tile.participant, tile.source)
        } catch (_: ParvisException) {
            // The meeting is over, and its state says so.
        }
    }
}

/** One's own camera, before a meeting. */
@Composable
fun CameraPreview(modifier: Modifier) {
    val context = LocalContext.current
    var surface by remember { mutableStateOf<Surface?>(null) }
    AndroidView({ TextureView(it).apply { surfaceTextureListener = Listening { given -> surface = given } } }, modifier)
    LaunchedEffect(surface) {
        val shown = surface ?: return@LaunchedEffect
        try {
            val camera = PhoneCamera(context, Facing.USER, shown)
            try {
                camera.open()
                camera.startPreview()
                awaitCancellation()
            } finally {
                withContext(Dispatchers.IO + NonCancellable) { camera.stop() }
            }
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (_: ParvisException) {
            // Not granted so far: joining asks for it.
        } catch (_: IllegalStateException) {
            // There is no camera, or another app has it: one sees nothing.
        }
    }
}

private class Listening(private val given: (Surface?) -> Unit) : TextureView.SurfaceTextureListener {
    override fun onSurfaceTextureAvailable(texture: SurfaceTexture, width: Int, height: Int) {
        texture.setDefaultBufferSize(1280, 720)
        given(Surface(texture))
    }

    override fun onSurfaceTextureSizeChanged(texture: SurfaceTexture, width: Int, height: Int) = Unit

    override fun onSurfaceTextureDestroyed(texture: SurfaceTexture): Boolean {
        given(null)
        return true
    }

    override fun onSurfaceTextureUpdated(texture: SurfaceTexture) = Unit
}
