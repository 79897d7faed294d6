package dev.parvis

import java.io.File
import kotlin.test.assertEquals

/** The threads of this process that are not the JVM's. */
object Threads {
    /** Names of the library's threads: its runtime's, and those of tracks. */
    fun ofTheLibrary(): List<String> {
        val tasks = File("/proc/self/task").listFiles().orEmpty()
        val names = tasks.mapNotNull { task -> runCatching { File(task, "comm").readText().trim() }.getOrNull() }
        val tracks = listOf("camera", "screen", "microphone")
        return names.filter { name -> name == "parvis" || tracks.any(name::startsWith) }.sorted()
    }

    /** Two workers wait for networks; blocking ones, which asked for tickets, end by themselves after a while. */
    fun onlyTheRuntimeIsLeft() {
        val others = ofTheLibrary().filter { it != "parvis" }
        assertEquals(emptyList(), others)
    }
}
