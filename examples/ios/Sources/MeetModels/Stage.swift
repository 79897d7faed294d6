import Parvis

/// Who is on the screen: a shared screen or a pinned participant large, the others in a grid that does not jump.
///
/// Whoever has a tile keeps it. Somebody who speaks and has none takes the tile of whoever was silent longest.
public struct Stage: Equatable, Sendable {
    /// One of the pictures that can be shown.
    public struct Tile: Hashable, Sendable, Identifiable {
        /// Whose.
        public let participant: ParticipantID
        /// Camera or screen.
        public let source: Source

        /// A tile of somebody's camera or screen.
        public init(_ participant: ParticipantID, _ source: Source) {
            self.participant = participant
            self.source = source
        }

        /// Itself.
        public var id: Self { self }
    }

    /// The most tiles of the grid.
    public let most: Int
    /// What is shown large; `nil`: nothing is.
    public private(set) var large: Tile?
    /// The grid, in its order.
    public private(set) var grid: [Tile] = []
    /// How many others are in and have no tile.
    public private(set) var hidden = 0
    /// Whom this participant wants to see large whatever happens.
    public var pinned: ParticipantID?
    /// When each last spoke, as the number of the update.
    private var spoke: [ParticipantID: Int] = [:]
    private var updates = 0

    /// An empty stage with room for so many tiles.
    public init(most: Int = 9) {
        self.most = max(most, 1)
    }

    /// Takes what is known now.
    ///
    /// - Parameters:
    ///   - people: everybody but oneself, in the order of the list of participants.
    ///   - speakers: who speaks, the loudest first.
    public mutating func update(people: [Participant], speakers: [ParticipantID]) {
        updates += 1
        let present = Set(people.map(\.id))
        spoke = spoke.filter { present.contains($0.key) }
        for speaker in speakers where present.contains(speaker) {
            spoke[speaker] = updates
        }
        if let pinned, !present.contains(pinned) {
            self.pinned = nil
        }
        large = chooseLarge(people)

        var shown = grid.map(\.participant).filter(present.contains)
        let others = people.map(\.id).filter { !shown.contains($0) }
        shown.append(contentsOf: others.prefix(max(most - shown.count, 0)))
        for speaker in speakers where present.contains(speaker) && !shown.contains(speaker) {
            let silent = shown.indices.filter { !speakers.contains(shown[$0]) }
            guard let quietest = silent.min(by: { spoke[shown[$0], default: 0] < spoke[shown[$1], default: 0] }) else {
                break
            }
            shown[quietest] = speaker
        }
        grid = shown.map { Tile($0, .camera) }.filter { $0 != large }
        hidden = present.count - Set(shown).count
    }

    private func chooseLarge(_ people: [Participant]) -> Tile? {
        if let pinned {
            let shares = people.first { $0.id == pinned }?.media.screen == .on
            return Tile(pinned, shares ? .screen : .camera)
        }
        let sharing = people.filter { $0.media.screen == .on }.map(\.id)
        // Who shares first stays large while others begin to.
        if let large, large.source == .screen, sharing.contains(large.participant) {
            return large
        }
        return sharing.first.map { Tile($0, .screen) }
    }
}
