import Foundation
import Parvis
import XCTest

/// Whoever is cancelled leaves nothing behind, at whatever moment: neither somebody in the meeting whom nobody holds, nor a
/// capture that goes on.
@available(macOS 15, iOS 18, *)
final class GhostTests: XCTestCase {
    func testAJoinThatIsCancelledWhileItGoesOnLeavesNobody() async throws {
        try await joinAndCancel { try await self.cancelAtEachStep(.meanwhile(), $0) }
    }

    func testAJoinThatIsCancelledWhileItWaitsLeavesNobody() async throws {
        try await joinAndCancel { try await self.cancelAtEachStep(.afterwards, $0) }
    }

    func testAJoinThatIsCancelledWhenItCouldGoOnLeavesNobody() async throws {
        try await joinAndCancel { try await self.cancelAtEachStep(.beforeTheNext, $0) }
    }

    /// The last piece finds that it is done and takes the meeting: somebody has it, or it is not there.
    func testAJoinThatIsCancelledWhenItIsAlmostThereLeavesNobody() async throws {
        try await joinAndCancel { join in
            let whole = Stepper(.max, .afterwards)
            _ = try await self.run(whole, 0, join)
            for microseconds in stride(from: 0, to: 600, by: 8) {
                _ = try await self.run(
                    Stepper(whole.pieces, .meanwhile(microseconds: UInt64(microseconds))), microseconds, join)
            }
        }
    }

    func testACaptureWhoseCallerIsCancelledIsStopped() async throws {
        let site = try Site()
        defer { site.stop() }
        let alice = try await site.join(try site.room(), "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        let captures = Captures()
        for moment in [Stepper.Moment.meanwhile(), .afterwards, .beforeTheNext] {
            try await cancelAtEachStep(moment) { _ in try await alice.microphone(from: captures.another()) }
        }
        // The last one who held it may be another thread.
        try await eventually("each that was opened is stopped") {
            captures.calls.allSatisfy { $0.isEmpty || $0.last == "stop" }
        }
        XCTAssertTrue(captures.calls.contains(["open", "start", "stop"]))
        XCTAssertTrue(captures.calls.allSatisfy { $0.count <= 3 }, "\(captures.calls)")
        // Nothing is published, or this could not be.
        try await alice.microphone().turnOff()
        try await alice.leave()
    }

    /// The answer is there when the caller is cancelled: it is the caller's, and what is let go of is turned off.
    func testACaptureThatIsLetGoOfIsStopped() async throws {
        let site = try Site()
        defer { site.stop() }
        let alice = try await site.join(try site.room(), "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        let capture = FakeCapture(start: { withUnsafeCurrentTask { $0?.cancel() } })
        let turningOn = Task { _ = try await alice.microphone(from: capture) }
        try await within("it is on, and off again") { try await turningOn.value }
        XCTAssertEqual(capture.calls, ["open", "start", "stop"])
        try await alice.expect("the microphone is off") { $0.myself?.media.microphone == .off }
        try await alice.leave()
    }

    /// A way to join, as the guest of that number.
    private typealias Join = @Sendable (_ number: Int) async throws -> Meeting

    private func joinAndCancel(_ cancel: (@escaping Join) async throws -> Void) async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room("--access", "public", "--host-gate", "false")
        let alice = try await site.join(link, "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        try await cancel { try await site.join(link, "Ghost \($0)") }
        // A ghost would be in before Zoé is.
        let zoe = try await site.join(link, "Zoé")
        let both: Set = [alice.state.me, zoe.state.me]
        for meeting in [zoe, alice] {
            try await meeting.expect("nobody else is in") { state in
                state.isConnected && Set(state.participants.map(\.id)) == both
            }
        }
        try await zoe.leave()
        try await alice.leave()
    }

    /// Does the work again and again, cancelled one step later each time, until it is done before that.
    private func cancelAtEachStep<T: Sendable>(
        _ moment: Stepper.Moment, _ work: @escaping @Sendable (Int) async throws -> T
    ) async throws {
        var cancelled = 0
        for step in 1... {
            guard let result = try await run(Stepper(step, moment), step, work) else { break }
            if case .failure = result { cancelled += 1 }
        }
        XCTAssertGreaterThan(cancelled, 0)
    }

    /// Does the work, cancelled when the stepper tells; lets go of what it gives. `nil`: it was done before.
    private func run<T: Sendable>(
        _ stepper: Stepper, _ number: Int, _ work: @escaping @Sendable (Int) async throws -> T
    ) async throws -> Result<Void, any Error>? {
        let working = Task(executorPreference: stepper) { try await work(number) }
        stepper.begin { working.cancel() }
        let result = try await within("number \(number)") { await working.result }
        let wasCancelled = stepper.hasTold
        // It holds the task, and so what came of it.
        stepper.goOn()
        if case .failure(let error) = result, !(error is CancellationError) { throw error }
        return wasCancelled ? result.map { _ in } : nil
    }
}

/// Captures of a test, one after the other.
private final class Captures: @unchecked Sendable {
    private let lock = NSLock()
    private var made: [FakeCapture] = []

    func another() -> FakeCapture {
        lock.withLock {
            made.append(FakeCapture())
            return made.last!
        }
    }

    var calls: [[String]] { lock.withLock { made.map(\.calls) } }
}
