package dev.parvis.app.ui

import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.darkColorScheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.graphics.Color

/** Dark, so that faces are what shines. */
private val colours =
    darkColorScheme(
        primary = Color(0xff8ab4f8),
        onPrimary = Color(0xff0b1f3a),
        secondaryContainer = Color(0xff2a3442),
        onSecondaryContainer = Color(0xffdbe4f0),
        background = Color(0xff0f1216),
        onBackground = Color(0xffe6e9ee),
        surface = Color(0xff171b21),
        onSurface = Color(0xffe6e9ee),
        surfaceVariant = Color(0xff222831),
        onSurfaceVariant = Color(0xffaab3c0),
        error = Color(0xffff6b6b),
        onError = Color(0xff3a0505),
    )

/** What the screens lie in. */
@Composable
fun ParvisTheme(content: @Composable () -> Unit) {
    MaterialTheme(colorScheme = colours) {
        Surface(color = MaterialTheme.colorScheme.background, content = content)
    }
}

/** A colour for somebody without a picture, always the same for the same person. */
internal fun colourOf(id: String): Color = Color.hsv((id.hashCode() and 0xffff) % 360f, 0.45f, 0.55f)
