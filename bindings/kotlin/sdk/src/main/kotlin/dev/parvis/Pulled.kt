package dev.parvis

import java.util.concurrent.atomic.AtomicReference
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * What the library gives item by item: to the first collector from this call on, to each further one from when it begins.
 * Whoever stops collecting ends it.
 */
internal fun <S : AutoCloseable, T : Any> pulled(open: () -> S, next: suspend (S) -> T?, cancel: (S) -> Unit): Flow<T> {
    val first = AtomicReference<S?>(inLibrary(open))
    return flow {
        val stream = first.getAndSet(null) ?: inLibrary(open)
        try {
            while (true) emit(awaitLibrary { next(stream) } ?: break)
        } finally {
            cancel(stream)
            stream.close()
        }
    }
}
