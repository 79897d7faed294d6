/// The reactions that are on the screen; each is shown for three seconds.
///
/// It has no clock: the app says what time it is.
public struct ReactionBoard: Sendable, Equatable {
    /// A reaction on the screen.
    public struct Shown: Sendable, Equatable, Identifiable {
        /// Its number on this board.
        public let id: UInt64
        /// Who reacts; `nil`: several, in a large meeting.
        public let participant: ParticipantID?
        /// How.
        public let emoji: Emoji
        /// How many do.
        public let count: Int
        /// When it goes away.
        public let until: ContinuousClock.Instant
    }

    /// How long one is shown.
    public static let duration: Duration = .seconds(3)
    /// As many are shown at a time; further ones take the place of the oldest.
    public static let most = 64

    /// What is shown, the oldest first.
    public private(set) var shown: [Shown] = []
    private var next: UInt64 = 0

    /// An empty board.
    public init() {}

    /// Shows somebody's reaction.
    public mutating func insert(_ emoji: Emoji, of participant: ParticipantID, at now: ContinuousClock.Instant) {
        append(emoji, of: participant, count: 1, at: now)
    }

    /// Shows how many react, in a large meeting.
    public mutating func insert(_ counts: [ReactionCount], at now: ContinuousClock.Instant) {
        for one in counts where one.count > 0 {
            append(one.emoji, of: nil, count: Int(one.count), at: now)
        }
    }

    /// Takes away what was shown long enough.
    public mutating func expire(at now: ContinuousClock.Instant) {
        shown.removeAll { $0.until <= now }
    }

    /// When there is something to take away; `nil`: nothing is shown.
    public var nextExpiry: ContinuousClock.Instant? {
        shown.first?.until
    }

    private mutating func append(
        _ emoji: Emoji, of participant: ParticipantID?, count: Int, at now: ContinuousClock.Instant
    ) {
        let one = Shown(id: next, participant: participant, emoji: emoji, count: count, until: now + Self.duration)
        next += 1
        shown.append(one)
        if shown.count > Self.most {
            shown.removeFirst()
        }
    }
}
