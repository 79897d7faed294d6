package dev.parvis.app.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.text.style.TextOverflow
import androidx.compose.ui.unit.dp
import dev.parvis.Waiter

/** Who waits to be let in, for hosts. */
@Composable
internal fun LobbyCard(waiting: List<Waiter>, actions: CallActions) {
    Column(
        Modifier.fillMaxWidth().padding(horizontal = 8.dp).clip(RoundedCornerShape(16.dp))
            .background(MaterialTheme.colorScheme.secondaryContainer).padding(start = 16.dp, end = 4.dp),
    ) {
        for (waiter in waiting.take(SHOWN)) {
            Row(verticalAlignment = Alignment.CenterVertically) {
                Text("${waiter.name} wants to come in", Modifier.weight(1f), maxLines = 1, overflow = TextOverflow.Ellipsis)
                TextButton({ actions.deny(waiter.participant) }) { Text("Deny") }
                TextButton({ actions.admit(waiter.participant) }) { Text("Admit") }
            }
        }
        if (waiting.size > 1) {
            Row(verticalAlignment = Alignment.CenterVertically) {
                Text("${waiting.size} wait", Modifier.weight(1f), color = MaterialTheme.colorScheme.onSurfaceVariant)
                TextButton({ actions.deny(null) }) { Text("Deny all") }
                TextButton({ actions.admit(null) }) { Text("Admit all") }
            }
        }
    }
}

/** The others are in the count. */
private const val SHOWN = 3
