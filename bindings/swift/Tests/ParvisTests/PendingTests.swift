import Foundation
import Parvis
import XCTest

/// Messages of one's own that are on their way.
final class PendingTests: XCTestCase {
    private static func meeting() async throws -> (Site, Meeting) {
        let site = try Site()
        let alice = try await site.join(
            try site.room(), "Alice", as: site.administrator, commandTimeout: .seconds(1))
        try await alice.expect("Alice is in", \.isConnected)
        return (site, alice)
    }

    func testAMessageThatNobodyAnsweredIsSentAgainAndIsThereOnce() async throws {
        let (site, alice) = try await Self.meeting()
        defer { site.stop() }
        let first = try await alice.chatPending("un")
        let done = try await within("the first is sent") { try await first.outcome() }
        XCTAssertEqual(first.state, .sent(done: done))
        let told = alice.events()
        // A service that stands still answers nobody.
        site.freeze()
        let second = try await alice.chatPending("deux")
        XCTAssertEqual(second.state, .sending)
        await assertFails(.noAnswer) { _ = try await within("it fails") { try await second.outcome() } }
        guard case .failed(let error) = second.state else { return XCTFail("\(second.state)") }
        XCTAssertTrue(error.isRetryable)
        let (clientID, why) = try await told.expect("its failure is told") { event in
            if case .chatFailed(let clientID, let error) = event { (clientID, error) } else { nil }
        }
        XCTAssertEqual(clientID, second.clientId)
        XCTAssertEqual(why, .noAnswer)
        site.thaw()
        try await within("the second is sent") {
            while true {
                do {
                    try await second.retry()
                    return
                } catch let error as ParvisError where error.kind == .noAnswer {
                    // What stood still may need longer than a second to wake up.
                }
            }
        }
        _ = try await within("sent twice is sent once") { try await second.retry() }
        let page = try await alice.history()
        XCTAssertEqual(page.messages.map(\.text), ["un", "deux"])
        XCTAssertEqual(page.messages.last?.clientId, second.clientId)
        try await alice.leave()
        await assertFails(.left) { _ = try await alice.chatPending("trois") }
    }

    func testAMessageThatIsRefusedSaysWhy() async throws {
        let (site, alice) = try await Self.meeting()
        defer { site.stop() }
        let pending = try await alice.chatPending(String(repeating: "x", count: 2001))
        await assertFails(.tooLong) { _ = try await within("it is refused") { try await pending.outcome() } }
        await assertFails(.tooLong) { _ = try await within("it is refused again") { try await pending.retry() } }
        let waiting = Task { try await pending.outcome() }
        waiting.cancel()
        _ = await waiting.result
        try await alice.leave()
    }

    @MainActor
    func testAModelSendsAFailedLineAgain() async throws {
        let (site, alice) = try await Self.meeting()
        defer { site.stop() }
        let model = MeetingModel(alice)
        let running = Task { await model.run() }
        try await model.meeting.expect("Alice is in", \.isConnected)
        site.freeze()
        try await model.send("Bonjour")
        try await eventually("the line has failed") { @MainActor in
            model.chat.lines.map(\.status) == [.failed(.noAnswer)]
        }
        let line = model.chat.lines[0].id
        site.thaw()
        try await eventually("the line is stored") { @MainActor in
            // It says so itself when it fails once more.
            try? await model.retry(line)
            return model.chat.lines.map(\.status) == [.stored(sequence: 0)]
        }
        model.discard(line)
        XCTAssertEqual(model.chat.lines.map(\.text), ["Bonjour"], "what is stored stays")
        running.cancel()
        _ = await running.value
    }
}
