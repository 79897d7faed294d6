package dev.parvis.app.phone

import android.content.Context
import dev.parvis.android.CallAudio
import dev.parvis.android.MeetingService
import dev.parvis.android.VoicePlayer
import dev.parvis.android.followNetworks
import dev.parvis.app.CallModel
import dev.parvis.app.CallState
import dev.parvis.app.DeviceState
import dev.parvis.app.SdkCall
import dev.parvis.app.Stage
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.job
import kotlinx.coroutines.launch

/** What a phone does around a call: sound, the foreground service, interruptions. */
class CallSession(
    private val context: Context,
    private val call: SdkCall,
    private val model: CallModel,
    private val words: MeetingService.Words,
) {
    private val sound = CallAudio(context)
    private val voices = VoicePlayer(call.meeting)

    /** Stays until the call is over; then all is given back. */
    suspend fun run() {
        serve(model.state.value)
        sound.open()
        try {
            coroutineScope {
                launch { voices.play() }
                launch { call.meeting.followNetworks(context) }
                launch { model.state.map(::devices).distinctUntilChanged().collect { serve(model.state.value) } }
                launch { MeetingService.leaves.collect { model.leave() } }
                launch { pauseWhileInterrupted() }
                model.state.first { it.stage is Stage.Over }
                coroutineContext.job.cancelChildren()
            }
        } finally {
            sound.close()
            MeetingService.stop(context)
            call.close()
        }
    }

    private suspend fun pauseWhileInterrupted() {
        var paused = false
        sound.isInterrupted.collect { interrupted ->
            voices.isSilent = interrupted
            val isOn = model.state.value.microphone == DeviceState.ON
            if (interrupted && isOn || !interrupted && paused) model.toggleMicrophone()
            paused = interrupted && isOn
        }
    }

    private fun devices(state: CallState) = listOf(state.microphone, state.camera, state.screen).map { it != DeviceState.OFF }

    private fun serve(state: CallState) {
        val (microphone, camera, screen) = devices(state)
        MeetingService.start(context, words, microphone, camera, screen)
    }
}
