import Parvis

/// How a meeting ended, in words for the user.
public struct Ending: Equatable, Sendable {
    /// What happened.
    public let title: String
    /// Whether joining again makes sense.
    public let canRejoin: Bool

    init(_ reason: DisconnectReason) {
        switch reason {
        case .left: (title, canRejoin) = ("You left the meeting", true)
        case .removed: (title, canRejoin) = ("A host removed you from the meeting", false)
        case .roomEnded: (title, canRejoin) = ("The meeting is over", false)
        case .lost(.notLetIn, _): (title, canRejoin) = ("The invitation has expired", true)
        case .lost: (title, canRejoin) = ("The connection is lost", true)
        }
    }
}
