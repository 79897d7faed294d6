package dev.parvis.app.ui

import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.SolidColor
import androidx.compose.ui.graphics.vector.ImageVector
import androidx.compose.ui.graphics.vector.addPathNodes
import androidx.compose.ui.unit.dp

/** The app's own drawings, 24 by 24. */
internal object Icons {
    private const val SLASH = "M3.4,2L22,20.6L20.6,22L2,3.4z"
    private const val MICROPHONE =
        "M9,5a3,3 0 0 1 6,0v6a3,3 0 0 1 -6,0zM5,11h2a5,5 0 0 0 10,0h2a7,7 0 0 1 -6,6.9V21h-2v-3.1A7,7 0 0 1 5,11z"
    private const val CAMERA =
        "M3,7a1,1 0 0 1 1,-1h12a1,1 0 0 1 1,1v3.5l4,-4v11l-4,-4V17a1,1 0 0 1 -1,1H4a1,1 0 0 1 -1,-1z"

    val microphone = icon(MICROPHONE)
    val microphoneOff = icon(MICROPHONE, SLASH)
    val camera = icon(CAMERA)
    val cameraOff = icon(CAMERA, SLASH)
    val screen = icon("M3,4h18v2H3zM3,15h18v2H3zM3,4h2v13H3zM19,4h2v13h-2zM8,19h8v2H8zM12,7l4,4h-3v3h-2v-3H8z")
    val chat = icon("M4,3h16a2,2 0 0 1 2,2v10a2,2 0 0 1 -2,2H8l-6,5V5a2,2 0 0 1 2,-2z")
    val leave = icon("M2,15a12,7 0 0 1 20,0l-2,3l-4.5,-1.5v-3a14,14 0 0 0 -7,0v3l-4.5,1.5z")
    val send = icon("M3,4l19,8l-19,8v-6l11,-2l-11,-2z")
    val weak = icon("M4,16h3v4H4zM10,11h3v9h-3z")

    private fun icon(vararg paths: String) =
        ImageVector.Builder(defaultWidth = 24.dp, defaultHeight = 24.dp, viewportWidth = 24f, viewportHeight = 24f)
            .apply { for (path in paths) addPath(addPathNodes(path), fill = SolidColor(Color.White)) }
            .build()
}
