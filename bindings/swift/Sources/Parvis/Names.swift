import Foundation
// The members of its types are those of this module's; where both have a name, this one's is meant.
@_exported import ParvisFFI

/// Who somebody is in a meeting; another one at the next join.
public typealias ParticipantID = String

public typealias AccessLevel = ParvisFFI.AccessLevel
public typealias Capture = ParvisFFI.Capture
public typealias CaptureFailure = ParvisFFI.CaptureFailure
public typealias CaptureKind = ParvisFFI.CaptureKind
public typealias CaptureStatus = ParvisFFI.CaptureStatus
public typealias ChatMessage = ParvisFFI.ChatMessage
public typealias DisconnectReason = ParvisFFI.DisconnectReason
public typealias Done = ParvisFFI.Done
public typealias Emoji = ParvisFFI.Emoji
public typealias ForbiddenSources = ParvisFFI.ForbiddenSources
public typealias HistoryGap = ParvisFFI.HistoryGap
public typealias HistoryPage = ParvisFFI.HistoryPage
public typealias HistoryPolicy = ParvisFFI.HistoryPolicy
public typealias Language = ParvisFFI.Language
public typealias LeaveReason = ParvisFFI.LeaveReason
public typealias Lobby = ParvisFFI.Lobby
public typealias LocalStats = ParvisFFI.LocalStats
public typealias MediaState = ParvisFFI.MediaState
public typealias MediaStates = ParvisFFI.MediaStates
public typealias MeetingEvent = ParvisFFI.MeetingEvent
public typealias MeetingState = ParvisFFI.MeetingState
public typealias Participant = ParvisFFI.Participant
public typealias Phase = ParvisFFI.Phase
public typealias Policy = ParvisFFI.Policy
public typealias PrivateMessage = ParvisFFI.PrivateMessage
public typealias Quality = ParvisFFI.Quality
public typealias ReactionCount = ParvisFFI.ReactionCount
public typealias Receive = ParvisFFI.Receive
public typealias RelayAddress = ParvisFFI.RelayAddress
public typealias RemoteStats = ParvisFFI.RemoteStats
public typealias Role = ParvisFFI.Role
public typealias RoomView = ParvisFFI.RoomView
public typealias Service = ParvisFFI.Service
public typealias Source = ParvisFFI.Source
public typealias Target = ParvisFFI.Target
public typealias Ticket = ParvisFFI.Ticket
public typealias TicketRequest = ParvisFFI.TicketRequest
public typealias TicketSource = ParvisFFI.TicketSource
public typealias Trust = ParvisFFI.Trust
public typealias VideoTarget = ParvisFFI.VideoTarget
public typealias Waiter = ParvisFFI.Waiter

extension ChatMessage {
    /// When the service got it.
    public var date: Date { Date(milliseconds: atMs) }
}

extension PrivateMessage {
    /// When the service got it.
    public var date: Date { Date(milliseconds: atMs) }
}

extension Participant {
    /// When it came in.
    public var joined: Date { Date(milliseconds: joinedMs) }
}

extension Waiter {
    /// Since when it waits.
    public var since: Date { Date(milliseconds: sinceMs) }
}

extension Role {
    /// Whether it moderates: owners and administrators.
    public var isHost: Bool { self == .owner || self == .administrator }
}

extension Policy {
    /// How long what is said to everybody is kept after the end of a session; zero: not at all.
    public var chatIsKept: Duration { history == .none ? .zero : .milliseconds(retentionMs) }
}

extension CaptureStatus {
    /// Whether something is being captured, or is about to be.
    public var isRunning: Bool {
        switch self {
        case .starting, .active, .stopping, .limitReached: true
        case .saved, .notified, .failedToStart, .aborted: false
        }
    }
}

extension Emoji {
    /// All reactions, as they stand in a menu.
    public static let all: [Emoji] = [
        .thumbsUp, .thumbsDown, .clappingHands, .redHeart, .faceWithTearsOfJoy, .faceWithOpenMouth, .partyPopper,
        .foldedHands,
    ]

    /// What is shown.
    public var sign: String { emojiSign(emoji: self) }
}

extension MediaStates {
    /// The state of a source.
    public func of(_ source: Source) -> MediaState {
        switch source {
        case .microphone: microphone
        case .camera: camera
        case .screen: screen
        }
    }
}

extension MeetingState {
    /// Whether one is in.
    public var isConnected: Bool { phase == .connected }

    /// Whether one is not let in: a host said no, nobody answered, or too many wait. ``Meeting/knock()`` asks again.
    public var isTurnedAway: Bool {
        switch phase {
        case .inLobby(.denied), .inLobby(.timedOut), .inLobby(.full): true
        case .inLobby(.waiting), .inLobby(.waitingForHost), .inLobby(.outside), .connecting, .connected, .reconnecting,
            .disconnected:
            false
        }
    }

    /// Why it is over; `nil`: it is not.
    public var ended: DisconnectReason? {
        guard case .disconnected(let reason) = phase else { return nil }
        return reason
    }

    /// Everybody who is in: hands in order, then oneself, then by name.
    public var participants: [Participant] { view?.participants ?? [] }

    /// Whose hands are up, the first first.
    public var hands: [ParticipantID] { view?.hands ?? [] }

    /// This participant, as everybody sees it.
    public var myself: Participant? { participant(me) }

    /// How long what is said to everybody is kept after the end of the meeting; zero: not at all; `nil`: not in so far.
    public var retention: Duration? { view?.policy.chatIsKept }

    /// Somebody who is in.
    public func participant(_ id: ParticipantID) -> Participant? {
        view?.participants.first { $0.id == id }
    }

    /// The place of somebody's hand, the first is 1; `nil`: it is down.
    public func handPosition(of id: ParticipantID) -> Int? {
        hands.firstIndex(of: id).map { $0 + 1 }
    }
}

extension RoomView {
    /// Whether somebody is in whose connection is not gone.
    public func isConnected(_ id: ParticipantID) -> Bool {
        participants.contains { $0.id == id && $0.quality != .lost }
    }
}

extension VideoTarget {
    /// One that is not seen: nothing of it is received.
    public static let hidden = VideoTarget(width: 0, height: 0, visible: false, fps: nil)

    /// A visible one of that many pixels.
    ///
    /// - Parameter frameRate: pictures a second, at most; `nil`: all that come.
    public init(width: Int, height: Int, frameRate: Int? = nil) {
        self.init(
            width: Int32(clamping: width), height: Int32(clamping: height), visible: true,
            fps: frameRate.map(Int32.init(clamping:)))
    }
}

extension Date {
    init(milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1000)
    }
}
