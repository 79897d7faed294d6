package dev.parvis

import java.lang.ref.WeakReference
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch

/**
 * A meeting that was joined, or is about to be.
 *
 * ```
 * Meeting.join(link, JoinOptions("Zoé", device)).use { meeting ->
 *     meeting.waitFor { it.isConnected }
 *     meeting.chat("Bonjour !")
 *     meeting.leave()
 * }
 * ```
 *
 * A command suspends until the meeting has acknowledged it, which is after it was stored. Where the connection is
 * replaced meanwhile it is said again, and done once. What a command throws is a [ParvisException]; commands of hosts, owners
 * and administrators, are refused to others with `ErrorKind.FORBIDDEN`.
 *
 * [leave] says goodbye and waits until nothing of the meeting runs; [close] frees it at once, and leaves in the background, as does
 * the garbage collector once a meeting is forgotten, late: while its [events] are collected it is not.
 */
public class Meeting private constructor(
    internal val native: dev.parvis.ffi.Meeting,
    first: MeetingState,
) : AutoCloseable {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val known = Known(native, first)

    /** What is known now, and whenever it is another; never older than an event that was told, or than [leave]. */
    public val state: StateFlow<MeetingState> = known.state

    init {
        known.follow(native.states(), scope)
    }

    /** Waits until what is known is so, or the meeting is over for this participant; returns what is known then. */
    public suspend fun waitFor(holds: (MeetingState) -> Boolean): MeetingState =
        state.first { holds(it) || it.phase is Phase.Disconnected }

    /**
     * What happens from this call on, though it is collected later; whoever collects it again gets what happens from then on.
     * [state] is what happened before.
     */
    public fun events(): Flow<MeetingEvent> = pulled(native::events, { it.next()?.lift()?.also(known::happened) }, { it.cancel() })

    /** Knocks again, after a denial or when nobody answered. */
    public suspend fun knock(): Unit = awaitLibrary { native.knock() }

    /** Writes to everybody; returns when the message is stored. It comes as an event too. */
    public suspend fun chat(text: String): Done = awaitLibrary { native.chat(text) }

    /** Writes to one participant. */
    public suspend fun chatPrivately(to: String, text: String): Done =
        awaitLibrary { native.chatPrivately(to, text) }

    /**
     * Writes to everybody and returns at once what an app shows until the message is there: the event that brings it has
     * the same id, or says that it failed. [Pending.state] says the same, and [Pending.retry] sends it again.
     */
    public suspend fun chatPending(text: String): Pending = NativePending(awaitLibrary { native.chatPending(text) })

    /**
     * Messages of the chat's past, newest first page by page: at most [count] before [before], or the newest.
     *
     * What is gone is said, and not left out in silence.
     */
    public suspend fun history(before: Long? = null, count: Int = 50): HistoryPage =
        awaitLibrary { native.history(before, count) }

    /** Raises the hand; a raised one keeps its place. */
    public suspend fun raiseHand(): Done = awaitLibrary { native.raiseHand() }

    /** Lowers the own hand. */
    public suspend fun lowerHand(): Unit = awaitLibrary { native.lowerHand() }

    /** Shows a reaction. */
    public suspend fun react(emoji: Emoji): Unit = awaitLibrary { native.react(emoji) }

    /** Changes the own name. */
    public suspend fun rename(name: String): Unit = awaitLibrary { native.rename(name) }

    /** Asks the hosts to record. */
    public suspend fun requestRecording(): Unit = awaitLibrary { native.requestRecording() }

    /** Asks the hosts to transcribe. */
    public suspend fun requestTranscription(): Unit = awaitLibrary { native.requestTranscription() }

    /** Starts a recording, which is `Done.capture`; how far it is comes by [MeetingEvent.Capture]. Hosts. */
    public suspend fun startRecording(): Done = awaitLibrary { native.startRecording() }

    /** Stops the recording. Hosts. */
    public suspend fun stopRecording(): Unit = awaitLibrary { native.stopRecording() }

    /** Starts a transcription of what is spoken, which is `Done.capture`, and with [record] a recording too. Hosts. */
    public suspend fun startTranscription(language: Language, record: Boolean = false): Done =
        awaitLibrary { native.startTranscription(language, record) }

    /** Stops the transcription. Hosts. */
    public suspend fun stopTranscription(): Unit = awaitLibrary { native.stopTranscription() }

    /**
     * Lets people in who wait, as many as there are places, in the order in which they came; says how many are in by that,
     * and how many wait still. `ErrorKind.ROOM_FULL`: there is no place. Hosts.
     */
    public suspend fun admit(who: Target): Done = awaitLibrary { native.admit(who.lower()) }

    /** Sends people away who wait. Hosts. */
    public suspend fun deny(who: Target): Unit = awaitLibrary { native.deny(who.lower()) }

    /** Stops microphones; only their owners turn them on again. Hosts. */
    public suspend fun mute(who: Target): Unit = awaitLibrary { native.mute(who.lower()) }

    /** Forbids a source to everybody but hosts, or allows it again. Hosts. */
    public suspend fun forbid(source: Source, forbidden: Boolean): Unit =
        awaitLibrary { native.forbid(source, forbidden) }

    /** Lowers somebody's hand. Hosts. */
    public suspend fun lowerHandOf(who: String): Unit = awaitLibrary { native.lowerHandOf(who) }

    /** Lowers all hands. Hosts. */
    public suspend fun lowerAllHands(): Unit = awaitLibrary { native.lowerAllHands() }

    /** Changes somebody's name. Hosts. */
    public suspend fun renameOther(who: String, name: String): Unit = awaitLibrary { native.renameOther(who, name) }

    /** Promotes or demotes somebody who is in and signed in. Hosts. */
    public suspend fun setRole(who: String, role: Role): Unit = awaitLibrary { native.setRole(who, role) }

    /** Changes who enters without knocking; with an organisation, agents of it only. Hosts. */
    public suspend fun setAccess(level: AccessLevel, organisation: String? = null): Unit =
        awaitLibrary { native.setAccess(level, organisation) }

    /** Whether guests wait until an agent is in. Hosts. */
    public suspend fun setHostGate(on: Boolean): Unit = awaitLibrary { native.setHostGate(on) }

    /** Which chat messages late joiners get. Hosts. */
    public suspend fun setHistory(history: HistoryPolicy): Unit = awaitLibrary { native.setHistory(history) }

    /** Locks or unlocks the room. Hosts. */
    public suspend fun lock(locked: Boolean): Unit = awaitLibrary { native.lock(locked) }

    /** Removes somebody: it has to knock again. Hosts. */
    public suspend fun remove(who: String): Unit = awaitLibrary { native.remove(who) }

    /** Ends the meeting for everybody. Hosts. */
    public suspend fun endForAll(): Unit = awaitLibrary { native.endForAll() }

    /** Turns the microphone on; give it sound by [Microphone.push]. */
    public suspend fun microphone(options: AudioOptions = AudioOptions()): Microphone =
        Microphone(awaitLibrary { native.microphone(options) })

    /** Turns the microphone on once the app's own capture is open, and starts that. */
    public suspend fun microphone(capture: AudioCapture, options: AudioOptions = AudioOptions()): Microphone =
        Microphone(ForeignAudioCapture(capture).use { native.microphoneFrom(options, it) })

    /** Turns the camera on, in layers of 180, 360 and 720 lines as far as it has them; give it pictures by [Camera.push]. */
    public suspend fun camera(options: VideoOptions): Camera =
        Camera(awaitLibrary { native.camera(options.lower()) })

    /** Turns the camera on once the app's own capture is open, and starts that. */
    public suspend fun camera(capture: CameraCapture, options: VideoOptions): Camera =
        Camera(ForeignCameraCapture(capture).use { native.cameraFrom(options.lower(), it) })

    /** Shares a screen; give it pictures by [Screen.push]. */
    public suspend fun screen(options: VideoOptions): Screen =
        Screen(awaitLibrary { native.screen(options.lower()) })

    /** Shares a screen once the app's own capture is open, and starts that. */
    public suspend fun screen(capture: ScreenCapture, options: VideoOptions): Screen =
        Screen(ForeignScreenCapture(capture).use { native.screenFrom(options.lower(), it) })

    /**
     * Turns the camera on with frames that the app encodes, in layers of these codecs and sizes; give them by
     * [EncodedSource.push], and do what [EncodedSource.demands] says. Key frames carry the parameter sets of their stream.
     */
    public suspend fun cameraEncoded(layers: List<VideoParams>): EncodedSource =
        EncodedSource(awaitLibrary { native.cameraEncoded(layers) })

    /** Shares a screen whose frames the app encodes, as [cameraEncoded] does. */
    public suspend fun screenEncoded(layers: List<VideoParams>): EncodedSource =
        EncodedSource(awaitLibrary { native.screenEncoded(layers) })

    /** Receives somebody's voice, from the first [RemoteVoice.next] on. What is heard through it tells who speaks. */
    public fun voice(who: String): RemoteVoice = RemoteVoice(inLibrary { native.voice(who) })

    /** Receives the sound of a screen that somebody shares; a mixer plays it too. */
    public fun screenSound(who: String): RemoteVoice = RemoteVoice(inLibrary { native.screenSound(who) })

    /**
     * Gives data to others: at most 10 KiB on a topic of 1 to 64 visible ASCII characters. To all it returns at once, to some
     * when the meeting has acknowledged it.
     */
    public suspend fun sendData(topic: String, payload: ByteArray, to: DataTarget = DataTarget.All): Unit =
        awaitLibrary { native.sendData(topic, payload, to.lower()) }

    /** Data of others on a topic, from this call on, though it is collected later; collected again, from then on. */
    public fun data(topic: String): Flow<MeetingData> = pulled({ native.data(topic) }, { it.next() }, { it.cancel() })

    /** Receives somebody's camera or screen, for what is shown of it. */
    public fun picture(who: String, source: Source, target: VideoTarget): RemotePicture =
        RemotePicture(inLibrary { native.picture(who, source, target) })

    /** Receives somebody's camera or screen as it was encoded, for what is shown of it. */
    public fun pictureEncoded(who: String, source: Source, target: VideoTarget): RemoteEncodedPicture =
        RemoteEncodedPicture(inLibrary { native.pictureEncoded(who, source, target) })

    /** Says what is shown of somebody from here on, to all pictures of that source that there are. */
    public fun setVideoTarget(who: String, source: Source, target: VideoTarget): Unit =
        inLibrary { native.setVideoTarget(who, source, target) }

    /**
     * Pins somebody, such as a sign-language interpreter, or no longer: the relay sends their pictures before all others,
     * they have at least 360 lines, and are not given up when the network is short. What is not visible, or
     * `Receive.AUDIO_ONLY`, still stops them.
     */
    public fun setPinned(who: String, pinned: Boolean): Unit = inLibrary { native.setPinned(who, pinned) }

    /** Who is pinned. */
    public val pinned: List<String> get() = inLibrary { native.pinned() }

    /** Receives and mixes everybody else's voice, as people come and go; [channels] are 1 or 2. */
    public fun mixer(channels: Int = 1): Mixer = Mixer(inLibrary { native.mixer(channels) })

    /** Plays somebody louder or softer, in the mixer and in [voice]: 1 as it came, 0 not at all, 4 at most. */
    public fun setVolume(who: String, volume: Float): Unit = inLibrary { native.setVolume(who, volume) }

    /** How loud somebody is played, mute aside. */
    public fun volume(who: String): Float = inLibrary { native.volume(who) }

    /** Mutes somebody for oneself alone, or plays it again. It is received all the same, so that who speaks is still seen. */
    public fun muteForMe(who: String, muted: Boolean): Unit = inLibrary { native.muteForMe(who, muted) }

    /** Whether one has muted somebody for oneself. */
    public fun isMutedForMe(who: String): Boolean = inLibrary { native.isMutedForMe(who) }

    /**
     * Goes over to a new UDP socket, as an app asks for when the phone has changed networks: media and commands go on, without
     * [Phase.Reconnecting]. Where the relay is not reached from there, the meeting reconnects by itself.
     */
    public suspend fun rebind(): Unit = awaitLibrary { native.rebind() }

    /** How the meeting goes at the moment. */
    public suspend fun stats(): MeetingStats = MeetingStats.lift(awaitLibrary { native.stats() })

    /** Receives all pictures, their smallest layers, or sound only. */
    public fun setReceive(receive: Receive): Unit = inLibrary { native.setReceive(receive) }

    /** Leaves: the others see it at once. Returns when nothing of the meeting runs here, and the app's own captures have stopped. */
    public suspend fun leave(): Unit = awaitLibrary { native.leave().also { known.look() } }

    /** Frees it; a meeting that was not left is left in the background. Once more does nothing. */
    override fun close() {
        scope.cancel()
        native.close()
        known.over(DisconnectReason.Left)
    }

    public companion object {
        /**
         * Joins the meeting that a link or a code names.
         *
         * Returns once the relay is connected to, in [Phase.Connecting]; the state tells how it goes on.
         */
        public suspend fun join(linkOrCode: String, options: JoinOptions): Meeting {
            val native =
                awaitLibrary {
                    options.tickets.lower().use {
                        dev.parvis.ffi.Meeting.join(linkOrCode, options.lower(), it, options.codecs.lower())
                    }
                }
            return Meeting(native, MeetingState.lift(inLibrary { native.state() }))
        }

        /**
         * Tries how well the meeting that a link or a code names is reached, without knocking: nobody there sees it.
         *
         * Takes some seconds. What it throws is of the meeting service; what is wrong with the relay is in the report.
         */
        public suspend fun testConnection(linkOrCode: String, options: JoinOptions): ConnectionReport {
            val report =
                awaitLibrary {
                    options.tickets.lower().use { dev.parvis.ffi.testConnection(linkOrCode, options.lower(), it) }
                }
            return ConnectionReport.lift(report)
        }

        /** The room code of a link or a code, as people read it: `abc-defg-hij`. */
        public fun roomCode(linkOrCode: String): String = inLibrary { dev.parvis.ffi.roomCode(linkOrCode) }

        /** The version of the library. */
        public val version: String get() = inLibrary { dev.parvis.ffi.version() }

        /** The clock of capture times: microseconds since 1970, which never jumps within a process. */
        public fun clockUs(): Long = inLibrary { dev.parvis.ffi.clockNowUs() }
    }
}

