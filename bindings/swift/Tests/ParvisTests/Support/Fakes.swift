import Foundation
import Parvis

/// Tickets of a function.
final class FixedTickets: TicketSource {
    private let answer: @Sendable (TicketRequest) async throws -> Ticket

    init(_ answer: @escaping @Sendable (TicketRequest) async throws -> Ticket) {
        self.answer = answer
    }

    func ticket(request: TicketRequest) async throws -> Ticket {
        try await answer(request)
    }
}

/// A microphone that gives nothing, and does what a test says.
final class FakeCapture: AudioCapture, @unchecked Sendable {
    private let lock = NSLock()
    private var called: [String] = []
    private var given: Microphone?
    private let onOpen: @Sendable () async throws -> Void
    private let onStart: @Sendable () throws -> Void
    private let onStop: @Sendable () throws -> Void

    init(
        open: @escaping @Sendable () async throws -> Void = {},
        start: @escaping @Sendable () throws -> Void = {},
        stop: @escaping @Sendable () throws -> Void = {}
    ) {
        (onOpen, onStart, onStop) = (open, start, stop)
    }

    var calls: [String] { lock.withLock { called } }

    func open() async throws {
        note("open")
        try await onOpen()
    }

    func start(_ microphone: Microphone) throws {
        note("start")
        lock.withLock { given = microphone }
        try onStart()
    }

    func stop() throws {
        note("stop")
        lock.withLock { given = nil }
        try onStop()
    }

    private func note(_ call: String) {
        lock.withLock { called.append(call) }
    }
}

/// A camera or screen that shows grey while it is on, and does what a test says.
final class FakePictures: CameraCapture, ScreenCapture, @unchecked Sendable {
    private let lock = NSLock()
    private var called: [String] = []
    private var showing: Task<Void, Never>?
    private let onOpen: @Sendable () async throws -> Void

    init(open: @escaping @Sendable () async throws -> Void = {}) {
        onOpen = open
    }

    var calls: [String] { lock.withLock { called } }

    func open() async throws {
        note("open")
        try await onOpen()
    }

    func start(_ camera: Camera) { show(camera) }
    func start(_ screen: Screen) { show(screen) }

    func stop() {
        note("stop")
        lock.withLock { showing }?.cancel()
    }

    private func show(_ source: VideoSource) {
        note("start")
        let task = Task.detached {
            let picture = NV12Clip(width: 320, height: 180)
            while !Task.isCancelled, (try? picture.with { try source.push($0) }) != nil {
                try? await Task.sleep(for: .milliseconds(66))
            }
        }
        lock.withLock { showing = task }
    }

    private func note(_ call: String) {
        lock.withLock { called.append(call) }
    }
}
