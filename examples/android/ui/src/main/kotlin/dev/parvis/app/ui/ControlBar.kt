package dev.parvis.app.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.sp
import dev.parvis.Emoji
import dev.parvis.app.CallState
import dev.parvis.app.DeviceState

/** The buttons of a call. */
@Composable
internal fun ControlBar(state: CallState, actions: CallActions, sign: (Emoji) -> String) {
    var isReacting by remember { mutableStateOf(false) }
    Column(Modifier.fillMaxWidth().padding(12.dp), horizontalAlignment = Alignment.CenterHorizontally) {
        if (isReacting) {
            Row(
                Modifier.padding(bottom = 10.dp).clip(CircleShape).background(MaterialTheme.colorScheme.surfaceVariant)
                    .padding(8.dp, 4.dp),
            ) {
                for (emoji in Emoji.entries) {
                    val react = {
                        actions.react(emoji)
                        isReacting = false
                    }
                    Text(sign(emoji), Modifier.clip(CircleShape).clickable(onClick = react).padding(6.dp), fontSize = 22.sp)
                }
            }
        }
        Row(horizontalArrangement = Arrangement.spacedBy(6.dp)) {
            val hears = state.microphone == DeviceState.ON
            val sees = state.camera == DeviceState.ON
            RoundButton(
                if (hears) Icons.microphone else Icons.microphoneOff,
                if (hears) "Mute" else "Unmute",
                if (hears) Look.PLAIN else Look.OFF,
                press = actions.toggleMicrophone,
            )
            RoundButton(
                if (sees) Icons.camera else Icons.cameraOff,
                if (sees) "Turn camera off" else "Turn camera on",
                if (sees) Look.PLAIN else Look.OFF,
                press = actions.toggleCamera,
            )
            RoundButton(
                Icons.screen,
                if (state.screen == DeviceState.ON) "Stop sharing" else "Share the screen",
                if (state.screen == DeviceState.ON) Look.ACTIVE else Look.PLAIN,
                press = actions.toggleScreen,
            )
            SignButton("✋", if (state.handPosition != null) Look.ACTIVE else Look.PLAIN, actions.toggleHand)
            SignButton("☺", if (isReacting) Look.ACTIVE else Look.PLAIN) { isReacting = !isReacting }
            RoundButton(
                Icons.chat,
                if (state.isChatOpen) "Close the chat" else "Open the chat",
                if (state.isChatOpen) Look.ACTIVE else Look.PLAIN,
                count = state.unread,
            ) { actions.showChat(!state.isChatOpen) }
            RoundButton(Icons.leave, "Leave", Look.DANGER, press = actions.leave)
        }
    }
}
