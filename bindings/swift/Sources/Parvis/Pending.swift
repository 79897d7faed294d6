import ParvisFFI

public typealias PendingState = ParvisFFI.PendingState

/// A message of one's own, which is shown at once.
public final class Pending: Sendable, Identifiable {
    private let foreign: ParvisFFI.Pending

    /// What it is called; the ``ChatMessage`` that it becomes has the same.
    public let clientId: String
    /// The text as it was sent.
    public let text: String

    init(_ foreign: ParvisFFI.Pending) {
        self.foreign = foreign
        (clientId, text) = (foreign.clientId(), foreign.text())
    }

    /// Where it is on its way.
    public var state: PendingState { foreign.state() }

    /// Waits until it is sent.
    ///
    /// - Throws: why it is refused, or that nobody answered; ``retry()`` sends it again.
    @discardableResult
    public func outcome() async throws -> Done {
        try await foreign.outcome()
    }

    /// Sends it again, under the same id, when it has failed; returns when it is in the chat, once, whether an earlier try had
    /// reached it or not.
    @discardableResult
    public func retry() async throws -> Done {
        try await foreign.retry()
    }
}
