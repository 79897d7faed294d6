import Foundation
import Parvis
import XCTest

/// Data of apps, and the network before a meeting.
final class AppDataTests: XCTestCase {
    func testDataOfAnAppComesToWhomItIsFor() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room("--access", "public", "--host-gate", "false")
        let (alice, zoe) = (try await site.join(link, "Alice"), try await site.join(link, "Zoé"))
        for meeting in [alice, zoe] {
            try await meeting.expect("both are in") { $0.isConnected && $0.participants.count == 2 }
        }
        let bytes = Data([0, 255, 7])
        let (secrets, cursors) = (try zoe.data(on: "secret"), try zoe.data(on: "cursor"))
        try await alice.sendData(bytes, on: "secret", to: .some(participants: [zoe.state.me]))
        let secret = try await within("the secret") { await secrets.first { _ in true } }
        XCTAssertEqual(
            secret, MeetingData(from: alice.state.me, topic: "secret", payload: bytes, isPrivate: true))

        // What was said to all before somebody listens is not sent again.
        let saying = Task { [cursor = Data("x=3".utf8)] in
            while !Task.isCancelled {
                try await alice.sendData(cursor, on: "cursor")
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        let cursor = try await within("the cursor") { await cursors.first { _ in true } }
        saying.cancel()
        XCTAssertEqual(
            cursor,
            MeetingData(from: alice.state.me, topic: "cursor", payload: Data("x=3".utf8), isPrivate: false))

        await assertFails(.tooLong) { try await alice.sendData(Data(count: 10 * 1024 + 1), on: "x") }
        for topic in ["", "ü", String(repeating: "x", count: 65)] {
            await assertFails(.malformed) { try await alice.sendData(bytes, on: topic) }
        }
        await assertFails(.badArgument) { try await alice.sendData(bytes, on: "x", to: .some(participants: ["?"])) }

        let waiting = Task { [data = try zoe.data(on: "nothing")] in await data.first { _ in true } == nil }
        waiting.cancel()
        let isOver = try await within("the data end") { await waiting.value }
        XCTAssertTrue(isOver)
        try await zoe.leave()
        try await alice.leave()
    }

    func testAConnectionIsTriedBeforeAnybodyIsJoined() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room()
        let alice = try await site.join(link, "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        var options = JoinOptions(name: "Zoé", device: "device")
        options.trust = .anyone
        let report = try await within("the report", seconds: 60) { [options] in
            try await Meeting.testConnection(link, options: options)
        }
        XCTAssertTrue(report.isReachable, "\(report)")
        XCTAssertEqual(report.transports.first?.transport, .quic)
        let path = try XCTUnwrap(report.transports.first?.path)
        XCTAssertGreaterThan(path.rtt, .zero)
        XCTAssertLessThan(path.rtt, .seconds(5))
        XCTAssertNotNil(path.answer)
        XCTAssertGreaterThan(try XCTUnwrap(path.capacity).down, 100_000)
        XCTAssertEqual(alice.state.lobby, [], "nobody sees it")
        options.trust = .fingerprint(sha256: String(repeating: "00", count: 32))
        let other = try await within("the other report", seconds: 60) { [options] in
            try await Meeting.testConnection(link, options: options)
        }
        XCTAssertFalse(other.isReachable)
        XCTAssertEqual(other.transports.first?.failure?.kind, .certificateRejected)
        await assertFails(.badCode) { [options] in _ = try await Meeting.testConnection("hello", options: options) }
        try await alice.leave()
    }
}
