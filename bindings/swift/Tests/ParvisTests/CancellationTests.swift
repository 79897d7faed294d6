import Foundation
import Parvis
import XCTest

/// A task that is cancelled ends what it waits for, in the library too.
final class CancellationTests: XCTestCase {
    func testAJoinThatIsCancelledIsGivenUp() async throws {
        let (asked, asks) = AsyncStream.makeStream(of: Void.self)
        let (givenUp, givesUp) = AsyncStream.makeStream(of: Void.self)
        var options = JoinOptions(name: "Zoé", device: "device")
        options.tickets = .source(
            FixedTickets { _ in
                asks.yield()
                // As long as nobody cancels it.
                defer { givesUp.yield() }
                try await Task.sleep(for: .seconds(3600))
                throw ParvisError(.unknown, "it was not cancelled")
            })
        let joining = Task { [options] in try await Meeting.join("abc-defg-hij", options: options) }
        try await within("the ticket is asked for") { for await _ in asked { break } }
        joining.cancel()
        let result = try await within("the join ends") { await joining.result }
        XCTAssertThrowsError(try result.get()) { XCTAssertTrue($0 is CancellationError, "\($0)") }
        // The library dropped the future, and with it the question to this side.
        try await within("the source is cancelled") { for await _ in givenUp { break } }
    }

    func testATaskThatIsCancelledBeforeItBeginsDoesNothing() async throws {
        let options = JoinOptions(name: "Zoé", device: "device")
        let joining = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await Meeting.join("http://127.0.0.1:9/abc-defg-hij", options: options)
        }
        let result = await joining.result
        XCTAssertThrowsError(try result.get()) { XCTAssertTrue($0 is CancellationError, "\($0)") }
    }

    func testACaptureIsStoppedOnceItsOpeningHasEnded() async throws {
        let site = try Site()
        defer { site.stop() }
        let alice = try await site.join(try site.room(), "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        // A device that opens whoever gives up meanwhile.
        let (opens, opening) = AsyncStream.makeStream(of: CheckedContinuation<Void, Never>.self)
        let capture = FakeCapture(open: { await withCheckedContinuation { _ = opening.yield($0) } })
        let turningOn = Task { try await alice.microphone(from: capture) }
        let device = try await within("it opens") { await opens.first { _ in true } }
        turningOn.cancel()
        let result = try await within("it is given up") { await turningOn.result }
        XCTAssertThrowsError(try result.get()) { XCTAssertTrue($0 is CancellationError, "\($0)") }
        XCTAssertEqual(capture.calls, ["open"], "the device would stay open")
        device?.resume()
        try await eventually("it is stopped") { capture.calls == ["open", "stop"] }
        try await alice.microphone().turnOff()
        try await alice.leave()
    }

    func testCommandsAndStreams() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room()
        let alice = try await site.join(link, "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)

        let quiet = Task { [events = alice.events()] in
            for await event in events { if case .chat = event { return false } }
            return true
        }
        quiet.cancel()
        let ended = try await within("the events end") { await quiet.value }
        XCTAssertTrue(ended)

        let voice = try alice.voice(of: "psomebody")
        let listening = Task { await voice.next() == nil }
        listening.cancel()
        let silent = try await within("the voice ends") { await listening.value }
        XCTAssertTrue(silent)

        // Nobody answers a service that stands still.
        site.freeze()
        let writing = Task { try await alice.chat("Est-ce que quelqu'un m'entend ?") }
        writing.cancel()
        let result = try await within("the command ends") { await writing.result }
        XCTAssertThrowsError(try result.get()) { XCTAssertTrue($0 is CancellationError, "\($0)") }
        site.thaw()

        let leaving = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await alice.leave()
        }
        try await within("Alice leaves") { try await leaving.value }
        XCTAssertEqual(alice.state.ended, .left)
    }

    func testACommandThatWaitsEndsWhenTheMeetingIsLeft() async throws {
        let site = try Site()
        defer { site.stop() }
        let alice = try await site.join(try site.room(), "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        site.freeze()
        let writing = Task { try await alice.chat("Il y a quelqu'un ?") }
        try await within("Alice leaves") { try await alice.leave() }
        let result = try await within("the command ends") { await writing.result }
        XCTAssertThrowsError(try result.get()) { XCTAssertEqual(($0 as? ParvisError)?.kind, .left, "\($0)") }
        site.thaw()
    }
}
