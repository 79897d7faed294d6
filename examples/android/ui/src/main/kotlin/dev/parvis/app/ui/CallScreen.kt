package dev.parvis.app.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.Button
import androidx.compose.material3.CircularProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.sp
import dev.parvis.Emoji
import dev.parvis.app.CallState
import dev.parvis.app.Floating
import dev.parvis.app.Stage
import dev.parvis.app.Tile

/** What can be done in a call. */
class CallActions(
    val toggleMicrophone: () -> Unit = {},
    val toggleCamera: () -> Unit = {},
    val toggleScreen: () -> Unit = {},
    val toggleHand: () -> Unit = {},
    val react: (Emoji) -> Unit = {},
    val send: (String) -> Unit = {},
    val sendAgain: (String) -> Unit = {},
    val showChat: (Boolean) -> Unit = {},
    val admit: (String?) -> Unit = {},
    val deny: (String?) -> Unit = {},
    val knock: () -> Unit = {},
    val dismissNotice: () -> Unit = {},
    val leave: () -> Unit = {},
    val finish: () -> Unit = {},
)

/** A call, on whatever stage it is. [picture] shows somebody's camera or screen, [sign] a reaction. */
@Composable
fun CallScreen(
    state: CallState,
    actions: CallActions,
    sign: (Emoji) -> String,
    picture: @Composable (Tile, Modifier) -> Unit,
) {
    when (val stage = state.stage) {
        Stage.Connecting -> Message("Connecting…", state.code, isBusy = true) { TextButton(actions.leave) { Text("Cancel") } }
        is Stage.Waiting -> Message(stage.why, state.code, isBusy = !stage.canKnock) {
            if (stage.canKnock) Button(actions.knock) { Text("Ask again") }
            TextButton(actions.leave) { Text("Leave") }
        }
        is Stage.In -> InCall(state, stage, actions, sign, picture)
        is Stage.Over -> Message(stage.why, state.code, isBusy = false) { Button(actions.finish) { Text("Back") } }
    }
}

@Composable
private fun Message(says: String, code: String, isBusy: Boolean, buttons: @Composable () -> Unit) {
    Column(
        Modifier.fillMaxSize().padding(24.dp),
        verticalArrangement = Arrangement.spacedBy(16.dp, Alignment.CenterVertically),
        horizontalAlignment = Alignment.CenterHorizontally,
    ) {
        if (isBusy) CircularProgressIndicator()
        Text(says, style = MaterialTheme.typography.titleLarge)
        Text(code, color = MaterialTheme.colorScheme.onSurfaceVariant)
        buttons()
    }
}

@Composable
private fun InCall(
    state: CallState,
    stage: Stage.In,
    actions: CallActions,
    sign: (Emoji) -> String,
    picture: @Composable (Tile, Modifier) -> Unit,
) {
    Column(Modifier.fillMaxSize()) {
        Header(state, stage)
        if (state.isHost && state.waiting.isNotEmpty()) LobbyCard(state.waiting, actions)
        Box(Modifier.weight(1f)) {
            if (state.isChatOpen) {
                ChatPane(state.chat, state.me, actions, Modifier.fillMaxSize())
            } else {
                TileGrid(state.tiles, Modifier.fillMaxSize(), picture)
                Reactions(state.reactions, sign, Modifier.align(Alignment.BottomStart))
            }
            state.notice?.let { Notice(it, actions.dismissNotice, Modifier.align(Alignment.TopCenter)) }
        }
        ControlBar(state, actions, sign)
    }
}

@Composable
private fun Header(state: CallState, stage: Stage.In) {
    Row(
        Modifier.fillMaxWidth().padding(16.dp, 10.dp),
        horizontalArrangement = Arrangement.spacedBy(12.dp),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        Text(state.code, fontWeight = FontWeight.SemiBold)
        Text("${state.people.size} in", color = MaterialTheme.colorScheme.onSurfaceVariant)
        if (state.isRecording) Text("● recorded", color = MaterialTheme.colorScheme.error, fontSize = 13.sp)
        if (stage.isReconnecting) Text("reconnecting…", color = Color(0xfffdd663), fontSize = 13.sp)
    }
}

@Composable
private fun Notice(says: String, dismiss: () -> Unit, modifier: Modifier) {
    Row(
        modifier.padding(12.dp).clip(RoundedCornerShape(14.dp)).background(MaterialTheme.colorScheme.secondaryContainer)
            .padding(start = 16.dp),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        Text(says, Modifier.weight(1f, fill = false), color = MaterialTheme.colorScheme.onSecondaryContainer)
        TextButton(dismiss) { Text("OK") }
    }
}

@Composable
private fun Reactions(reactions: List<Floating>, sign: (Emoji) -> String, modifier: Modifier) {
    Column(modifier.padding(16.dp), verticalArrangement = Arrangement.spacedBy(6.dp)) {
        for (reaction in reactions.takeLast(SHOWN_REACTIONS)) {
            Row(
                Modifier.clip(CircleShape).background(Color(0xcc000000)).padding(12.dp, 6.dp),
                horizontalArrangement = Arrangement.spacedBy(8.dp),
                verticalAlignment = Alignment.CenterVertically,
            ) {
                Text(sign(reaction.emoji), fontSize = 20.sp)
                Text(reaction.name, color = Color.White, fontSize = 13.sp)
            }
        }
    }
}

/** More would hide who is seen. */
private const val SHOWN_REACTIONS = 5
