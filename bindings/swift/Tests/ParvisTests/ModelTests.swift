import Foundation
import XCTest

@testable import Parvis

final class ModelTests: XCTestCase {
    private func message(_ seq: Int64, _ id: String, from: String = "pzoe") -> ChatMessage {
        ChatMessage(seq: seq, atMs: seq * 1000, from: from, name: "Zoé", clientId: id, text: "message \(seq)")
    }

    func testAPendingMessageBecomesTheStoredOneOnce() {
        var log = ChatLog()
        log.insert(pending: "a", "Bonjour", author: "pzoe", name: "Zoé")
        XCTAssertEqual(log.lines.map(\.status), [.pending])
        log.insert(message(4, "a"))
        log.insert(message(4, "a"))
        XCTAssertEqual(log.lines.map(\.status), [.stored(sequence: 4)])
        log.insert(pending: "a", "Bonjour", author: "pzoe", name: "Zoé")
        XCTAssertEqual(log.lines.count, 1, "the message was there before its call returned")
    }

    func testTheSameIdOfAnotherWriterIsAnotherMessage() {
        var log = ChatLog()
        log.insert(message(1, "a"))
        log.insert(message(2, "a", from: "pbob"))
        XCTAssertEqual(log.lines.count, 2)
    }

    func testAPageOfThePastComesBeforeWhatIsThere() {
        var log = ChatLog()
        log.insert(pending: "z", "!", author: "pzoe", name: "Zoé")
        log.insert(message(9, "i"))
        let gap = HistoryGap(from: 0, to: 6)
        log.insert(
            HistoryPage(messages: [message(7, "g"), message(8, "h"), message(9, "i")], gaps: [gap, gap], before: nil))
        XCTAssertEqual(
            log.lines.map(\.status),
            [.stored(sequence: 7), .stored(sequence: 8), .stored(sequence: 9), .pending])
        XCTAssertEqual(log.gaps, [0...6])
    }

    func testAFailedMessageStaysUntilItIsTakenAway() {
        var log = ChatLog()
        log.insert(pending: "a", "Bonjour", author: "pzoe", name: "Zoé")
        log.fail(clientID: "a", author: "pzoe", error: .rateLimited)
        XCTAssertEqual(log.lines.map(\.status), [.failed(.rateLimited)])
        let line = log.lines[0].id
        XCTAssertTrue(log.retry(line))
        XCTAssertEqual(log.lines.map(\.status), [.pending])
        XCTAssertFalse(log.retry(line), "it is on its way")
        log.remove(failed: line)
        XCTAssertEqual(log.lines.count, 1, "it is on its way")
        log.fail(clientID: "a", author: "pzoe", error: .noAnswer)
        log.remove(failed: line)
        XCTAssertEqual(log.lines, [])
    }

    func testConfidentialMessagesLieByTimeAmongTheOthers() {
        var log = ChatLog()
        log.insert(message(1, "a"))
        log.insert(message(3, "c"))
        log.insert(PrivateMessage(atMs: 2000, from: "pbob", name: "Bob", to: "pzoe", clientId: "b", text: "psst"))
        XCTAssertEqual(log.lines.map(\.text), ["message 1", "psst", "message 3"])
    }

    func testAReactionIsShownForThreeSeconds() {
        var board = ReactionBoard()
        let start = ContinuousClock.now
        board.insert(.clappingHands, of: "pzoe", at: start)
        board.insert(
            [ReactionCount(emoji: .thumbsUp, count: 12), ReactionCount(emoji: .redHeart, count: 0)],
            at: start + .seconds(1))
        XCTAssertEqual(board.shown.map(\.count), [1, 12])
        XCTAssertEqual(board.nextExpiry, start + .seconds(3))
        board.expire(at: start + .milliseconds(2999))
        XCTAssertEqual(board.shown.count, 2)
        board.expire(at: start + .seconds(3))
        XCTAssertEqual(board.shown.map(\.emoji), [.thumbsUp])
        board.expire(at: start + .seconds(4))
        XCTAssertNil(board.nextExpiry)
    }

    func testABoardHasABound() {
        var board = ReactionBoard()
        for _ in 0..<1000 { board.insert(.partyPopper, of: "pzoe", at: .now) }
        XCTAssertEqual(board.shown.count, ReactionBoard.most)
        XCTAssertEqual(Set(board.shown.map(\.id)).count, ReactionBoard.most)
    }

    func testALevelRisesAtOnceAndFallsToSilence() async throws {
        let meter = LevelMeter()
        XCTAssertEqual(meter.decibels, LevelMeter.silence)
        try [Float](repeating: 0.5, count: 960).withUnsafeBufferPointer { try meter.push($0) }
        XCTAssertEqual(meter.decibels, -6, accuracy: 0.1)
        try [Int16](repeating: 0, count: 24_000).withUnsafeBufferPointer { try meter.push($0) }
        XCTAssertEqual(meter.decibels, -16, accuracy: 0.1)
        meter.clear()
        XCTAssertEqual(meter.decibels, LevelMeter.silence)
        await assertFails(.badArgument) { _ = try LevelMeter(channels: 3) }
        let stereo = try LevelMeter(channels: 2)
        await assertFails(.badFrame) {
            try [Float](repeating: 0, count: 3).withUnsafeBufferPointer { try stereo.push($0) }
        }
    }

    func testAnErrorSaysWhatAnAppAsks() {
        let error = ParvisError(.rateLimited, "too many", retryAfter: .milliseconds(200))
        XCTAssertEqual(error.kind, .rateLimited)
        XCTAssertEqual(error.retryAfter, .milliseconds(200))
        XCTAssertTrue(error.isRetryable)
        XCTAssertFalse(error.isAuth)
        XCTAssertEqual(error.localizedDescription, "too many")
    }

    func testAnErrorOfTheAppsOwnIsAsAllOfItsKindAre() {
        for kind in [ErrorKind.notLetIn, .noToken, .notSignedIn] {
            XCTAssertTrue(ParvisError(kind, "").isAuth, "\(kind)")
            XCTAssertFalse(ParvisError(kind, "").isRetryable, "\(kind)")
        }
        for kind in [ErrorKind.serviceUnavailable, .rateLimited, .noAnswer] {
            XCTAssertTrue(ParvisError(kind, "").isRetryable, "\(kind)")
            XCTAssertFalse(ParvisError(kind, "").isAuth, "\(kind)")
        }
        XCTAssertFalse(ParvisError(.serviceUnavailable, "gone for good", isRetryable: false).isRetryable)
        XCTAssertFalse(ParvisError(.notLetIn, "no more", isAuth: false).isAuth)
    }
}
