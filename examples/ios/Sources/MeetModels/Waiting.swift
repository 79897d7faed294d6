import Parvis

/// What there is to say to somebody who is not in.
public struct Waiting: Equatable, Sendable {
    /// In a few words.
    public let title: String
    /// What happens next.
    public let detail: String
    /// Whether it goes on by itself.
    public let goesOn: Bool
    /// Whether one may ask again.
    public let canKnock: Bool

    /// What there is to say in a phase.
    public init(_ phase: Phase) {
        switch phase {
        case .connecting: self.init("Connecting…", "", goesOn: true)
        case .reconnecting: self.init("Connecting again…", "Your place is kept.", goesOn: true)
        case .connected: self.init("You are in", "", goesOn: true)
        case .disconnected: self.init("The meeting is over", "")
        case .inLobby(let lobby): self.init(lobby)
        }
    }

    private init(_ lobby: Lobby) {
        switch lobby {
        case .waitingForHost:
            self.init("The meeting begins with its host", "You wait until the host is there.", goesOn: true)
        case .waiting:
            self.init("You are in the lobby", "A host lets you in.", goesOn: true)
        case .denied(let retryAfterMs):
            self.init(
                "A host did not let you in", retryAfterMs == nil ? "" : "You may ask again in a few seconds.",
                canKnock: retryAfterMs != nil)
        case .timedOut: self.init("Nobody answered", "You may ask again.", canKnock: true)
        case .full: self.init("Too many people wait", "Try again later.", canKnock: true)
        case .outside: self.init("You are outside", "You may ask to come in.", canKnock: true)
        }
    }

    private init(_ title: String, _ detail: String, goesOn: Bool = false, canKnock: Bool = false) {
        (self.title, self.detail, self.goesOn, self.canKnock) = (title, detail, goesOn, canKnock)
    }
}
