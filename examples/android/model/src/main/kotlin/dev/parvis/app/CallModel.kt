package dev.parvis.app

import dev.parvis.ChatMessage
import dev.parvis.Emoji
import dev.parvis.MeetingEvent
import dev.parvis.ParvisException
import dev.parvis.Pending
import dev.parvis.Phase
import dev.parvis.Receive
import dev.parvis.Source
import dev.parvis.Target
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/**
 * A call: what is shown of it, and what can be done in it. What goes wrong is a [CallState.notice].
 *
 * [scope] has one thread, such as Android's main one, and outlives the screen that shows the call.
 */
class CallModel(private val scope: CoroutineScope, private val call: Call, turnOn: Set<Source> = emptySet()) {
    private val shown = MutableStateFlow(CallState().with(call.state.value, emptyList()))
    private val devices = Source.entries.associateWith { LocalDevice(call, it) }
    private var lastSpoke = emptyList<String>()
    private val unsent = mutableMapOf<String, Pending>()
    private var reactions = 0L

    /** What is shown. */
    val state: StateFlow<CallState> = shown.asStateFlow()

    init {
        val events = call.events()
        val following =
            scope.launch {
                launch { events.collect(::happened) }
                launch { call.state.collect { show() } }
                for (device in devices.values) launch { device.state.collect { show() } }
            }
        scope.launch {
            // Whoever is turned away may knock again, as long as the call is shown.
            val known = call.state.first { it.phase == Phase.Connected || it.phase is Phase.Disconnected }
            if (known.phase != Phase.Connected) return@launch
            for (source in turnOn) attempt { devices.getValue(source).turnOn() }
            attempt { loadHistory() }
        }
        scope.launch {
            call.state.first { it.phase is Phase.Disconnected }
            turnDevicesOff()
            following.cancelAndJoin()
            show()
        }
    }

    /** Turns the microphone on, or mutes it. */
    fun toggleMicrophone() =
        attempt {
            val microphone = devices.getValue(Source.MICROPHONE)
            if (microphone.state.value == DeviceState.ON) microphone.mute() else microphone.turnOn()
        }

    /** Turns the camera on or off. */
    fun toggleCamera() = toggle(Source.CAMERA)

    /** Shares the screen, or no more. */
    fun toggleScreen() = toggle(Source.SCREEN)

    /** Android has ended the sharing, or the phone was turned: the device is opened anew if [again] is true. */
    fun ended(source: Source, again: Boolean = false) =
        attempt {
            val device = devices.getValue(source)
            if (device.state.value == DeviceState.OFF) return@attempt
            device.turnOff()
            if (again) device.turnOn()
        }

    /** Raises or lowers one's own hand. */
    fun toggleHand() = attempt { if (shown.value.handPosition == null) call.raiseHand() else call.lowerHand() }

    /** Shows a reaction. */
    fun react(emoji: Emoji) = attempt { call.react(emoji) }

    /** Writes to everybody; blanks alone are not sent. */
    fun send(text: String) {
        if (text.isBlank()) return
        attempt {
            val pending = call.chatPending(text.trim())
            unsent[pending.clientId] = pending
            shown.update { it.copy(chat = it.chat.with(pending, it.me, it.nameOf(it.me))) }
        }
    }

    /** Sends a line of one's own again that has failed. */
    fun sendAgain(clientId: String) {
        val pending = unsent[clientId] ?: return
        shown.update { it.copy(chat = it.chat.again(clientId)) }
        scope.launch {
            try {
                pending.retry()
            } catch (error: ParvisException) {
                shown.update { it.copy(chat = it.chat.failed(clientId, error.kind)) }
            }
        }
    }

    /** Opens or closes the chat. */
    fun showChat(open: Boolean) = shown.update { it.copy(isChatOpen = open, unread = if (open) 0 else it.unread) }

    /** Knocks again. */
    fun knock() = attempt { call.knock() }

    /** Lets somebody in, or everybody for whom there is a place. */
    fun admit(who: Target) =
        attempt {
            val waiting = call.admit(who).waiting ?: 0
            if (who == Target.All && waiting > 0) say("The meeting is full: $waiting wait still")
        }

    /** Sends somebody away, or everybody who waits. */
    fun deny(who: Target) = attempt { call.deny(who) }

    /** Stops somebody's microphone. */
    fun mute(who: String) = attempt { call.mute(Target.One(who)) }