/** What is known of a meeting. It keeps nobody in one: whoever waits for what comes next has this alone. */
private class Known(native: dev.parvis.ffi.Meeting, first: MeetingState) {
    private val native = WeakReference(native)
    private val known = MutableStateFlow(first)

    val state = known.asStateFlow()

    /** Looks each time that something is another, until the end. */
    fun follow(states: dev.parvis.ffi.MeetingStates, scope: CoroutineScope) {
        scope.launch(start = CoroutineStart.UNDISPATCHED) {
            states.use {
                while (true) {
                    val next = states.next() ?: break
                    // A state that comes by itself may be older than what was looked at; nothing follows the last.
                    if (next.phase is dev.parvis.ffi.Phase.Disconnected) tell(MeetingState.lift(next)) else look()
                }
            }
        }
    }

    /** This was told. */
    fun happened(event: MeetingEvent) {
        look()
        if (event is MeetingEvent.Phase && event.phase is Phase.Disconnected) over(event.phase.reason)
    }

    /** Looks what is known now. */
    @Synchronized
    fun look() {
        try {
            native.get()?.let { tell(MeetingState.lift(inLibrary { it.state() })) }
        } catch (_: ParvisException) {
            // It is being left: its last state is on the way.
        }
    }

    /** It is over. */
    fun over(reason: DisconnectReason) = tell(known.value.copy(phase = Phase.Disconnected(reason)))

    /** Nothing follows the end. */
    private fun tell(state: MeetingState) = known.update { if (it.phase is Phase.Disconnected) it else state }
}
