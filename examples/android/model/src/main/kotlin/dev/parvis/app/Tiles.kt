package dev.parvis.app

import dev.parvis.MediaState
import dev.parvis.MeetingState
import dev.parvis.Participant
import dev.parvis.Quality
import dev.parvis.Source

/**
 * A rectangle of the grid: somebody's camera, or what somebody shares.
 *
 * @property participant whose it is
 * @property source camera or screen
 * @property name what is written on it
 * @property isMe whether it is one's own
 * @property hasPicture whether there is a picture to show; else initials are
 * @property isMuted whether nothing is heard of it
 * @property isSpeaking whether it is heard now
 * @property handPosition the place of a raised hand, the first is 1
 * @property isWeak whether it is badly connected
 */
data class Tile(
    val participant: String,
    val source: Source,
    val name: String,
    val isMe: Boolean,
    val hasPicture: Boolean,
    val isMuted: Boolean,
    val isSpeaking: Boolean,
    val handPosition: Int?,
    val isWeak: Boolean,
) {
    /** Up to two letters that stand for a name. */
    val initials: String
        get() = name.split(' ', '-').filter { it.isNotBlank() }.take(2).joinToString("") { it.first().uppercase() }
}

/** How many rectangles lie side by side and below each other. */
data class Grid(val columns: Int, val rows: Int)

/** Rectangles of a meeting: others' screens first, then who spoke last, oneself last: no picture of one's own is received. */
fun tilesOf(state: MeetingState, lastSpoke: List<String> = emptyList()): List<Tile> {
    val people = state.view?.participants.orEmpty().filter { it.service == null }
    val screens = people.filter { it.id != state.me && it.media.screen == MediaState.ON }.map { state.tile(it, Source.SCREEN) }
    val order = people.withIndex().sortedWith(
        compareBy(
            { (_, person) -> person.id == state.me },
            { (_, person) -> lastSpoke.indexOf(person.id).let { if (it < 0) Int.MAX_VALUE else it } },
            { (index, _) -> index },
        ),
    )
    return screens + order.map { (_, person) -> state.tile(person, Source.CAMERA) }
}

private fun MeetingState.tile(person: Participant, source: Source) =
    Tile(
        participant = person.id,
        source = source,
        name = if (source == Source.SCREEN) "${person.name}: screen" else person.name,
        isMe = person.id == me,
        hasPicture = person.id != me && (source == Source.SCREEN || person.media.camera == MediaState.ON),
        isMuted = person.media.microphone != MediaState.ON,
        isSpeaking = source == Source.CAMERA && person.id in speakers,
        handPosition = handPosition(person.id).takeIf { source == Source.CAMERA },
        isWeak = person.quality == Quality.POOR || person.quality == Quality.LOST,
    )

/** Where a rectangle lies. */
data class Place(val left: Int, val top: Int, val width: Int, val height: Int)

/** Where [count] rectangles lie, as large as they fit; the first has the place alone if it [isScreen], with the others in a row below. */
fun placesOf(count: Int, isScreen: Boolean, width: Int, height: Int, gap: Int): List<Place> {
    fun row(places: Int, top: Int, tall: Int): List<Place> {
        val wide = (width - gap * (places - 1)) / maxOf(places, 1)
        return List(places) { Place(it * (wide + gap), top, maxOf(wide, 0), maxOf(tall, 0)) }
    }
    if (isScreen) {
        val below = if (count > 1) (height - gap) / SCREEN_SHARE else -gap
        val screen = height - below - gap
        return row(1, 0, screen) + row(count - 1, screen + gap, below)
    }
    val grid = gridOf(count, width, height)
    val tall = (height - gap * (grid.rows - 1)) / grid.rows
    return (0 until count).chunked(grid.columns).flatMapIndexed { index, row -> row(row.size, index * (tall + gap), tall) }
}

/** The row below a screen has one part of so many. */
private const val SCREEN_SHARE = 4

/** The grid in which [count] rectangles of 16:9 are largest on a screen of this shape. */
fun gridOf(count: Int, width: Int, height: Int): Grid {
    if (count <= 1 || width <= 0 || height <= 0) return Grid(1, 1)
    val grids = (1..count).map { columns -> Grid(columns, (count + columns - 1) / columns) }
    return grids.maxWith(compareBy({ minOf(width.toDouble() / it.columns, height.toDouble() / it.rows * 16 / 9) }, Grid::columns))
}
