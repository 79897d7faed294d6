package dev.parvis.android

import android.media.MediaCodec
import android.media.MediaFormat
import android.os.Handler
import android.os.HandlerThread
import dev.parvis.ParvisException

/**
 * A `MediaCodec` in a thread of its own, with what waits for its input.
 *
 * @param most how much waits, at most; of more, what waits the longest is thrown away
 */
internal abstract class HardwareCodec<T : AutoCloseable>(
    name: String,
    format: MediaFormat,
    flags: Int,
    most: Int,
) {
    private val codec = MediaCodec.createByCodecName(name)
    private val thread = HandlerThread(name).apply { start() }
    private val handler = Handler(thread.looper)

    // Both are the thread's.
    private val inputs = ArrayDeque<Int>()
    private val waiting = Waiting(most, ::skip)

    init {
        codec.setCallback(Callback(), handler)
        orFree { codec.configure(format, null, null, flags) }
    }

    /** Puts it into an input of the codec, which is queued. */
    protected abstract fun put(codec: MediaCodec, input: Int, item: T)

    /** Takes what the codec made; the output is released. */
    protected abstract fun take(codec: MediaCodec, output: Int, info: MediaCodec.BufferInfo)

    /** One is thrown away for want of inputs; the next one is given in its place. */
    protected open fun skip(item: T, next: T): Unit = Unit

    /** It is of no use any more. */
    protected abstract fun failed(reason: String)

    /** Starts it, once whoever inherits it is ready. */
    protected fun begin(): Unit = orFree(codec::start)

    /** Gives it something, as soon as it has an input. */
    fun give(item: T) {
        val isAlive = handler.post {
            waiting.add(item)
            feed()
        }
        if (!isAlive) item.close()
    }

    /** Does something with it in its thread. */
    protected fun run(work: (MediaCodec) -> Unit) {
        handler.post { guarded(::failed) { work(codec) } }
    }

    /** Throws away what waits. */
    fun forget() {
        handler.post(waiting::clear)
    }

    fun release() {
        handler.post {
            waiting.clear()
            free()
        }
    }

    private fun free() {
        codec.release()
        thread.quitSafely()
    }

    /** A phone has few codecs: one that does not begin is given back. */
    private inline fun orFree(work: () -> Unit) =
        try {
            work()
        } catch (error: RuntimeException) {
            free()
            throw error
        }

    private fun feed() = guarded(::failed) {
        while (inputs.isNotEmpty()) {
            val next = waiting.take() ?: break
            next.use { put(codec, inputs.removeFirst(), it) }
        }
    }

    private inner class Callback : MediaCodec.Callback() {
        override fun onInputBufferAvailable(codec: MediaCodec, index: Int) {
            inputs += index
            feed()
        }

        override fun onOutputBufferAvailable(codec: MediaCodec, index: Int, info: MediaCodec.BufferInfo) =
            guarded(::failed) {
                try {
                    take(codec, index, info)
                } finally {
                    codec.releaseOutputBuffer(index, false)
                }
            }

        override fun onError(codec: MediaCodec, error: MediaCodec.CodecException) = failed(error.diagnosticInfo)

        override fun onOutputFormatChanged(codec: MediaCodec, format: MediaFormat) = Unit
    }
}

/** What waits, at most so much: of more the oldest is closed, once [skip] was told of it and of the next one. */
internal class Waiting<T : AutoCloseable>(private val most: Int, private val skip: (T, T) -> Unit) {
    private val items = ArrayDeque<T>()

    fun add(item: T) {
        items += item
        if (items.size > most) items.removeFirst().use { skip(it, items.first()) }
    }

    fun take(): T? = items.removeFirstOrNull()

    fun clear() {
        items.forEach(AutoCloseable::close)
        items.clear()
    }
}

/** Works in a thread in which nothing may be thrown, since that would be the end of the app: [failed] is told. */
internal inline fun guarded(failed: (String) -> Unit, work: () -> Unit) =
    try {
        work()
    } catch (error: ParvisException) {
        failed(error.message)
    } catch (error: RuntimeException) {
        failed(error.message ?: error.toString())
    }
