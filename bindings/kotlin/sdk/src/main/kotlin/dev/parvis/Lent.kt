package dev.parvis

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** Puts arrays of sound where the library can read them. */
internal class Staging {
    private var staged: ByteBuffer = direct(0)

    @Synchronized
    fun lend(samples: FloatArray, push: (ByteBuffer) -> Unit) {
        val staged = stage(samples.size * Float.SIZE_BYTES)
        staged.asFloatBuffer().put(samples)
        inLibrary { push(staged) }
    }

    @Synchronized
    fun lend(samples: ShortArray, push: (ByteBuffer) -> Unit) {
        val staged = stage(samples.size * Short.SIZE_BYTES)
        staged.asShortBuffer().put(samples)
        inLibrary { push(staged) }
    }

    private fun stage(bytes: Int): ByteBuffer {
        if (staged.capacity() < bytes) staged = direct(bytes)
        staged.clear().limit(bytes)
        return staged
    }
}

/** What the library sees of a buffer: from its position on. */
internal fun lent(buffer: ByteBuffer): ByteBuffer {
    if (!buffer.isDirect) {
        throw ParvisException(ErrorKind.BAD_FRAME, "the library reads direct buffers: ByteBuffer.allocateDirect")
    }
    // The generated half passes where a buffer begins, whatever its position.
    return if (buffer.position() == 0) buffer else buffer.slice()
}

private fun direct(bytes: Int): ByteBuffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN)
