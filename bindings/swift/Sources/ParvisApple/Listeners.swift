import Foundation

/// What happens, for whoever listens: each has a stream of its own, and one that is cancelled ends for itself alone.
final class Listeners<Event: Sendable>: Sendable {
    private struct State {
        var streams: [UUID: AsyncStream<Event>.Continuation] = [:]
        var isOver = false
    }

    private let state = Locked(State())
    private let waiting: Int

    /// - Parameter waiting: how many events wait for whoever takes them slowly; the newest are kept.
    init(waiting: Int = 16) {
        self.waiting = waiting
    }

    deinit {
        finish()
    }

    /// What happens from here on, until ``finish()``.
    func stream() -> AsyncStream<Event> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Event.self, bufferingPolicy: .bufferingNewest(waiting))
        let id = UUID()
        continuation.onTermination = { [weak self] _ in
            self?.state.with { _ = $0.streams.removeValue(forKey: id) }
        }
        let isOver = state.with { state in
            if !state.isOver { state.streams[id] = continuation }
            return state.isOver
        }
        if isOver { continuation.finish() }
        return stream
    }

    /// Tells all of them.
    func yield(_ event: Event) {
        for continuation in state.with({ Array($0.streams.values) }) { continuation.yield(event) }
    }

    /// Nothing happens any more.
    func finish() {
        let ended = state.with { state in
            defer { state = State(streams: [:], isOver: true) }
            return Array(state.streams.values)
        }
        // Ending one tells this, which is not locked meanwhile.
        for continuation in ended { continuation.finish() }
    }
}
