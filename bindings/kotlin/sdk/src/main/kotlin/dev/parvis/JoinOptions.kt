package dev.parvis

import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * How to join a meeting.
 *
 * @property name the display name, 1 to 50 characters
 * @property device a stable random id of this device: a guest is known by it
 * @property tickets where tickets come from
 * @property site the site of a bare code, such as `https://meet.example`
 * @property trust whose certificate is accepted of the relay; null: the ticket says it
 * @property connectTimeout how long connecting may take
 * @property reconnect how long a connection that was lost is tried to be replaced
 * @property stepDown whether others' cameras, one's own screen and camera are given up step by step when the network is short
 * @property commandTimeout how long a command waits for its answer, and is said again; longer than a connection takes to be replaced
 * @property drafts the drafts of MoQ Transport that are offered, preferred first; empty: all
 * @property codecs video codecs of the platform, tried before the built-in ones
 * @property authority the PEM file of the authority that signed the certificates of the site, and of a relay whose fingerprint the
 * ticket does not name; null: a public one
 */
public data class JoinOptions(
    val name: String,
    val device: String,
    val tickets: Tickets = Tickets.Guest,
    val site: String? = null,
    val trust: Trust? = null,
    val connectTimeout: Duration = 5.seconds,
    val reconnect: Duration = 2.minutes,
    val stepDown: Boolean = true,
    val commandTimeout: Duration = 30.seconds,
    val drafts: List<Draft> = emptyList(),
    val codecs: Codecs = Codecs(),
    val authority: String? = null,
) {
    internal fun lower(): dev.parvis.ffi.JoinOptions =
        dev.parvis.ffi.JoinOptions(
            name,
            device,
            site,
            trust?.lower(),
            authority,
            connectTimeout.inWholeMilliseconds,
            reconnect.inWholeMilliseconds,
            stepDown,
            commandTimeout.inWholeMilliseconds,
            drafts,
        )
}

/** Where tickets come from. */
public sealed interface Tickets {
    /** The site's HTTP API, as a guest. */
    public data object Guest : Tickets

    /** The site's HTTP API, with this session token of an account. */
    public data class Agent(val session: String) : Tickets {
        override fun toString(): String = "Agent"
    }

    /** The app's own source, such as its server. */
    public data class Of(val source: TicketSource) : Tickets
}

/** The app's own source of tickets. */
public fun interface TicketSource {
    /**
     * A ticket for the room; asked at each join, and again when a connection is replaced after the ticket has expired.
     *
     * What it throws comes out of [Meeting.join]: a [ParvisException] as it is, anything else as `ErrorKind.CALLBACK`.
     */
    public suspend fun ticket(request: TicketRequest): Ticket
}

/** Which certificates of a relay are accepted. */
public sealed interface Trust {
    /** Those that public certificate authorities signed. */
    public data object PublicAuthorities : Trust

    /** Those that an authority in this PEM file signed. */
    public data class AuthorityFile(val path: String) : Trust

    /** The one with this SHA-256 fingerprint: 64 hexadecimal digits, with or without colons. */
    public data class Fingerprint(val sha256: String) : Trust

    /** Any: for tests on one machine only, since anybody in between can listen. */
    public data object Anyone : Trust
}

internal fun Trust.lower(): dev.parvis.ffi.Trust =
    when (this) {
        Trust.PublicAuthorities -> dev.parvis.ffi.Trust.PublicAuthorities
        is Trust.AuthorityFile -> dev.parvis.ffi.Trust.AuthorityFile(path)
        is Trust.Fingerprint -> dev.parvis.ffi.Trust.Fingerprint(sha256)
        Trust.Anyone -> dev.parvis.ffi.Trust.Anyone
    }

internal fun Tickets.lower(): dev.parvis.ffi.Tickets =
    when (this) {
        Tickets.Guest -> dev.parvis.ffi.Tickets.guest()
        is Tickets.Agent -> dev.parvis.ffi.Tickets.agent(session)
        is Tickets.Of -> dev.parvis.ffi.Tickets.of(ForeignTicketSource(source))
    }

private class ForeignTicketSource(private val source: TicketSource) : dev.parvis.ffi.TicketSource {
    override suspend fun ticket(request: TicketRequest): Ticket =
        foreign {
            val ticket = source.ticket(request)
            // The generated half hands over what is Unicode only: Rust would wait for ever.
            if (!Charsets.UTF_8.newEncoder().canEncode(ticket.toString())) throw ParvisException.noText(null)
            ticket
        }
}
