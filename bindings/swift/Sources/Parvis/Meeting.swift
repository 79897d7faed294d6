import Foundation
import ParvisFFI

/// A meeting that was joined, or is about to be.
///
/// It is left when ``leave()`` returns, or in the background when it is released.
public final class Meeting: Sendable {
    let foreign: ParvisFFI.Meeting
    private let last: Locked<MeetingState>

    /// Joins the meeting that a link or a code names. Returns once the relay is connected to, in ``Phase/connecting``; the
    /// events tell how it goes on.
    ///
    /// - Throws: ``ParvisError``, or `CancellationError` if the task is cancelled: nothing is left of the attempt then.
    public static func join(_ linkOrCode: String, options: JoinOptions) async throws -> Meeting {
        let foreign = try await ParvisFFI.Meeting.join(
            linkOrCode: linkOrCode, options: options.foreign, tickets: options.tickets.foreign,
            codecs: options.codecs.foreign)
        return try Meeting(foreign)
    }

    /// The room code of a link or a code, as people read it: `abc-defg-hij`.
    ///
    /// - Throws: ``ErrorKind/badCode`` if it is neither.
    public static func roomCode(of linkOrCode: String) throws -> String {
        try ParvisFFI.roomCode(linkOrCode: linkOrCode)
    }

    /// The version of the library.
    public static var version: String { ParvisFFI.version() }

    private init(_ foreign: ParvisFFI.Meeting) throws {
        self.foreign = foreign
        last = Locked(try foreign.state())
    }

    /// What is known now; after leaving, what was known last.
    public var state: MeetingState {
        last.with { last in
            // There is no state while it is being left.
            last = (try? foreign.state()) ?? last
            return last
        }
    }

    /// What is known now, and again each time that it is another, until the meeting is over. Whoever takes it slowly gets
    /// the newest.
    public func states() -> AsyncStream<MeetingState> {
        let states = foreign.states()
        return AsyncStream(next: states.next, cancel: states.cancel)
    }

    /// What happens from here on, until the meeting is over; ``state`` is what happened before.
    ///
    /// Whoever takes them too slowly is told how many were missed, and looks at the state.
    public func events() -> AsyncStream<MeetingEvent> {
        let events = foreign.events()
        return AsyncStream(next: events.next, cancel: events.cancel)
    }

    /// Waits until what is known is so, or the meeting is over; returns what is known then.
    ///
    /// A denial is not the end of a meeting: ``MeetingState/isTurnedAway`` says so.
    ///
    /// - Throws: `CancellationError` if the task is cancelled.
    @discardableResult
    public func wait(until holds: @Sendable (MeetingState) -> Bool) async throws -> MeetingState {
        for await state in states() where holds(state) || state.ended != nil {
            return state
        }
        try Task.checkCancellation()
        return state
    }

    /// Leaves: the others see it at once. Returns when nothing of the meeting runs here; a cancelled task leaves too.
    ///
    /// - Throws: ``ErrorKind/left`` if it was left before.
    public func leave() async throws {
        let foreign = foreign
        // A task of its own: what is cancelled is not this.
        try await Task { try await foreign.leave() }.value
    }
}

extension AsyncStream where Element: Sendable {
    /// Pulls one after the other, so that nothing piles up on this side of the boundary.
    init(
        next: @escaping @Sendable () async -> Element?, cancel: @escaping @Sendable () -> Void
    ) {
        self.init {
            await withTaskCancellationHandler {
                await next()
            } onCancel: {
                cancel()
            }
        } onCancel: {
            cancel()
        }
    }
}

/// A value behind a lock.
final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: Value) {
        self.value = value
    }

    func with<Result>(_ use: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try use(&value)
    }
}
