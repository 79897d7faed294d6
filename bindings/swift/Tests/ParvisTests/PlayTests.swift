import Foundation
import Parvis
import XCTest

/// What is heard and shown of others, and over what network.
final class PlayTests: XCTestCase {
    /// Zoé talks and is seen, Alice listens and looks.
    private func meeting() async throws -> (Site, Meeting, Meeting) {
        let site = try Site()
        let link = try site.room("--access", "public", "--host-gate", "false")
        let (alice, zoe) = (try await site.join(link, "Alice"), try await site.join(link, "Zoé"))
        for meeting in [alice, zoe] {
            try await meeting.expect("both are in") { $0.isConnected && $0.participants.count == 2 }
        }
        return (site, alice, zoe)
    }

    /// Pulls 10 ms every 10 ms, as a device does, until the last half second is as wanted.
    private func hears(_ what: String, _ mixer: Mixer, _ wanted: @escaping @Sendable ([Float]) -> Bool) async throws {
        try await within(what) {
            var (last, next) = ([Float](), ContinuousClock.now)
            while last.count < 24_000 || !wanted(last) {
                try mixer.pull().withSamples { last.append(contentsOf: $0) }
                last.removeFirst(max(0, last.count - 24_000))
                next += .milliseconds(10)
                try await Task.sleep(until: next, clock: .continuous)
            }
        }
    }

    func testEverybodyIsHeardMixedAsLoudAsWasAskedFor() async throws {
        let (site, alice, zoe) = try await meeting()
        defer { site.stop() }
        let microphone = try await zoe.microphone()
        let player = try Player(microphone: microphone)
        let mixer = try alice.mixer()
        XCTAssertEqual(mixer.channels, 1)
        try await hears("the tone", mixer) { decibels(of: 220, over: 3000, in: $0) > 20 }
        let who = zoe.state.me
        try alice.setVolume(0.5, of: who)
        XCTAssertEqual(try alice.volume(of: who), 0.5)
        try alice.muteForMe(who, true)
        XCTAssertTrue(try alice.isMutedForMe(who))
        try await hears("silence", mixer) { $0.allSatisfy { $0 == 0 } }
        try alice.muteForMe(who, false)
        try await hears("the tone again", mixer) { decibels(of: 220, over: 3000, in: $0) > 20 }
        var device = [Float](repeating: 9, count: 441)
        try device.withUnsafeMutableBufferPointer { try mixer.fill($0) }
        XCTAssertTrue(device.allSatisfy { abs($0) <= 1 })
        await assertFails(.badArgument) { _ = try mixer.pull(0) }
        await assertFails(.badArgument) { _ = try alice.mixer(channels: 3) }
        await player.stop()
        mixer.cancel()
        mixer.cancel()
        await assertFails(.left) { _ = try mixer.pull() }
        try await zoe.leave()
        try await alice.leave()
    }

    func testTargetsAndPinsAreKeptAndWhatComesIsCounted() async throws {
        let (site, alice, zoe) = try await meeting()
        defer { site.stop() }
        let who = zoe.state.me
        try alice.setPinned(who, true)
        XCTAssertEqual(try alice.pinned(), [who])
        try alice.setPinned(who, false)
        XCTAssertEqual(try alice.pinned(), [])
        XCTAssertEqual(alice.state.stepDown, .nothing)
        let camera = try await zoe.camera(width: 320, height: 180, frameRate: 15)
        let player = try Player(camera: camera)
        let picture = try alice.picture(of: who, source: .camera, target: .hidden)
        try alice.setVideoTarget(VideoTarget(width: 320, height: 180, frameRate: 5), of: who, source: .camera)
        let times = try await within("ten pictures") {
            var times: [MediaTime] = []
            for await frame in picture {
                times.append(frame.timestamp)
                if times.count == 10 { break }
            }
            return times
        }
        let each = (times.last! - times.first!) / 9
        XCTAssertGreaterThan(each, .milliseconds(150), "pictures are \(each) apart")
        let statistics = try await alice.statistics()
        let received = statistics.received.filter { $0.participant == who }
        XCTAssertEqual(received.map(\.stats.track), ["camera/180p"])
        XCTAssertGreaterThan(statistics.path?.rtt ?? .zero, .zero)
        let sent = try await zoe.statistics().sent
        XCTAssertEqual(sent.map(\.watched), [true])
        await player.stop()
        try await zoe.leave()
        try await alice.leave()
    }

    func testAnotherSocketIsAnotherPathForTheSameMeeting() async throws {
        let (site, alice, zoe) = try await meeting()
        defer { site.stop() }
        let (read, written) = (alice.events(), zoe.events())
        try await alice.rebind()
        try await zoe.chat("Bonjour !")
        try await read.message("Bonjour !")
        try await alice.chat("Bonjour Zoé !")
        try await written.message("Bonjour Zoé !")
        XCTAssertEqual(alice.state.phase, .connected)
        try await zoe.leave()
        try await alice.leave()
        await assertFails(.left) { try await alice.rebind() }
        await assertFails(.left) { _ = try await alice.statistics() }
        await assertFails(.left) { _ = try alice.pinned() }
        await assertFails(.left) { _ = try alice.mixer() }
        await assertFails(.left) { _ = try await alice.cameraEncoded([.av1(width: 320, height: 180)]) }
    }
}
