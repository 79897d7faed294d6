package dev.parvis

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * What the library gives item by item, from where it was opened on; to be collected once. Whoever stops collecting ends
 * it.
 */
internal fun <T : Any> pulled(next: suspend () -> T?, cancel: () -> Unit, close: () -> Unit): Flow<T> =
    flow {
        try {
            while (true) emit(awaitLibrary { next() } ?: break)
        } finally {
            cancel()
            close()
        }
    }
