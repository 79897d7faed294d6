package dev.parvis.app.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.material3.FilledIconButton
import androidx.compose.material3.Icon
import androidx.compose.material3.IconButtonDefaults
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.vector.ImageVector
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.sp

/** How a button looks. */
internal enum class Look { PLAIN, OFF, ACTIVE, DANGER }

/** A round button of the bar; [says] is for those who do not see it. */
@Composable
internal fun RoundButton(icon: ImageVector, says: String, look: Look = Look.PLAIN, count: Int = 0, press: () -> Unit) {
    Box {
        FilledIconButton(press, Modifier.size(48.dp), colors = look.colours()) { Icon(icon, contentDescription = says) }
        if (count > 0) {
            Text(
                "$count",
                Modifier.align(Alignment.TopEnd).clip(CircleShape).background(MaterialTheme.colorScheme.error)
                    .padding(horizontal = 5.dp),
                color = MaterialTheme.colorScheme.onError,
                fontSize = 11.sp,
            )
        }
    }
}

/** A round button with a sign on it. */
@Composable
internal fun SignButton(sign: String, look: Look = Look.PLAIN, press: () -> Unit) {
    FilledIconButton(press, Modifier.size(48.dp), colors = look.colours()) { Text(sign) }
}

@Composable
private fun Look.colours() =
    with(MaterialTheme.colorScheme) {
        when (this@colours) {
            Look.PLAIN -> IconButtonDefaults.filledIconButtonColors(secondaryContainer, onSecondaryContainer)
            Look.OFF -> IconButtonDefaults.filledIconButtonColors(onSecondaryContainer, secondaryContainer)
            Look.ACTIVE -> IconButtonDefaults.filledIconButtonColors(primary, onPrimary)
            Look.DANGER -> IconButtonDefaults.filledIconButtonColors(Color(0xffd93838), Color.White)
        }
    }
