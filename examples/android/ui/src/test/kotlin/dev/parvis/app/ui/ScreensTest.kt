package dev.parvis.app.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Box
import androidx.compose.runtime.Composable
import androidx.compose.ui.ImageComposeScene
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Brush
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.unit.Density
import dev.parvis.Emoji
import dev.parvis.Source
import dev.parvis.Waiter
import dev.parvis.app.CallState
import dev.parvis.app.Chat
import dev.parvis.app.DeviceState
import dev.parvis.app.Floating
import dev.parvis.app.JoinState
import dev.parvis.app.Line
import dev.parvis.app.LineStatus
import dev.parvis.app.Stage
import dev.parvis.app.Tile
import java.io.File
import kotlin.test.assertTrue
import org.jetbrains.skia.Image
import org.junit.jupiter.api.Test

/** Draws each screen as a phone of 1080 by 2160 has it, into the folder of the property parvis.shots. */
class ScreensTest {
    private val people = listOf("Ada Lovelace", "Bo", "Chloé Martin", "Zoé")

    private fun tile(index: Int, source: Source = Source.CAMERA) =
        Tile(
            "p$index",
            source,
            if (source == Source.SCREEN) "${people[index]}: screen" else people[index],
            isMe = index == 3,
            hasPicture = source == Source.SCREEN || index != 1,
            isMuted = index == 2,
            isSpeaking = index == 0 && source == Source.CAMERA,
            handPosition = if (index == 2) 1 else null,
            isWeak = index == 1,
        )

    private val call =
        CallState(
            stage = Stage.In(isReconnecting = false),
            code = "abc-defg-hij",
            me = "p3",
            tiles = people.indices.map(::tile),
            isHost = true,
            waiting = listOf(Waiter("w1", "Dora", false, false, 0), Waiter("w2", "Emil", false, false, 0)),
            isRecording = true,
            unread = 3,
            reactions = listOf(Floating(0, "Ada Lovelace", Emoji.PARTY_POPPER)),
            microphone = DeviceState.ON,
            camera = DeviceState.ON,
        )

    private val chat =
        Chat(
            listOf(
                Line("a", "p0", "Ada Lovelace", "Does everybody see the slides?", 0, LineStatus.Sent(1)),
                Line("b", "p3", "Zoé", "Yes, they are fine.", 0, LineStatus.Sent(2)),
                Line("c", "p3", "Zoé", "On its way", null, LineStatus.Pending),
                Line("d", "p3", "Zoé", "Refused", null, LineStatus.Failed("Not so fast. Wait a moment.")),
            ),
        )

    @Test
    fun `the screen before a meeting is drawn`() =
        drawn("join") {
            val nothing = JoinActions({}, {}, {}, {}, {}, {})
            val state = JoinState("https://meet.example/abc-defg-hij", "abc-defg-hij", "Zoé")
            JoinScreen(state, nothing) { Stand(0, it) }
        }

    @Test
    fun `a call is drawn on each stage`() {
        val shared = call.copy(tiles = listOf(tile(0, Source.SCREEN)) + call.tiles, notice = "Ada Lovelace turned your microphone off")
        val stages =
            mapOf(
                "connecting" to CallState(code = "abc-defg-hij"),
                "waiting" to CallState(Stage.Waiting("The host said no", canKnock = true), "abc-defg-hij"),
                "call" to call,
                "screen" to shared.copy(waiting = emptyList(), screen = DeviceState.ON),
                "chat" to call.copy(isChatOpen = true, unread = 0, chat = chat),
                "over" to CallState(Stage.Over("The meeting is over"), "abc-defg-hij"),
            )
        for ((name, state) in stages) {
            drawn(name) { CallScreen(state, CallActions(), { "♥" }) { tile, modifier -> Stand(tile.name.length, modifier) } }
        }
    }

    /** What stands for a camera's picture. */
    @Composable
    private fun Stand(number: Int, modifier: Modifier) {
        val hue = number * 67 % 360f
        Box(modifier.background(Brush.linearGradient(listOf(Color.hsv(hue, 0.5f, 0.7f), Color.hsv(hue, 0.7f, 0.25f)))))
    }

    private fun drawn(name: String, content: @Composable () -> Unit) {
        val scene = ImageComposeScene(WIDTH, HEIGHT, Density(2.625f)) { ParvisTheme(content) }
        val image = try {
            scene.render()
            scene.render(FRAME)
        } finally {
            scene.close()
        }
        assertTrue(colours(image) > 8, "$name is empty")
        val folder = File(System.getProperty("parvis.shots")).apply { mkdirs() }
        File(folder, "$name.png").writeBytes(image.encodeToData()!!.bytes)
    }

    private fun colours(image: Image): Int {
        val pixels = org.jetbrains.skia.Bitmap.makeFromImage(image)
        return (0 until HEIGHT step 8).flatMap { y -> (0 until WIDTH step 8).map { x -> pixels.getColor(x, y) } }.toSet().size
    }

    private companion object {
        const val WIDTH = 1080
        const val HEIGHT = 2160

        /** After the first frame, nanoseconds. */
        const val FRAME = 500_000_000L
    }
}
