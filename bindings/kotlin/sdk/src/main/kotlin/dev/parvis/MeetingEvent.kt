package dev.parvis

/** Something that happened in a meeting. */
public sealed interface MeetingEvent {
    /** It is somewhere else on its way. */
    public data class Phase(val phase: dev.parvis.Phase) : MeetingEvent

    /** Somebody came in, or was there before. */
    public data class Joined(val participant: Participant) : MeetingEvent

    /** Somebody is gone. */
    public data class Left(val participant: String, val reason: LeaveReason) : MeetingEvent

    /** Somebody's name, role, media or quality is another. */
    public data class Changed(val participant: Participant) : MeetingEvent

    /** Other hands are up, or in another order: the first first. */
    public data class Hands(val participants: List<String>) : MeetingEvent

    /** Somebody reacts. */
    public data class Reaction(val participant: String, val emoji: Emoji) : MeetingEvent

    /** How many react, in a large room. */
    public data class Reactions(val counts: List<ReactionCount>) : MeetingEvent

    /** A message to everybody; also one's own, which was pending. */
    public data class Chat(val message: ChatMessage) : MeetingEvent

    /** Messages that were missed and cannot be had any more. */
    public data class HistoryGap(val gap: dev.parvis.HistoryGap) : MeetingEvent

    /** One's own message was refused, or nobody answered; [Pending.retry] sends it again. */
    public data class ChatFailed(val clientId: String, val error: ErrorKind) : MeetingEvent

    /** A message to oneself alone. */
    public data class PrivateMessage(val message: dev.parvis.PrivateMessage) : MeetingEvent

    /** Others wait to be let in, first come first; for hosts. */
    public data class Lobby(val waiters: List<Waiter>) : MeetingEvent

    /** A host stopped one's own source, or, where [by] is oneself, forbids it to all; it stays so until one turns it on again. */
    public data class Muted(val source: Source, val by: String) : MeetingEvent

    /** Somebody would like a recording or transcription; for hosts. */
    public data class CaptureRequested(val kind: CaptureKind, val by: String) : MeetingEvent

    /** A recording or transcription is further on. */
    public data class Capture(val capture: dev.parvis.Capture) : MeetingEvent

    /** A host set something. */
    public data class Policy(val policy: dev.parvis.Policy) : MeetingEvent

    /** The room was locked or unlocked. */
    public data class Locked(val locked: Boolean) : MeetingEvent

    /** Other sources are forbidden. */
    public data class Forbidden(val sources: ForbiddenSources) : MeetingEvent

    /** Others speak, the loudest first. */
    public data class Speakers(val participants: List<String>) : MeetingEvent

    /** One has spoken for a while with the hand up: an app may ask whether to lower it. */
    public data object SuggestLowerHand : MeetingEvent

    /** One is connected better or worse. */
    public data class Quality(val quality: dev.parvis.Quality) : MeetingEvent

    /** More or less is given up because the network is short. */
    public data class StepDown(val stepDown: dev.parvis.StepDown) : MeetingEvent

    /**
     * A track's codec was chosen or replaced, or nobody here decodes it; one's own track is encoded, others' are decoded.
     */
    public data class Codec(val participant: String, val track: String, val state: CodecState) : MeetingEvent

    /** Somebody's tracks are others. */
    public data class Tracks(val participant: String) : MeetingEvent

    /** So many events were not taken in time: look at the state. */
    public data class Missed(val count: Long) : MeetingEvent

    /** What a newer library tells. */
    public data object Unknown : MeetingEvent
}

internal fun dev.parvis.ffi.MeetingEvent.lift(): MeetingEvent =
    when (this) {
        is dev.parvis.ffi.MeetingEvent.Phase -> MeetingEvent.Phase(Phase.lift(phase))
        is dev.parvis.ffi.MeetingEvent.Joined -> MeetingEvent.Joined(participant)
        is dev.parvis.ffi.MeetingEvent.Left -> MeetingEvent.Left(participant, reason)
        is dev.parvis.ffi.MeetingEvent.Changed -> MeetingEvent.Changed(participant)
        is dev.parvis.ffi.MeetingEvent.Hands -> MeetingEvent.Hands(participants)
        is dev.parvis.ffi.MeetingEvent.Reaction -> MeetingEvent.Reaction(participant, emoji)
        is dev.parvis.ffi.MeetingEvent.Reactions -> MeetingEvent.Reactions(counts)
        is dev.parvis.ffi.MeetingEvent.Chat -> MeetingEvent.Chat(message)
        is dev.parvis.ffi.MeetingEvent.HistoryGap -> MeetingEvent.HistoryGap(gap)
        is dev.parvis.ffi.MeetingEvent.ChatFailed -> MeetingEvent.ChatFailed(clientId, error)
        is dev.parvis.ffi.MeetingEvent.PrivateMessage -> MeetingEvent.PrivateMessage(message)
        is dev.parvis.ffi.MeetingEvent.Lobby -> MeetingEvent.Lobby(waiters)
        is dev.parvis.ffi.MeetingEvent.Muted -> MeetingEvent.Muted(source, by)
        is dev.parvis.ffi.MeetingEvent.CaptureRequested -> MeetingEvent.CaptureRequested(kind, by)
        is dev.parvis.ffi.MeetingEvent.Capture -> MeetingEvent.Capture(capture)
        is dev.parvis.ffi.MeetingEvent.Policy -> MeetingEvent.Policy(policy)
        is dev.parvis.ffi.MeetingEvent.Locked -> MeetingEvent.Locked(locked)
        is dev.parvis.ffi.MeetingEvent.Forbidden -> MeetingEvent.Forbidden(sources)
        is dev.parvis.ffi.MeetingEvent.Speakers -> MeetingEvent.Speakers(participants)
        is dev.parvis.ffi.MeetingEvent.SuggestLowerHand -> MeetingEvent.SuggestLowerHand
        is dev.parvis.ffi.MeetingEvent.Quality -> MeetingEvent.Quality(quality)
        is dev.parvis.ffi.MeetingEvent.StepDown -> MeetingEvent.StepDown(stepDown)
        is dev.parvis.ffi.MeetingEvent.Codec -> MeetingEvent.Codec(participant, track, state.lift())
        is dev.parvis.ffi.MeetingEvent.Tracks -> MeetingEvent.Tracks(participant)
        is dev.parvis.ffi.MeetingEvent.Missed -> MeetingEvent.Missed(count)
        is dev.parvis.ffi.MeetingEvent.Unknown -> MeetingEvent.Unknown
    }
