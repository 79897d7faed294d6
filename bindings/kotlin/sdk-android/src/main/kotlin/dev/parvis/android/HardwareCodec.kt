package dev.parvis.android

import android.media.MediaCodec
import android.media.MediaFormat
import android.os.Handler
import android.os.HandlerThread

/**
 * A `MediaCodec` in a thread of its own, with what waits for its input.
 *
 * @param most how much waits, at most
 */
internal abstract class HardwareCodec<T : AutoCloseable>(
    name: String,
    format: MediaFormat,
    flags: Int,
    private val most: Int,
) {
    private val codec = MediaCodec.createByCodecName(name)
    private val thread = HandlerThread(name).apply { start() }
    private val handler = Handler(thread.looper)

    // Both are the thread's.
    private val inputs = ArrayDeque<Int>()
    private val waiting = ArrayDeque<T>()

    init {
        codec.setCallback(Callback(), handler)
        try {
            codec.configure(format, null, null, flags)
        } catch (error: IllegalStateException) {
            // MediaCodec.CodecException is one.
            free()
            throw error
        } catch (error: IllegalArgumentException) {
            free()
            throw error
        }
    }

    /** Puts it into an input of the codec, which is queued. */
    protected abstract fun put(codec: MediaCodec, input: Int, item: T)

    /** Takes what the codec made; the output is released. */
    protected abstract fun take(codec: MediaCodec, output: Int, info: MediaCodec.BufferInfo)

    /** It is of no use any more. */
    protected abstract fun failed(reason: String)

    /** Starts it, once whoever inherits it is ready. */
    protected fun begin() = codec.start()

    /** Gives it something, as soon as it has an input; of too much, what waits the longest is thrown away. */
    fun give(item: T) {
        val isAlive = handler.post {
            waiting += item
            if (waiting.size > most) waiting.removeFirst().close()
            feed()
        }
        if (!isAlive) item.close()
    }

    /** Does something with it in its thread. */
    protected fun run(work: (MediaCodec) -> Unit) {
        handler.post { guarded { work(codec) } }
    }

    /** Throws away what waits. */
    fun forget() {
        handler.post(::clear)
    }

    fun release() {
        handler.post {
            clear()
            free()
        }
    }

    private fun clear() {
        waiting.forEach(AutoCloseable::close)
        waiting.clear()
    }

    private fun free() {
        codec.release()
        thread.quitSafely()
    }

    private fun feed() = guarded {
        while (inputs.isNotEmpty() && waiting.isNotEmpty()) {
            waiting.removeFirst().use { put(codec, inputs.removeFirst(), it) }
        }
    }

    private inline fun guarded(work: () -> Unit) {
        try {
            work()
        } catch (error: IllegalStateException) {
            failed(error.message ?: error.toString())
        }
    }

    private inner class Callback : MediaCodec.Callback() {
        override fun onInputBufferAvailable(codec: MediaCodec, index: Int) {
            inputs += index
            feed()
        }

        override fun onOutputBufferAvailable(codec: MediaCodec, index: Int, info: MediaCodec.BufferInfo) = guarded {
            take(codec, index, info)
            codec.releaseOutputBuffer(index, false)
        }

        override fun onError(codec: MediaCodec, error: MediaCodec.CodecException) = failed(error.diagnosticInfo)

        override fun onOutputFormatChanged(codec: MediaCodec, format: MediaFormat) = Unit
    }
}