    /** Removes somebody. */
    fun remove(who: String) = attempt { call.remove(who) }

    /** Says something for a while, such as that the phone does not do what is needed. */
    fun say(notice: String) = shown.update { it.copy(notice = notice) }

    /** The notice was seen. */
    fun dismissNotice() = shown.update { it.copy(notice = null) }

    /** Somebody looks at the call, or nobody does: pictures are not received then. */
    fun setSeen(isSeen: Boolean) = attempt { call.setReceive(if (isSeen) Receive.ALL else Receive.AUDIO_ONLY) }

    /** Leaves; [everybody]: ends the meeting for all. */
    fun leave(everybody: Boolean = false) {
        scope.launch {
            withContext(NonCancellable) {
                if (everybody) saying { call.endForAll() }
                // Beside it: a device may wait for an answer, which leaving ends.
                launch { turnDevicesOff() }
                saying { call.leave() }
            }
        }
    }

    private fun toggle(source: Source) =
        attempt {
            val device = devices.getValue(source)
            when (device.state.value) {
                DeviceState.OFF, DeviceState.MUTED -> device.turnOn()
                DeviceState.STARTING, DeviceState.ON -> device.turnOff()
            }
        }

    private suspend fun happened(event: MeetingEvent) {
        when (event) {
            is MeetingEvent.Chat -> wrote(event.message)
            is MeetingEvent.ChatFailed -> shown.update { it.copy(chat = it.chat.failed(event.clientId, event.error)) }
            is MeetingEvent.Reaction -> float(event.participant, event.emoji)
            is MeetingEvent.Speakers -> spoke(event.participants)
            is MeetingEvent.Muted -> muted(event.source, event.by)
            is MeetingEvent.SuggestLowerHand -> say("You spoke: lower your hand?")
            is MeetingEvent.Missed -> attempt { loadHistory() }
            else -> Unit
        }
    }

    private fun muted(source: Source, by: String) {
        val device = devices.getValue(source)
        attempt { if (source == Source.MICROPHONE) device.wasMuted() else device.turnOff() }
        val name = shown.value.nameOf(by)
        // One's own name: it is forbidden to all but hosts.
        say(if (by == shown.value.me) "Only hosts may use the ${source.inWords()} now" else "$name turned your ${source.inWords()} off")
    }

    private fun wrote(message: ChatMessage) {
        if (message.from == shown.value.me) unsent -= message.clientId
        shown.update { now ->
            val isNew = !now.isChatOpen && message.from != now.me
            now.copy(chat = now.chat.with(listOf(message)), unread = now.unread + if (isNew) 1 else 0)
        }
    }

    private fun spoke(speakers: List<String>) {
        lastSpoke = (speakers + lastSpoke).distinct().take(REMEMBERED_SPEAKERS)
        show()
    }

    private fun float(who: String, emoji: Emoji) {
        val floating = Floating(reactions++, shown.value.nameOf(who), emoji)
        shown.update { it.copy(reactions = (it.reactions + floating).takeLast(FLOATING_REACTIONS)) }
        scope.launch {
            delay(FLOATS)
            shown.update { it.copy(reactions = it.reactions - floating) }
        }
    }

    private suspend fun loadHistory() {
        val page = call.history(before = null, count = HISTORY)
        shown.update { it.copy(chat = it.chat.with(page.messages)) }
    }

    private suspend fun turnDevicesOff() =
        coroutineScope {
            for (device in devices.values) launch { saying { device.turnOff() } }
        }

    private fun attempt(act: suspend () -> Unit) {
        scope.launch { saying(act) }
    }

    private suspend fun saying(act: suspend () -> Unit) {
        try {
            act()
        } catch (error: ParvisException) {
            say(error.inWords())
        }
    }

    /** Shows what is known of the meeting and of one's own devices. */
    private fun show() {
        fun now(source: Source) = devices.getValue(source).state.value
        shown.update {
            it.with(call.state.value, lastSpoke)
                .copy(microphone = now(Source.MICROPHONE), camera = now(Source.CAMERA), screen = now(Source.SCREEN))
        }
    }

    private companion object {
        /** How long a reaction floats. */
        val FLOATS = 4.seconds

        /** The oldest of more reactions is taken away. */
        const val FLOATING_REACTIONS = 12

        /** Who spoke longer ago has the place that it came with. */
        const val REMEMBERED_SPEAKERS = 8

        /** Messages that are loaded at once. */
        const val HISTORY = 50
    }
}
