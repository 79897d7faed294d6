package dev.parvis.app.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.border
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.Icon
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.key
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.layout.Layout
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.text.style.TextOverflow
import androidx.compose.ui.unit.Constraints
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.sp
import dev.parvis.Source
import dev.parvis.app.Tile
import dev.parvis.app.placesOf

/**
 * Rectangles as large as they fit; a screen that is shared has most of the place, the others a row below. They are all of one parent:
 * one that moves, since somebody else speaks, keeps its picture.
 */
@Composable
fun TileGrid(tiles: List<Tile>, modifier: Modifier, picture: @Composable (Tile, Modifier) -> Unit) {
    val (screens, people) = tiles.partition { it.source == Source.SCREEN }
    val screen = screens.take(1)
    val shown = if (screen.isEmpty()) people else screen + people.take(BESIDE_SCREEN)
    Layout(
        { for (tile in shown) key(tile.participant, tile.source) { TileBox(tile, Modifier, picture) } },
        modifier.padding(8.dp),
    ) { boxes, constraints ->
        val (width, height) = constraints.maxWidth to constraints.maxHeight
        val places = placesOf(shown.size, screen.isNotEmpty(), width, height, 8.dp.roundToPx())
        val placed = boxes.zip(places) { box, place -> box.measure(Constraints.fixed(place.width, place.height)) to place }
        layout(width, height) { for ((box, place) in placed) box.place(place.left, place.top) }
    }
}

@Composable
private fun TileBox(tile: Tile, modifier: Modifier, picture: @Composable (Tile, Modifier) -> Unit) {
    val shape = RoundedCornerShape(16.dp)
    val edge = if (tile.isSpeaking) MaterialTheme.colorScheme.primary else Color.Transparent
    Box(
        modifier.clip(shape).background(MaterialTheme.colorScheme.surfaceVariant).border(3.dp, edge, shape),
        contentAlignment = Alignment.Center,
    ) {
        if (tile.hasPicture) picture(tile, Modifier.fillMaxSize()) else Initials(tile)
        tile.handPosition?.let { place ->
            Text(
                "✋ $place",
                Modifier.align(Alignment.TopStart).padding(10.dp).clip(CircleShape).background(Color(0xfffdd663))
                    .padding(horizontal = 10.dp, vertical = 3.dp),
                color = Color.Black,
                fontSize = 13.sp,
            )
        }
        NamePlate(tile, Modifier.align(Alignment.BottomStart))
    }
}

@Composable
private fun Initials(tile: Tile) {
    Box(Modifier.size(84.dp).clip(CircleShape).background(colourOf(tile.participant)), contentAlignment = Alignment.Center) {
        Text(tile.initials, color = Color.White, fontSize = 30.sp, fontWeight = FontWeight.Medium)
    }
}

@Composable
private fun NamePlate(tile: Tile, modifier: Modifier) {
    Row(
        modifier.padding(10.dp).clip(RoundedCornerShape(10.dp)).background(Color(0x99000000)).padding(8.dp, 4.dp),
        verticalAlignment = Alignment.CenterVertically,
        horizontalArrangement = Arrangement.spacedBy(6.dp),
    ) {
        if (tile.isMuted) Icon(Icons.microphoneOff, "muted", Modifier.size(14.dp), tint = Color.White)
        if (tile.isWeak) Icon(Icons.weak, "weak connection", Modifier.size(14.dp), tint = Color(0xfffdd663))
        Text(
            if (tile.isMe) "${tile.name} (you)" else tile.name,
            color = Color.White,
            fontSize = 13.sp,
            maxLines = 1,
            overflow = TextOverflow.Ellipsis,
        )
    }
}

/** More do not fit below a screen. */
private const val BESIDE_SCREEN = 4
