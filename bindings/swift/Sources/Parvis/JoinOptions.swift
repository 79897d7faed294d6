import ParvisFFI

/// How to join a meeting.
public struct JoinOptions: Sendable {
    /// The display name, 1 to 50 characters.
    public var name: String
    /// A stable random id of this device: a guest is known by it.
    public var device: String
    /// Where tickets come from.
    public var tickets: Tickets = .guest
    /// The site of a bare code, such as `https://meet.example`.
    public var site: String?
    /// The PEM file of the authority that signed the certificates of the site, and of a relay whose fingerprint the ticket does
    /// not name; `nil`: a public one.
    public var authority: String?
    /// Whose certificate is accepted of the relay; `nil`: the ticket says it.
    public var trust: Trust?
    /// How long connecting may take.
    public var connectTimeout: Duration = .seconds(5)
    /// How long a connection that was lost is tried to be replaced.
    public var reconnect: Duration = .seconds(120)
    /// Whether others' cameras, one's own screen and camera are given up step by step when the network is short.
    public var stepDown = true
    /// How long a command waits for its answer, and is said again; longer than a connection takes to be replaced.
    public var commandTimeout: Duration = .seconds(30)
    /// The drafts of MoQ Transport that are offered, preferred first; empty: all.
    public var drafts: [Draft] = []
    /// Video codecs of the platform, tried before the built-in ones.
    public var codecs = Codecs()

    /// Joins under that name, as a guest.
    public init(name: String, device: String) {
        self.name = name
        self.device = device
    }

    var foreign: ParvisFFI.JoinOptions {
        ParvisFFI.JoinOptions(
            name: name, device: device, site: site, trust: trust, authority: authority,
            connectTimeoutMs: connectTimeout.milliseconds, reconnectMs: reconnect.milliseconds, stepDown: stepDown,
            commandTimeoutMs: commandTimeout.milliseconds, drafts: drafts
        )
    }
}

/// Where tickets come from; asked at each join and again before one expires.
public enum Tickets: Sendable {
    /// The site's HTTP API, as a guest.
    case guest
    /// The site's HTTP API, with this session token of an account.
    case agent(session: String)
    /// The app's own source, such as its server.
    case source(any TicketSource)

    var foreign: ParvisFFI.Tickets {
        switch self {
        case .guest: .guest()
        case .agent(let session): .agent(session: session)
        case .source(let source): .of(source: source)
        }
    }
}

extension Duration {
    /// Of a time that is not thousands of years long.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return min(seconds, 1 << 40) * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
