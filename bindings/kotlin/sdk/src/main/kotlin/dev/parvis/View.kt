package dev.parvis

import com.sun.jna.Pointer
import java.lang.ref.PhantomReference
import java.lang.ref.ReferenceQueue
import java.nio.ByteBuffer
import java.util.concurrent.ConcurrentHashMap

/** The library's memory, while what owns it is open; a buffer, or what is sliced from it, keeps [owner] from being collected. */
internal fun view(owner: Any, isClosed: Boolean, address: Long, length: Int): ByteBuffer {
    if (isClosed) throw ParvisException(ErrorKind.LEFT, "this frame was closed: read it before")
    val view = Pointer(address).getByteBuffer(0, length.toLong())
    Viewed.keep(owner, view)
    return view
}

/** An owner that lives as long as a buffer does. */
private class Viewed(@Suppress("unused") private val owner: Any, view: ByteBuffer) : PhantomReference<ByteBuffer>(view, over) {
    companion object {
        private val over = ReferenceQueue<ByteBuffer>()
        private val kept = ConcurrentHashMap.newKeySet<Viewed>()

        fun keep(owner: Any, view: ByteBuffer) {
            while (true) kept.remove(over.poll() as? Viewed ?: break)
            kept.add(Viewed(owner, view))
        }
    }
}
