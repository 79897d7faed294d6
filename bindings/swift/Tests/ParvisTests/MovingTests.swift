import Parvis
import XCTest

@testable import ParvisApple

/// A meeting goes along with the networks as long as it lasts.
final class MovingTests: XCTestCase {
    func testItMovesAtEachChangeAndEndsWithTheMeeting() async throws {
        let site = try Site()
        defer { site.stop() }
        let alice = try await site.join(try site.room(), "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        let (changes, change) = AsyncStream.makeStream(of: Void.self)
        let moving = Task { await alice.move(at: changes) }
        change.yield()
        // The meeting is there still, by another socket.
        let events = alice.events()
        try await alice.chat("Me voilà.")
        try await events.message("Me voilà.")
        // No network changes any more.
        try await alice.leave()
        try await within("nothing is left of it") { await moving.value }
        change.finish()
    }

    func testOneThatIsCancelledMovesNoMore() async throws {
        let site = try Site()
        defer { site.stop() }
        let alice = try await site.join(try site.room(), "Alice", as: site.administrator)
        let moving = Task { await alice.move(at: AsyncStream { _ in }) }
        moving.cancel()
        try await within("it ends") { await moving.value }
        try await alice.leave()
    }
}
