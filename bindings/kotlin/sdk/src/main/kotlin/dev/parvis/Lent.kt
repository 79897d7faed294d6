package dev.parvis

import java.lang.ref.Reference
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** Puts arrays of sound where the library can read them. */
internal class Staging {
    private var staged: ByteBuffer = direct(0)

    @Synchronized
    fun lend(samples: FloatArray, push: (ByteBuffer) -> Unit) {
        val staged = stage(samples.size * Float.SIZE_BYTES)
        staged.asFloatBuffer().put(samples)
        lend(staged, push)
    }

    @Synchronized
    fun lend(samples: ShortArray, push: (ByteBuffer) -> Unit) {
        val staged = stage(samples.size * Short.SIZE_BYTES)
        staged.asShortBuffer().put(samples)
        lend(staged, push)
    }

    private fun stage(bytes: Int): ByteBuffer {
        if (staged.capacity() < bytes) staged = direct(bytes)
        staged.clear().limit(bytes)
        return staged
    }
}

/** Lends what is in a buffer, from its position on, to a function of the library. */
internal inline fun lend(buffer: ByteBuffer, push: (ByteBuffer) -> Unit): Unit =
    inLibrary {
        val lent = lent(buffer)
        try {
            push(lent)
        } finally {
            held(lent)
        }
    }

/** What the library is given is an address: the buffer is not to be collected before this. */
internal fun held(buffer: ByteBuffer): Unit = Reference.reachabilityFence(buffer)

/** What the library sees of a buffer, to be [held]: from its position on. */
internal fun lent(buffer: ByteBuffer): ByteBuffer {
    if (!buffer.isDirect) {
        throw ParvisException(ErrorKind.BAD_FRAME, "the library reads direct buffers: ByteBuffer.allocateDirect")
    }
    // The generated half passes where a buffer begins, whatever its position.
    return if (buffer.position() == 0) buffer else buffer.slice()
}

private fun direct(bytes: Int): ByteBuffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN)
