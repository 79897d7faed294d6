package dev.parvis.app.phone

import android.content.Context
import dev.parvis.ParvisException
import dev.parvis.Source
import dev.parvis.android.CallAudio
import dev.parvis.android.MeetingService
import dev.parvis.android.VoicePlayer
import dev.parvis.android.followNetworks
import dev.parvis.app.CallModel
import dev.parvis.app.CallState
import dev.parvis.app.DeviceState.MUTED
import dev.parvis.app.DeviceState.OFF
import dev.parvis.app.DeviceState.ON
import dev.parvis.app.SdkCall
import dev.parvis.app.Stage
import dev.parvis.app.inWords
import kotlin.coroutines.cancellation.CancellationException
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.drop
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
    private val seen: StateFlow<Boolean>,
) {
    private val sound = CallAudio(context)
    private val voices = VoicePlayer(call.meeting)

    /** Stays until the call is over; then all is given back. The app is seen when it begins, with the devices that are [wanted] later. */
    suspend fun run(wanted: Set<Source>) {
        trying { serve(Source.MICROPHONE in wanted, Source.CAMERA in wanted, screen = false) }
        sound.open()
        try {
            coroutineScope {
                launch { trying { voices.play() } }
                launch { trying { call.meeting.followNetworks(context) } }
                launch { model.state.map(::devices).distinctUntilChanged().drop(1).collect { (m, c, s) -> trying { serve(m, c, s) } } }
                launch { MeetingService.leaves.collect { model.leave() } }
                launch { pauseWhileInterrupted() }
                launch { takeSoundBack() }
                launch { seen.drop(1).collect(model::setSeen) }
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
            val microphone = model.state.value.microphone
            if (interrupted && microphone == ON || !interrupted && paused && microphone == MUTED) model.toggleMicrophone()
            paused = interrupted && microphone == ON
        }
    }

    /** Who comes back to the app, or unmutes, wants to be in the meeting, and not in what has the sound. */
    private suspend fun takeSoundBack() {
        val isOn = model.state.map { it.microphone == ON }.distinctUntilChanged()
        combine(seen, isOn) { seen, on -> seen to on }.collect { (seen, on) -> if (seen || on) sound.resume() }
    }

    /** What the phone does not do is said, and the call goes on without. */
    private suspend fun trying(act: suspend () -> Unit) {
        try {
            act()
        } catch (error: CancellationException) {
            throw error
        } catch (error: ParvisException) {
            model.say(error.inWords())
        } catch (error: IllegalStateException) {
            model.say(error.message.orEmpty())
        } catch (error: UnsupportedOperationException) {
            model.say(error.message.orEmpty())
        }
    }

    private fun devices(state: CallState) = listOf(state.microphone, state.camera, state.screen).map { it != OFF }

    private fun serve(microphone: Boolean, camera: Boolean, screen: Boolean) =
        MeetingService.start(context, words, microphone, camera, screen)
}
