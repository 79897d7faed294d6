package dev.parvis

import com.sun.jna.Native
import com.sun.jna.Platform
import java.io.File

/** The native library, loaded once. */
internal object Library {
    /** The system property that names the library's file, for tests and for apps that install it themselves. */
    private const val PROPERTY = "parvis.library"

    /** Where generated code looks for the library. */
    private const val OVERRIDE = "uniffi.component.parvis_ffi.libraryOverride"

    init {
        if (Platform.isAndroid()) {
            System.loadLibrary("parvis_ffi")
        } else {
            val file = System.getProperty(PROPERTY)?.let(::File) ?: extracted()
            // Not by JNA alone: only the JVM's own way tells the library of the JVM, so that its threads stay attached.
            System.load(file.absolutePath)
            System.setProperty(OVERRIDE, file.absolutePath)
        }
    }

    /** Loads the library if nobody has. */
    fun load() = Unit

    private fun extracted(): File =
        try {
            Native.extractFromResourcePath("parvis_ffi")
        } catch (error: java.io.IOException) {
            val system = "${System.getProperty("os.name")} ${System.getProperty("os.arch")}"
            throw UnsatisfiedLinkError("no Parvis library for $system: set -D$PROPERTY=FILE (${error.message})")
        }
}
