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

    func testABarShowsHowLoudOneIsOneself() async throws {
        let (site, alice, zoe) = try await meeting()
        defer { site.stop() }
        let microphone = try await zoe.microphone()
        XCTAssertEqual(try microphone.level(), -127, "nothing was captured")
        let player = try Player(microphone: microphone)
        try await eventually("a level") { try microphone.level() >= -40 }
        XCTAssertLessThanOrEqual(try microphone.level(), 0)
        try await microphone.mute()
        try await eventually("silence") { try microphone.level() <= -127 }
        try await microphone.unmute()
        try await eventually("the level again") { try microphone.level() >= -40 }
        await player.stop()
        try microphone.turnOff()
        await assertFails(.left) { _ = try microphone.level() }
        try await zoe.leave()
        try await alice.leave()
    }

    func testAScreenIsHeardWithItsSound() async throws {
        let (site, alice, zoe) = try await meeting()
        defer { site.stop() }
        let screen = try await zoe.screen(width: 320, height: 180)
        await assertFails(.noSuchTrack) {
            try [Int16](repeating: 0, count: 960).withUnsafeBufferPointer { try screen.pushSound($0) }
        }
        await assertFails(.badArgument) { try await screen.shareSound(channels: 3) }
        try await screen.shareSound(channels: 1)
        try await screen.shareSound(channels: 1)
        let player = try Player(soundOf: screen)
        let sound = try alice.screenSound(of: zoe.state.me)
        let heard = try await within("a second of sound") {
            var heard: [Float] = []
            for await stretch in sound {
                XCTAssertNotNil(stretch.arrived)
                stretch.withSamples { heard.append(contentsOf: $0) }
                if heard.count >= 50 * AudioClip.frame { break }
            }
            return heard
        }
        XCTAssertGreaterThan(decibels(of: 220, over: 3000, in: heard), 20)
        sound.cancel()
        let mixer = try alice.mixer()
        try await hears("the tone, mixed", mixer) { decibels(of: 220, over: 3000, in: $0) > 20 }
        await player.stop()
        try screen.turnOff()
        await assertFails(.left) { try await screen.shareSound() }
        try await zoe.leave()
        try await alice.leave()
    }

    func testAScreenThatTheAppEncodesIsHeardToo() async throws {
        let (site, alice, zoe) = try await meeting()
        defer { site.stop() }
        let screen = try await zoe.screenEncoded([.av1(width: 320, height: 180)])
        await assertFails(.noSuchTrack) {
            try [Float](repeating: 0, count: 960).withUnsafeBufferPointer { try screen.pushSound($0) }
        }
        try await screen.shareSound(channels: 1)
        let player = try Player(soundOf: screen)
        let mixer = try alice.mixer()
        try await hears("the tone", mixer) { decibels(of: 220, over: 3000, in: $0) > 20 }
        await player.stop()
        let camera = try await zoe.cameraEncoded([.av1(width: 320, height: 180)])
        await assertFails(.forbidden) { try await camera.shareSound() }
        try await zoe.leave()
        try await alice.leave()
    }

    func testALayerOfOnesOwnChoiceIsSent() async throws {
        let (site, alice, zoe) = try await meeting()
        defer { site.stop() }
        var options = VideoOptions(width: 640, height: 360, frameRate: 15)
        options.layers = [VideoLayer(halvings: 1, bitrate: 200_000)]
        options.keyInterval = .seconds(1)
        let camera = try await zoe.camera(options)
        XCTAssertEqual(try camera.stats().map(\.track), ["camera/180p"])
        options.layers = [VideoLayer(halvings: -1)]
        await assertFails(.badArgument) { [options] in _ = try await alice.camera(options) }
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
        XCTAssertEqual(picture.layer, "camera/180p")
        let each = (times.last! - times.first!) / 9
        XCTAssertGreaterThan(each, .milliseconds(150), "pictures are \(each) apart")
        let stats = try await alice.stats()
        let received = stats.received.filter { $0.participant == who }
        XCTAssertEqual(received.map(\.stats.track), ["camera/180p"])
        XCTAssertGreaterThan(stats.path?.rtt ?? .zero, .zero)
        let sent = try await zoe.stats().sent
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
        await assertFails(.left) { _ = try await alice.stats() }
        await assertFails(.left) { _ = try alice.pinned() }
        await assertFails(.left) { _ = try alice.mixer() }
        await assertFails(.left) { _ = try await alice.cameraEncoded([.av1(width: 320, height: 180)]) }
    }
}
