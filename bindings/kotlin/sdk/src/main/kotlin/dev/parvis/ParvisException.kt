package dev.parvis

import java.nio.charset.CharacterCodingException
import kotlin.coroutines.cancellation.CancellationException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/**
 * Why something is not done.
 *
 * An app may throw one in what it gives to be called back, such as a [TicketSource]: it comes out of the call that used it.
 *
 * @property kind what went wrong; stable, the same word in every language
 * @property message one line for developers
 * @property retryAfter when it may be tried again, from here on, where the meeting says so
 * @param isRetryable null: as others of its kind, or true where [retryAfter] is set
 * @param isAuth null: as others of its kind
 */
public class ParvisException(
    public val kind: ErrorKind,
    override val message: String,
    public val retryAfter: Duration? = null,
    isRetryable: Boolean? = null,
    isAuth: Boolean? = null,
    cause: Throwable? = null,
) : Exception(message, cause) {
    private val saidRetryable = isRetryable ?: if (retryAfter != null) true else null
    private val saidAuth = isAuth

    // The library knows the kinds. It is asked late: an app's tests of its own may have none.

    /** Whether the same may succeed a little later. */
    public val isRetryable: Boolean get() = saidRetryable ?: inLibrary { dev.parvis.ffi.isRetryable(kind) }

    /** Whether another ticket or sign-in is needed. */
    public val isAuth: Boolean get() = saidAuth ?: inLibrary { dev.parvis.ffi.isAuth(kind) }

    internal fun lower(): dev.parvis.ffi.ParvisException =
        dev.parvis.ffi.ParvisException.Failed(
            kind,
            // What is no Unicode becomes question marks.
            message.encodeToByteArray().decodeToString(),
            retryAfter?.inWholeMilliseconds,
            isRetryable,
            isAuth,
        )

    internal companion object {
        fun lift(error: dev.parvis.ffi.ParvisException): ParvisException =
            when (error) {
                is dev.parvis.ffi.ParvisException.Failed -> ParvisException(
                    error.kind,
                    error.reason,
                    error.retryAfterMs?.milliseconds,
                    error.isRetryable,
                    error.isAuth,
                    error,
                )
            }

        fun left(cause: Throwable): ParvisException =
            ParvisException(ErrorKind.LEFT, "this was closed: join again", cause = cause)

        /** A text has half a surrogate pair. */
        fun noText(cause: CharacterCodingException?): ParvisException =
            ParvisException(ErrorKind.BAD_ARGUMENT, "a text is no Unicode: it has half a surrogate pair", cause = cause)

        /** The library has panicked. */
        fun bug(cause: dev.parvis.ffi.InternalException): ParvisException =
            ParvisException(ErrorKind.UNKNOWN, "a bug of the library: ${cause.message}", cause = cause)
    }
}

/** Calls the library; its failures are [ParvisException]s. */
internal inline fun <T> inLibrary(call: () -> T): T {
    Library.load()
    return try {
        call()
    } catch (error: CancellationException) {
        throw error
    } catch (error: dev.parvis.ffi.ParvisException) {
        throw ParvisException.lift(error)
    } catch (error: dev.parvis.ffi.InternalException) {
        throw ParvisException.bug(error)
    } catch (error: CharacterCodingException) {
        throw ParvisException.noText(error)
    } catch (error: IllegalStateException) {
        throw ParvisException.left(error)
    }
}

/**
 * Calls the library and waits: never resumed on one of its threads, even where the caller has no dispatcher. What it answers
 * to a caller who was cancelled meanwhile is freed.
 */
internal suspend fun <T> awaitLibrary(call: suspend () -> T): T {
    var answer: T? = null
    try {
        return withContext(Dispatchers.Default) { inLibrary { call() }.also { answer = it } }
    } catch (cancelled: CancellationException) {
        dev.parvis.ffi.Disposable.destroy(answer)
        throw cancelled
    }
}

/** Runs what the app gave to be called back. */
internal inline fun <T> foreign(call: () -> T): T =
    try {
        call()
    } catch (error: ParvisException) {
        throw error.lower()
    } catch (error: Error) {
        // The generated half hands over exceptions only: Rust would wait for ever.
        throw IllegalStateException(error.toString(), error)
    }
