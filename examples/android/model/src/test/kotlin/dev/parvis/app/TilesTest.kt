package dev.parvis.app

import dev.parvis.MediaState
import dev.parvis.Phase
import dev.parvis.Source
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import org.junit.jupiter.api.Test

class TilesTest {
    @Test
    fun `screens come first, oneself last`() {
        val known = state(Phase.Connected, person(ME), person("ada"), person("bo", screen = MediaState.ON))
        val tiles = tilesOf(known).map { it.participant to it.source }
        assertEquals(listOf("bo" to Source.SCREEN, "ada" to Source.CAMERA, "bo" to Source.CAMERA, ME to Source.CAMERA), tiles)
    }

    @Test
    fun `who has no camera has initials`() {
        val tile = tilesOf(state(Phase.Connected, person("ada lovelace", camera = MediaState.MUTED))).single()
        assertFalse(tile.hasPicture)
        assertEquals("AL", tile.initials)
    }

    @Test
    fun `nothing of one's own is received`() {
        val tile = tilesOf(state(Phase.Connected, person(ME, screen = MediaState.ON))).single()
        assertFalse(tile.hasPicture)
    }

    @Test
    fun `the grid fits the screen`() {
        assertEquals(Grid(1, 1), gridOf(0, 1080, 2000))
        assertEquals(Grid(1, 3), gridOf(3, 1080, 2000))
        assertEquals(Grid(2, 3), gridOf(5, 1080, 1500))
        assertEquals(Grid(3, 2), gridOf(6, 1920, 1080))
        assertEquals(Grid(1, 1), gridOf(5, 0, 0))
    }

    @Test
    fun `rectangles lie beside each other, a last one fills its row`() {
        assertEquals(
            listOf(Place(0, 0, 895, 495), Place(905, 0, 895, 495), Place(0, 505, 1800, 495)),
            placesOf(3, isScreen = false, 1800, 1000, gap = 10),
        )
        assertEquals(listOf(Place(0, 0, 1000, 600)), placesOf(1, isScreen = false, 1000, 600, gap = 10))
        assertEquals(emptyList(), placesOf(0, isScreen = false, 1000, 600, gap = 10))
    }

    @Test
    fun `a screen has most of the place`() {
        assertEquals(
            listOf(Place(0, 0, 1000, 750), Place(0, 760, 495, 250), Place(505, 760, 495, 250)),
            placesOf(3, isScreen = true, 1000, 1010, gap = 10),
        )
        assertEquals(listOf(Place(0, 0, 1000, 600)), placesOf(1, isScreen = true, 1000, 600, gap = 10))
    }
}
