package dev.parvis

import java.io.File
import java.lang.management.ManagementFactory
import javax.management.ObjectName
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeoutOrNull

/** The threads of this process that are not the JVM's. */
object Threads {
    /** The runtime's two, which stay for as long as the process. */
    private val runtime = listOf("parvis", "parvis")
    private val diagnoses = ObjectName("com.sun.management:type=DiagnosticCommand")
    private val line = Regex("""^"(.*?)" .*\bnid=(0x[0-9a-f]+|\d+)""", RegexOption.MULTILINE)

    /** Names of the library's threads, whatever they are called: the JVM knows those alone that are attached to it. */
    fun ofTheLibrary(): List<String> {
        val tasks = File("/proc/self/task").list().orEmpty().map(String::toLong) - ProcessHandle.current().pid()
        val known = ofTheJvm()
        val ours = tasks.filter { known[it] in setOf(null, "parvis") }
        // One that has ended meanwhile has no name any more.
        return ours.mapNotNull { runCatching { File("/proc/self/task/$it/comm").readText().trim() }.getOrNull() }.sorted()
    }

    /** What the library's threads are once only those of its runtime are left: blocking ones, which asked for tickets, end after a while. */
    suspend fun atRest(): List<String> {
        // The first call starts the runtime.
        assertFailsWith<ParvisException> { Meeting.join("", JoinOptions("Zoé", "device")) }
        withTimeoutOrNull(PATIENCE) { while (ofTheLibrary() != runtime) delay(50) }
        return ofTheLibrary().also { assertEquals(runtime, it) }
    }

    /** The threads that a dump of the JVM lists, its own included. */
    private fun ofTheJvm(): Map<Long, String> {
        val arguments = arrayOf<Any>(emptyArray<String>())
        val signature = arrayOf(Array<String>::class.java.name)
        val dump = ManagementFactory.getPlatformMBeanServer().invoke(diagnoses, "threadPrint", arguments, signature) as String
        return line.findAll(dump).associate { found ->
            val (name, id) = found.destructured
            java.lang.Long.decode(id) to name
        }
    }
}
