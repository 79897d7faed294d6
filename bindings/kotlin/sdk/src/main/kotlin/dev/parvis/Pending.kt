package dev.parvis

/** A message of one's own, which is shown at once. [Meeting.chatPending] makes it. */
public interface Pending {
    /** What it is called; `ChatMessage.clientId` is the same. */
    public val clientId: String

    /** The text as it was sent. */
    public val text: String

    /** Where it is on its way. */
    public val state: PendingState

    /** Waits until it is sent; throws why it has failed. */
    public suspend fun outcome(): Done

    /**
     * Sends it again, under the same id, when it has failed; returns when it is in the chat, once, whether an earlier try had
     * reached it or not.
     */
    public suspend fun retry(): Done
}

/** Where a message of one's own is on its way. */
public sealed interface PendingState {
    /** It is said until it is answered. */
    public data object Sending : PendingState

    /** It is in the chat. */
    public data class Sent(val done: Done) : PendingState

    /** It is refused, or nobody answered: [Pending.retry] sends it again. */
    public data class Failed(val error: ParvisException) : PendingState
}

internal class NativePending(private val native: dev.parvis.ffi.Pending) : Pending {
    override val clientId: String = inLibrary { native.clientId() }

    override val text: String = inLibrary { native.text() }

    override val state: PendingState
        get() =
            when (val state = inLibrary { native.state() }) {
                is dev.parvis.ffi.PendingState.Sending -> PendingState.Sending
                is dev.parvis.ffi.PendingState.Sent -> PendingState.Sent(state.done)
                is dev.parvis.ffi.PendingState.Failed -> PendingState.Failed(ParvisException.lift(state.error))
            }

    override suspend fun outcome(): Done = awaitLibrary { native.outcome() }

    override suspend fun retry(): Done = awaitLibrary { native.retry() }
}
