package dev.parvis.app

import dev.parvis.ChatMessage
import dev.parvis.ErrorKind
import dev.parvis.Pending

/** How far a line of the chat is. */
sealed interface LineStatus {
    /** Stored, with its place in the meeting. */
    data class Sent(val seq: Long) : LineStatus

    /** On its way. */
    data object Pending : LineStatus

    /** Refused, or not answered, and why, for people; it can be sent again. */
    data class Failed(val why: String) : LineStatus
}

/**
 * A line of the chat.
 *
 * @property clientId names it, from when it was written on
 * @property from who wrote it
 * @property name the writer's name then
 * @property text what was written
 * @property atMs when it was stored, milliseconds since 1970; null: it is not so far
 * @property status how far it is
 */
data class Line(
    val clientId: String,
    val from: String,
    val name: String,
    val text: String,
    val atMs: Long?,
    val status: LineStatus,
)

/** The chat as it is shown: stored lines in their order, then those on their way. */
data class Chat(val lines: List<Line> = emptyList()) {
    /** With these messages, in whatever order they came and however often. */
    fun with(messages: List<ChatMessage>): Chat {
        val new = messages.map { Line(it.clientId, it.from, it.name, it.text, it.atMs, LineStatus.Sent(it.seq)) }
        val seqs = new.map { it.status }.toSet()
        val mine = new.map { it.from to it.clientId }.toSet()
        val kept = lines.filter { it.status !in seqs && (it.status is LineStatus.Sent || it.from to it.clientId !in mine) }
        val (sent, others) = (kept + new).distinctBy { it.status to it.clientId }.partition { it.status is LineStatus.Sent }
        return Chat(sent.sortedBy { (it.status as LineStatus.Sent).seq } + others)
    }

    /** With a message of one's own, unless it is there already. */
    fun with(pending: Pending, me: String, name: String): Chat {
        if (lines.any { it.from == me && it.clientId == pending.clientId }) return this
        return Chat(lines + Line(pending.clientId, me, name, pending.text, null, LineStatus.Pending))
    }

    /** With a message of one's own that was refused. */
    fun failed(clientId: String, error: ErrorKind): Chat = with(clientId, LineStatus.Failed(error.inWords()))

    /** With a message of one's own that is sent again. */
    fun again(clientId: String): Chat = with(clientId, LineStatus.Pending)

    /** What is stored stays so. */
    private fun with(clientId: String, status: LineStatus): Chat =
        Chat(
            lines.map { line ->
                if (line.clientId == clientId && line.status !is LineStatus.Sent) line.copy(status = status) else line
            },
        )
}
