package dev.parvis

import java.io.File
import kotlin.test.assertEquals
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeoutOrNull

/** The threads of this process that are not the JVM's. */
object Threads {
    /** Names of the library's threads: its runtime's, and those of tracks. */
    fun ofTheLibrary(): List<String> {
        val tasks = File("/proc/self/task").listFiles().orEmpty()
        val names = tasks.mapNotNull { task -> runCatching { File(task, "comm").readText().trim() }.getOrNull() }
        val tracks = listOf("camera", "screen", "microphone")
        return names.filter { name -> name == "parvis" || tracks.any(name::startsWith) }.sorted()
    }

    /** Waits until only the runtime's two threads are there; blocking ones, which asked for tickets, end after a while. */
    suspend fun onlyTheRuntimeIsLeft() {
        val runtime = listOf("parvis", "parvis")
        withTimeoutOrNull(PATIENCE) { while (ofTheLibrary() != runtime) delay(50) }
        assertEquals(runtime, ofTheLibrary())
    }
}
