package dev.parvis.android

import android.Manifest
import android.annotation.SuppressLint
import android.content.Context
import android.media.AudioFormat
import android.media.AudioRecord
import android.media.MediaRecorder
import android.os.Process
import dev.parvis.AudioCapture
import dev.parvis.Microphone
import dev.parvis.ParvisException
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.concurrent.thread

/**
 * The phone's microphone, with its echo canceller: for [dev.parvis.Meeting.microphone].
 *
 * [CallAudio] is on meanwhile, since a phone cancels echoes in a call only.
 *
 * @param lost called on a thread of this class when Android took the microphone away: turn it off
 */
public class PhoneMicrophone(
    private val context: Context,
    private val lost: () -> Unit = {},
) : AudioCapture {
    @Volatile
    private var record: AudioRecord? = null
    private var reading: Thread? = null

    @SuppressLint("MissingPermission")
    override suspend fun open() {
        context.require(Manifest.permission.RECORD_AUDIO, "microphone")
        val least = AudioRecord.getMinBufferSize(RATE, AudioFormat.CHANNEL_IN_MONO, AudioFormat.ENCODING_PCM_16BIT)
        val format = AudioFormat.Builder()
            .setSampleRate(RATE)
            .setChannelMask(AudioFormat.CHANNEL_IN_MONO)
            .setEncoding(AudioFormat.ENCODING_PCM_16BIT)
            .build()
        val record = AudioRecord.Builder()
            .setAudioSource(MediaRecorder.AudioSource.VOICE_COMMUNICATION)
            .setAudioFormat(format)
            .setBufferSizeInBytes(maxOf(least, CHUNK * BUFFERED_CHUNKS))
            .build()
        if (record.state != AudioRecord.STATE_INITIALIZED) {
            record.release()
            error("the microphone does not open: another app may have it")
        }
        this.record = record
    }

    override fun start(microphone: Microphone) {
        val record = checkNotNull(record) { "open comes before start" }
        record.startRecording()
        // Android says it no other way.
        check(record.recordingState == AudioRecord.RECORDSTATE_RECORDING) { "the microphone does not start: another app may have it" }
        reading = thread(name = "microphone-in") {
            Process.setThreadPriority(Process.THREAD_PRIORITY_URGENT_AUDIO)
            readAll(record, microphone)
        }
    }

    override fun stop() {
        val record = record ?: return
        this.record = null
        if (record.state == AudioRecord.STATE_INITIALIZED) record.stop()
        // The reader may be who stops it, by what it pushes.
        if (reading != Thread.currentThread()) reading?.join()
        record.release()
    }

    private fun readAll(record: AudioRecord, microphone: Microphone) {
        val chunk = ByteBuffer.allocateDirect(CHUNK).order(ByteOrder.nativeOrder())
        while (record.recordingState == AudioRecord.RECORDSTATE_RECORDING) {
            chunk.clear()
            val read = record.read(chunk, CHUNK)
            if (read < 0) break
            chunk.limit(read)
            try {
                microphone.pushShorts(chunk)
            } catch (_: ParvisException) {
                // The meeting is over, and its state says so.
                return
            }
        }
        if (this.record === record) lost()
    }

    private companion object {
        const val RATE = 48_000

        /** Bytes of 10 ms. */
        const val CHUNK = RATE / 100 * Short.SIZE_BYTES

        /** What is read later is lost. */
        const val BUFFERED_CHUNKS = 8
    }
}
