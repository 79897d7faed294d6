import Foundation
import Observation
import Parvis
import XCTest

/// The model of a user interface, on a real meeting.
final class MeetingModelTests: XCTestCase {
    @MainActor
    func testAModelFollowsItsMeeting() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room()
        let meeting = try await site.join(link, "Alice", as: site.administrator)
        let model = MeetingModel(meeting)
        let (changes, changed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let running = Task { await model.run { changed.yield() } }
        @MainActor func expect(_ what: String, _ holds: () -> Bool) async throws {
            let deadline = Task {
                try await Task.sleep(for: .seconds(30))
                changed.finish()
            }
            defer { deadline.cancel() }
            for await _ in changes where holds() { break }
            XCTAssertTrue(holds(), what)
        }
        changed.yield()
        try await expect("Alice is in") { model.state.isConnected && model.myself != nil }
        XCTAssertTrue(model.isHost)

        let bruno = try await site.join(link, "Bruno", as: try site.account("Bruno", email: "bruno@example.org"))
        try await bruno.expect("Bruno is in", \.isConnected)
        try await bruno.chat("Bonjour !")
        changed.yield()
        try await expect("Bruno's message is there") { model.unread == 1 }
        model.markRead()
        try await model.send("Salut")
        changed.yield()
        try await expect("both are stored") {
            model.chat.lines.map(\.status) == [.stored(sequence: 0), .stored(sequence: 1)]
        }
        XCTAssertEqual(model.chat.lines.map(\.text), ["Bonjour !", "Salut"])
        XCTAssertEqual(model.unread, 0, "one's own messages are read")

        try await bruno.raiseHand()
        changed.yield()
        try await expect("Bruno's hand is up") { model.handPosition(of: bruno.state.me) == 1 }
        XCTAssertEqual(model.participants.first?.id, bruno.state.me, "hands come first")

        let isObserved = Flag()
        withObservationTracking {
            _ = model.reactions.shown
        } onChange: {
            isObserved.set()
        }
        try await bruno.react(.partyPopper)
        changed.yield()
        try await expect("the reaction is shown") { model.reactions.shown.map(\.emoji) == [.partyPopper] }
        XCTAssertTrue(isObserved.isSet, "a view is told")

        // Who comes later has the past page by page.
        let read = bruno.events()
        for number in 2..<5 { try await bruno.chat("message \(number)") }
        try await read.message("message 4")
        let page = try await bruno.history(count: 2)
        XCTAssertEqual(page.messages.map(\.text), ["message 3", "message 4"])
        let before = try await bruno.history(before: page.before, count: 2)
        XCTAssertEqual(before.messages.map(\.text), ["Salut", "message 2"])
        let late = MeetingModel(bruno)
        var counts: [Int] = []
        while late.hasOlderMessages {
            try await late.loadOlderMessages(2)
            counts.append(late.chat.lines.count)
        }
        XCTAssertEqual(counts, [2, 4, 5])
        XCTAssertEqual(
            late.chat.lines.map(\.text), ["Bonjour !", "Salut", "message 2", "message 3", "message 4"])
        try await late.loadOlderMessages()
        XCTAssertEqual(late.chat.lines.count, 5)

        running.cancel()
        let reason = await running.value
        XCTAssertEqual(reason, .left)
        XCTAssertEqual(model.state.ended, .left)
        try await bruno.expect("Alice is gone") { $0.participants.count == 1 }
        try await bruno.leave()
    }
}

private final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var value = false
    var isSet: Bool { lock.withLock { value } }
    func set() { lock.withLock { value = true } }
}
