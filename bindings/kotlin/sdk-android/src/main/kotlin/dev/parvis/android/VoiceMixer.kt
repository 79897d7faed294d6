package dev.parvis.android

import java.nio.FloatBuffer
import kotlin.math.abs

/** Adds voices up: mono, 48 kHz. */
internal class VoiceMixer {
    private val voices = mutableSetOf<Voice>()

    /** A voice more, until [remove]. */
    fun add(): Voice = Voice().also { synchronized(voices) { voices += it } }

    /** A voice less. */
    fun remove(voice: Voice) {
        synchronized(voices) { voices -= voice }
    }

    /** Fills it with what is heard next; silence where a voice has nothing. */
    fun mix(into: FloatArray) {
        into.fill(0f)
        synchronized(voices) { for (voice in voices) voice.addTo(into) }
        for (index in into.indices) into[index] = softly(into[index])
    }

    /** What somebody says, up to [CAPACITY]: of more the oldest is thrown away, for late sound is worse than lost sound. */
    class Voice {
        private val ring = FloatArray(CAPACITY)
        private var start = 0
        private var length = 0
        private var isPlaying = false

        /** Takes sound in; two channels become one. */
        @Synchronized
        fun put(samples: FloatBuffer, channels: Int) {
            while (samples.remaining() >= channels) {
                var sum = 0f
                repeat(channels) { sum += samples.get() }
                if (length == CAPACITY) drop(1)
                ring[(start + length++) % CAPACITY] = sum / channels
            }
        }

        @Synchronized
        fun addTo(into: FloatArray) {
            // After silence a little is saved up, so that the next frame may be late.
            if (!isPlaying && length < CUSHION) return
            val count = minOf(length, into.size)
            for (index in 0 until count) into[index] += ring[(start + index) % CAPACITY]
            drop(count)
            isPlaying = count == into.size
        }

        private fun drop(count: Int) {
            start = (start + count) % CAPACITY
            length -= count
        }
    }

    companion object {
        /** 200 ms. */
        const val CAPACITY = 9_600

        /** 40 ms. */
        const val CUSHION = 1_920

        private const val KNEE = 0.8f

        /** As it is while it is quiet; bent below 1 where voices add up to more. */
        private fun softly(sample: Float): Float {
            val loud = abs(sample) - KNEE
            if (loud <= 0) return sample
            val bent = KNEE + (1 - KNEE) * loud / (loud + 1 - KNEE)
            return if (sample < 0) -bent else bent
        }
    }
}
