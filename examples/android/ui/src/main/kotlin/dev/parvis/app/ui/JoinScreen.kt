package dev.parvis.app.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.aspectRatio
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.Button
import androidx.compose.material3.CircularProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.unit.dp
import dev.parvis.app.JoinState

/** What can be done before a meeting. */
class JoinActions(
    val setAddress: (String) -> Unit,
    val setName: (String) -> Unit,
    val setSite: (String) -> Unit,
    val setMicrophone: (Boolean) -> Unit,
    val setCamera: (Boolean) -> Unit,
    val join: () -> Unit,
)

/** Before a meeting: oneself, an address, a name. [preview] shows the camera where it is on. */
@Composable
fun JoinScreen(state: JoinState, actions: JoinActions, preview: @Composable (Modifier) -> Unit) {
    Box(Modifier.fillMaxSize(), contentAlignment = Alignment.Center) {
        Column(
            Modifier.widthIn(max = 480.dp).verticalScroll(rememberScrollState()).padding(24.dp),
            verticalArrangement = Arrangement.spacedBy(16.dp),
        ) {
            Text("Join a meeting", style = MaterialTheme.typography.headlineMedium, fontWeight = FontWeight.SemiBold)
            Preview(state, actions, preview)
            OutlinedTextField(
                state.address,
                actions.setAddress,
                Modifier.fillMaxWidth(),
                label = { Text("Link or code") },
                supportingText = { Text(state.code?.let { "Room $it" } ?: "Such as abc-defg-hij") },
                singleLine = true,
            )
            if (state.code != null && "://" !in state.address) {
                OutlinedTextField(
                    state.site,
                    actions.setSite,
                    Modifier.fillMaxWidth(),
                    label = { Text("Site of the code") },
                    singleLine = true,
                )
            }
            OutlinedTextField(
                state.name,
                actions.setName,
                Modifier.fillMaxWidth(),
                label = { Text("Your name") },
                singleLine = true,
            )
            state.error?.let { Text(it, color = MaterialTheme.colorScheme.error) }
            Button(actions.join, Modifier.fillMaxWidth().height(52.dp), enabled = state.canJoin) {
                if (state.isJoining) CircularProgressIndicator(Modifier.size(20.dp), strokeWidth = 2.dp) else Text("Join")
            }
        }
    }
}

@Composable
private fun Preview(state: JoinState, actions: JoinActions, preview: @Composable (Modifier) -> Unit) {
    val shape = RoundedCornerShape(20.dp)
    Box(
        Modifier.fillMaxWidth().aspectRatio(16f / 9).clip(shape).background(MaterialTheme.colorScheme.surfaceVariant),
        contentAlignment = Alignment.Center,
    ) {
        if (state.camera) {
            preview(Modifier.fillMaxSize())
        } else {
            Text("Your camera is off", color = MaterialTheme.colorScheme.onSurfaceVariant)
        }
        Row(
            Modifier.align(Alignment.BottomCenter).padding(12.dp),
            horizontalArrangement = Arrangement.spacedBy(12.dp),
        ) {
            RoundButton(
                if (state.microphone) Icons.microphone else Icons.microphoneOff,
                if (state.microphone) "Turn microphone off" else "Turn microphone on",
                look = if (state.microphone) Look.PLAIN else Look.OFF,
            ) { actions.setMicrophone(!state.microphone) }
            RoundButton(
                if (state.camera) Icons.camera else Icons.cameraOff,
                if (state.camera) "Turn camera off" else "Turn camera on",
                look = if (state.camera) Look.PLAIN else Look.OFF,
            ) { actions.setCamera(!state.camera) }
        }
    }
}
