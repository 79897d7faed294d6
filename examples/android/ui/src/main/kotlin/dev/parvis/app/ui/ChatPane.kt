package dev.parvis.app.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.alpha
import androidx.compose.ui.draw.clip
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.sp
import dev.parvis.app.Chat
import dev.parvis.app.Line
import dev.parvis.app.LineStatus

/** The chat, the newest line below. */
@Composable
internal fun ChatPane(chat: Chat, me: String, actions: CallActions, modifier: Modifier) {
    var draft by rememberSaveable { mutableStateOf("") }
    Column(modifier.padding(12.dp), verticalArrangement = Arrangement.spacedBy(10.dp)) {
        LazyColumn(
            Modifier.weight(1f).fillMaxWidth(),
            reverseLayout = true,
            verticalArrangement = Arrangement.spacedBy(8.dp, Alignment.Bottom),
        ) {
            items(chat.lines.asReversed()) { Bubble(it, isMine = it.from == me, actions) }
        }
        Row(verticalAlignment = Alignment.CenterVertically, horizontalArrangement = Arrangement.spacedBy(8.dp)) {
            OutlinedTextField(draft, { draft = it }, Modifier.weight(1f), label = { Text("Write to everybody") })
            RoundButton(Icons.send, "Send", Look.ACTIVE) {
                actions.send(draft)
                draft = ""
            }
        }
    }
}

@Composable
private fun Bubble(line: Line, isMine: Boolean, actions: CallActions) {
    val colours = MaterialTheme.colorScheme
    Column(Modifier.fillMaxWidth(), horizontalAlignment = if (isMine) Alignment.End else Alignment.Start) {
        if (!isMine) Text(line.name, color = colours.onSurfaceVariant, fontSize = 12.sp)
        Text(
            line.text,
            Modifier.widthIn(max = 300.dp).alpha(if (line.status == LineStatus.Pending) 0.5f else 1f)
                .clip(RoundedCornerShape(16.dp))
                .background(if (isMine) colours.primary else colours.surfaceVariant)
                .padding(12.dp, 8.dp),
            color = if (isMine) colours.onPrimary else colours.onSurface,
        )
        (line.status as? LineStatus.Failed)?.let { failed ->
            Row(verticalAlignment = Alignment.CenterVertically) {
                Text(failed.why, color = colours.error, fontSize = 12.sp)
                TextButton({ actions.sendAgain(line.clientId) }) { Text("Send again", fontSize = 12.sp) }
            }
        }
    }
}
