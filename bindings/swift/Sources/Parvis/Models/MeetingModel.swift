import Foundation
import Observation

/// A meeting for a user interface: what is shown, and when it changes.
///
/// ```swift
/// struct CallView: View {
///     let model: MeetingModel
///     var body: some View {
///         List(model.participants, id: \.id) { Text($0.name) }
///             .task { await model.run() }
///     }
/// }
/// ```
@MainActor
@Observable
public final class MeetingModel {
    /// The meeting, for everything that is done in it.
    public let meeting: Meeting
    /// What is known of it.
    public private(set) var state: MeetingState
    /// The chat: what came since ``run()`` began, and what ``loadOlderMessages()`` brought.
    public private(set) var chat = ChatLog()
    /// Reactions on the screen.
    public private(set) var reactions = ReactionBoard()
    /// Others' messages since ``markRead()``.
    public private(set) var unread = 0
    /// Whether there are messages before those of ``chat``.
    public private(set) var hasOlderMessages = true
    /// Whether one has spoken for a while with the hand up.
    public private(set) var suggestsLoweringHand = false
    /// Who muted one's microphone last; `nil` after it was turned on again.
    public private(set) var mutedBy: ParticipantID?

    private var older: Int64?
    /// One's own messages that are not in the chat so far, by their lines.
    private var unsent: [ChatLog.Line.ID: Pending] = [:]
    private var expiry: Task<Void, Never>?

    /// A model of a meeting; it changes while ``run(onChange:)`` does.
    public init(_ meeting: Meeting) {
        self.meeting = meeting
        state = meeting.state
    }

    /// Follows the meeting until it is over; returns why. When the task is cancelled, the meeting is left.
    ///
    /// - Parameter onChange: called after each change.
    @discardableResult
    public func run(onChange: @escaping @MainActor () -> Void = {}) async -> DisconnectReason {
        let events = meeting.events()
        async let followed: Void = follow(events, onChange)
        for await state in meeting.states() {
            apply(state)
            onChange()
        }
        await followed
        expiry?.cancel()
        if meeting.state.ended == nil {
            try? await meeting.leave()
        }
        apply(meeting.state)
        onChange()
        return state.ended ?? .left
    }

    /// Everybody who is in: hands in order, then oneself, then by name.
    public var participants: [Participant] { state.participants }

    /// This participant, as everybody sees it.
    public var myself: Participant? { state.myself }

    /// Whether one moderates.
    public var isHost: Bool { myself?.role.isHost ?? false }

    /// Somebody who is in.
    public func participant(_ id: ParticipantID) -> Participant? { state.participant(id) }

    /// The place of somebody's hand, the first is 1; `nil`: it is down.
    public func handPosition(of id: ParticipantID) -> Int? {
        state.handPosition(of: id)
    }

    /// Writes to everybody; the message is in ``chat`` at once.
    public func send(_ text: String) async throws {
        let pending = try await meeting.chatPending(text)
        let line = chat.insert(
            pending: pending.clientId, pending.text, author: state.me, name: myself?.name ?? "")
        unsent[line] = pending
        // Its failure may have been told before there was the line.
        if case .failed(let error) = pending.state {
            chat.fail(clientID: pending.clientId, author: state.me, error: error.kind)
        }
        forgetSent()
    }

    /// Sends a line again that has failed; returns when it is in the chat, once, whether an earlier try had reached it or not.
    ///
    /// - Throws: why it failed again; the line says so too.
    public func retry(_ line: ChatLog.Line.ID) async throws {
        guard let pending = unsent[line], chat.retry(line) else { return }
        do {
            try await pending.retry()
        } catch {
            chat.fail(
                clientID: pending.clientId, author: state.me, error: (error as? ParvisError)?.kind ?? .noAnswer)
            throw error
        }
    }

    /// Takes a line away that has failed.
    public func discard(_ line: ChatLog.Line.ID) {
        chat.remove(failed: line)
        forgetSent()
    }

    private func forgetSent() {
        let waiting = chat.lines.filter { line in
            switch line.status {
            case .pending, .failed: true
            case .stored, .confidential: false
            }
        }
        let ids = Set(waiting.map(\.id))
        unsent = unsent.filter { ids.contains($0.key) }
    }

    /// Says that the user has seen the chat.
    public func markRead() {
        unread = 0
    }

    /// Brings a page of the chat's past, the newest first.
    public func loadOlderMessages(_ count: Int = 50) async throws {
        guard hasOlderMessages else { return }
        let page = try await meeting.history(before: older, count: count)
        chat.insert(page)
        older = page.before
        hasOlderMessages = page.before != nil
    }

    func apply(_ state: MeetingState) {
        guard state != self.state else { return }
        self.state = state
        if !state.hands.contains(state.me) {
            suggestsLoweringHand = false
        }
        if state.myself?.media.microphone == .on {
            mutedBy = nil
        }
    }

    func apply(_ event: MeetingEvent, at now: ContinuousClock.Instant) {
        switch event {
        case .chat(let message):
            chat.insert(message)
            if message.from != state.me { unread += 1 } else { forgetSent() }
        case .privateMessage(let message):
            chat.insert(message)
            if message.from != state.me { unread += 1 }
        case .chatFailed(let clientID, let error):
            chat.fail(clientID: clientID, author: state.me, error: error)
        case .historyGap(let gap):
            chat.insert(gap)
        case .reaction(let participant, let emoji):
            reactions.insert(emoji, of: participant, at: now)
            expireReactions()
        case .reactions(let counts):
            reactions.insert(counts, at: now)
            expireReactions()
        case .suggestLowerHand:
            suggestsLoweringHand = true
        case .muted(.microphone, let by):
            mutedBy = by
        default:
            break
        }
    }

    private func follow(_ events: AsyncStream<MeetingEvent>, _ onChange: @escaping @MainActor () -> Void) async {
        for await event in events {
            apply(event, at: .now)
            onChange()
        }
    }

    private func expireReactions() {
        guard expiry == nil else { return }
        expiry = Task { [weak self] in
            while let next = self?.reactions.nextExpiry, !Task.isCancelled {
                try? await Task.sleep(until: next, clock: .continuous)
                self?.reactions.expire(at: .now)
            }
            self?.expiry = nil
        }
    }
}
