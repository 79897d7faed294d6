import Foundation

/// The chat as a list shows it: in order, each message once, one's own at once.
///
/// ```swift
/// var log = ChatLog()
/// log.insert(pending: pending.clientId, pending.text, author: me, name: "Zoé")
/// log.insert(message)          // the same message, as the meeting stored it: takes the place of the pending one
/// ```
public struct ChatLog: Sendable, Equatable {
    /// A line of the chat.
    public struct Line: Sendable, Equatable, Identifiable {
        /// How far a line is.
        public enum Status: Sendable, Equatable {
            /// One's own, not acknowledged so far.
            case pending
            /// Stored, with its number in the session.
            case stored(sequence: Int64)
            /// To one participant only; it has no number.
            case confidential(to: ParticipantID)
            /// One's own that was refused, or that nobody answered.
            case failed(ErrorKind)
        }

        /// The writer's own id of the message, with the writer's: unique in a meeting.
        public let id: String
        /// Who wrote it.
        public let author: ParticipantID
        /// The writer's name then.
        public let name: String
        /// What it says.
        public let text: String
        /// When the service got it; of a pending line: when it was written.
        public let date: Date
        /// How far it is.
        public internal(set) var status: Status
    }

    /// All lines: stored ones by number, confidential ones by time among them, pending and failed ones last.
    public private(set) var lines: [Line] = []
    /// Messages that cannot be had any more, as ranges of numbers.
    public private(set) var gaps: [ClosedRange<Int64>] = []

    /// An empty chat.
    public init() {}

    /// Shows one's own message until it is stored; returns which line it is.
    @discardableResult
    public mutating func insert(
        pending clientID: String, _ text: String, author: ParticipantID, name: String, at date: Date = Date()
    ) -> Line.ID {
        let id = Self.id(author, clientID)
        guard !lines.contains(where: { $0.id == id }) else { return id }
        lines.append(Line(id: id, author: author, name: name, text: text, date: date, status: .pending))
        return id
    }

    /// Takes a message to everybody; one that is known changes nothing.
    public mutating func insert(_ message: ChatMessage) {
        let line = Line(
            id: Self.id(message.from, message.clientId),
            author: message.from, name: message.name, text: message.text, date: message.date,
            status: .stored(sequence: message.seq)
        )
        replace(line)
    }

    /// Takes a page of the past.
    public mutating func insert(_ page: HistoryPage) {
        for message in page.messages { insert(message) }
        for gap in page.gaps { insert(gap) }
    }

    /// Takes a message to one participant.
    public mutating func insert(_ message: PrivateMessage) {
        let line = Line(
            id: Self.id(message.from, message.clientId),
            author: message.from, name: message.name, text: message.text, date: message.date,
            status: .confidential(to: message.to)
        )
        replace(line)
    }

    /// Remembers what cannot be had any more.
    public mutating func insert(_ gap: HistoryGap) {
        guard gap.from <= gap.to, !gaps.contains(gap.from...gap.to) else { return }
        gaps.append(gap.from...gap.to)
        gaps.sort { $0.lowerBound < $1.lowerBound }
    }

    /// Marks one's own message as refused.
    public mutating func fail(clientID: String, author: ParticipantID, error: ErrorKind) {
        let id = Self.id(author, clientID)
        guard let index = lines.firstIndex(where: { $0.id == id && $0.status == .pending }) else { return }
        lines[index].status = .failed(error)
    }

    /// Says that a failed line is sent again; returns whether it had failed.
    @discardableResult
    public mutating func retry(_ id: Line.ID) -> Bool {
        guard let index = lines.firstIndex(where: { $0.id == id }), case .failed = lines[index].status else {
            return false
        }
        lines[index].status = .pending
        return true
    }

    /// Takes a failed line away.
    public mutating func remove(failed id: Line.ID) {
        lines.removeAll { line in
            guard line.id == id, case .failed = line.status else { return false }
            return true
        }
    }

    private mutating func replace(_ line: Line) {
        if let index = lines.firstIndex(where: { $0.id == line.id }) {
            guard lines[index].status != line.status else { return }
            lines.remove(at: index)
        }
        let index = lines.firstIndex { Self.isBefore(line, $0) } ?? lines.endIndex
        lines.insert(line, at: index)
    }

    static func id(_ author: ParticipantID, _ clientID: String) -> String {
        "\(author)/\(clientID)"
    }

    private static func isBefore(_ line: Line, _ other: Line) -> Bool {
        switch (line.status, other.status) {
        case (_, .pending), (_, .failed): true
        case (.stored(let sequence), .stored(let next)): sequence < next
        default: line.date < other.date
        }
    }
}
