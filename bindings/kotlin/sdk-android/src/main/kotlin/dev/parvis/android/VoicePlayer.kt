package dev.parvis.android

import android.media.AudioAttributes
import android.media.AudioFormat
import android.media.AudioTrack
import android.os.Process
import dev.parvis.Meeting
import dev.parvis.Mixer
import dev.parvis.ParvisException
import dev.parvis.Phase
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.concurrent.thread
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/** Plays the voices of a meeting, mixed, through the route of the call; see [CallAudio]. A meeting has one. */
public class VoicePlayer(private val meeting: Meeting) {
    /** Whether nothing is played, as during another call. The voices go on. */
    @Volatile
    public var isSilent: Boolean = false

    /**
     * Plays everybody's voice until it is cancelled or the meeting is over.
     *
     * Throws [IllegalStateException] or [UnsupportedOperationException] where the phone plays nothing.
     */
    public suspend fun play(): Unit =
        withContext(Dispatchers.Default) {
            meeting.mixer().use { mixer ->
                val isOver = AtomicBoolean()
                val failure = CompletableDeferred<Nothing>()
                val first = track()
                val playing = thread(name = "voices-out") {
                    Process.setThreadPriority(Process.THREAD_PRIORITY_URGENT_AUDIO)
                    try {
                        writeAll(mixer, first, isOver)
                    } catch (error: RuntimeException) {
                        failure.completeExceptionally(error)
                    }
                }
                try {
                    coroutineScope {
                        val failing = launch { failure.await() }
                        meeting.state.first { it.phase is Phase.Disconnected }
                        failing.cancel()
                    }
                } finally {
                    isOver.set(true)
                    playing.join()
                }
            }
        }

    private fun writeAll(mixer: Mixer, first: AudioTrack, isOver: AtomicBoolean) {
        val chunk = FloatArray(CHUNK)
        var track = first
        var failures = 0
        try {
            while (!isOver.get()) {
                try {
                    mixer.fill(chunk)
                } catch (_: ParvisException) {
                    // The meeting is over, and its state says so.
                    break
                }
                if (isSilent) chunk.fill(0f)
                val written = track.write(chunk, 0, CHUNK, AudioTrack.WRITE_BLOCKING)
                if (written >= 0) {
                    failures = 0
                    continue
                }
                // The phone's sound began anew: this one plays nothing any more.
                check(++failures <= MOST_FAILURES) { "nothing is played: $written" }
                track.release()
                track = track()
            }
        } finally {
            track.release()
        }
    }

    private fun track(): AudioTrack {
        val least = AudioTrack.getMinBufferSize(RATE, AudioFormat.CHANNEL_OUT_MONO, AudioFormat.ENCODING_PCM_FLOAT)
        val format = AudioFormat.Builder()
            .setSampleRate(RATE)
            .setChannelMask(AudioFormat.CHANNEL_OUT_MONO)
            .setEncoding(AudioFormat.ENCODING_PCM_FLOAT)
            .build()
        val attributes = AudioAttributes.Builder()
            .setUsage(AudioAttributes.USAGE_VOICE_COMMUNICATION)
            .setContentType(AudioAttributes.CONTENT_TYPE_SPEECH)
            .build()
        return AudioTrack.Builder()
            .setAudioAttributes(attributes)
            .setAudioFormat(format)
            .setBufferSizeInBytes(maxOf(least, 4 * CHUNK * Float.SIZE_BYTES))
            .setPerformanceMode(AudioTrack.PERFORMANCE_MODE_LOW_LATENCY)
            .build()
            .apply { play() }
    }

    private companion object {
        const val RATE = 48_000

        /** 10 ms. */
        const val CHUNK = RATE / 100

        /** Tracks in turn that play nothing. */
        const val MOST_FAILURES = 3
    }
}
