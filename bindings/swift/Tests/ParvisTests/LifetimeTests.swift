import Foundation
import Parvis
import XCTest

/// What is over leaves nothing behind, however it ended.
final class LifetimeTests: XCTestCase {
    func testMeetingsLeaveNoThreads() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room("--access", "public", "--host-gate", "false")
        try await meet(site, link, released: false)
        let first = Threads.now()
        for round in 0..<4 {
            try await meet(site, link, released: round % 2 == 1)
        }
        let last = await Threads.settled(to: first.count)
        XCTAssertLessThanOrEqual(last.count, first.count, "\(first), then \(last)")
        XCTAssertEqual(last.codecs, [])
    }

    /// Two meet, see and hear each other; then they leave, or are released with all that is theirs.
    private func meet(_ site: Site, _ link: String, released: Bool) async throws {
        let (zoe, bruno) = (try await site.join(link, "Zoé"), try await site.join(link, "Bruno"))
        for meeting in [zoe, bruno] {
            try await meeting.expect("both are in") { $0.isConnected && $0.participants.count == 2 }
        }
        let (camera, microphone) = (try await zoe.camera(width: 320, height: 180), try await zoe.microphone())
        let players = [try Player(camera: camera), try Player(microphone: microphone)]
        let target = VideoTarget(width: 320, height: 180)
        let picture = try bruno.picture(of: zoe.state.me, source: .camera, target: target)
        let voice = try bruno.voice(of: zoe.state.me)
        let seen = try await within("a picture") { await picture.next() }
        let heard = try await within("a sound") { await voice.next() }
        XCTAssertNotNil(seen)
        XCTAssertNotNil(heard)
        for player in players { await player.stop() }
        guard !released else { return }
        try await bruno.leave()
        try await zoe.leave()
        // What was received holds still.
        XCTAssertNotNil(seen?.number)
    }

    func testAReleasedMeetingIsLeft() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room("--access", "public", "--host-gate", "false")
        let bruno = try await site.join(link, "Bruno")
        var zoe: Meeting? = try await site.join(link, "Zoé")
        try await bruno.expect("Zoé is in") { $0.participants.count == 2 }
        try await zoe?.expect("Zoé is in") { $0.isConnected }
        let (camera, mixer) = (try await zoe?.camera(width: 320, height: 180), try zoe?.mixer())
        let states = zoe?.states()
        zoe = nil
        XCTAssertNil(zoe)
        try await bruno.expect("Zoé is gone") { $0.participants.count == 1 }
        await assertFails(.left) { try await camera?.mute() }
        withExtendedLifetime((camera, mixer, states)) {}
        try await bruno.leave()
    }

    func testEventsThatCameBeforeTheyWereTakenAreThere() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room("--access", "public", "--host-gate", "false")
        let (bruno, zoe) = (try await site.join(link, "Bruno"), try await site.join(link, "Zoé"))
        for meeting in [bruno, zoe] {
            try await meeting.expect("both are in") { $0.isConnected && $0.participants.count == 2 }
        }
        let (events, who) = (bruno.events(), zoe.state.me)
        try await zoe.raiseHand()
        try await zoe.leave()
        try await bruno.expect("Zoé is gone") { $0.participants.count == 1 }
        try await events.expect("the hand is told") { $0 == .hands(participants: [who]) ? true : nil }
        try await events.expect("the end is told") { event in
            if case .left(who, _) = event { true } else { nil }
        }
        let rest = bruno.events()
        try await bruno.leave()
        let last = try await within("the events end") {
            await rest.reduce(into: MeetingEvent?.none) { $0 = $1 }
        }
        XCTAssertEqual(last, .phase(phase: .disconnected(reason: .left)))
    }

    func testWhatIsEndedTwiceEndsOnce() async throws {
        let site = try Site()
        defer { site.stop() }
        let alice = try await site.join(try site.room(), "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        let camera = try await alice.camera(width: 320, height: 180)
        try camera.turnOff()
        await assertFails(.left) { try camera.turnOff() }
        await assertFails(.left) { _ = try camera.stats() }
        let again = try await alice.camera(width: 320, height: 180)
        XCTAssertTrue(try again.stats().map(\.track).contains("camera/180p"))
        let voice = try alice.voice(of: "psomebody")
        voice.cancel()
        voice.cancel()
        let sound = await voice.next()
        XCTAssertNil(sound)
        let leaving = [Task { try await alice.leave() }, Task { try await alice.leave() }]
        let results = [await leaving[0].result, await leaving[1].result]
        XCTAssertEqual(results.filter { (try? $0.get()) != nil }.count, 1, "\(results)")
    }
}
