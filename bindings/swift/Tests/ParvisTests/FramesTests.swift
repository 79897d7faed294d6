import Foundation
import Parvis
import XCTest

/// Many frames each way, and nothing grows.
final class FramesTests: XCTestCase {
    static let frames = 10_000

    func testTenThousandFramesEachWay() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room()
        let alice = try await site.join(link, "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        let bruno = try await site.join(link, "Bruno", as: try site.account("Bruno", email: "bruno@example.org"))
        try await bruno.expect("Bruno is in", \.isConnected)

        let (pictures, sounds) = (try VideoClip(), try AudioClip())
        let camera = try await alice.camera(width: pictures.width, height: pictures.height)
        let microphone = try await alice.microphone()
        let (seen, heard) = (Count(), Count())
        let picture = try bruno.picture(
            of: alice.state.me, source: .camera, target: VideoTarget(width: 320, height: 180))
        let voice = try bruno.voice(of: alice.state.me)
        let watching = Task { for await frame in picture where frame.number != nil { seen.add() } }
        let listening = Task {
            for await sound in voice where sound.samplesPerChannel == AudioClip.frame { heard.add() }
        }

        let start = ContinuousClock.now
        // What every frame needs is allocated by then.
        try await play(1000, pictures, camera, seen, sounds, microphone, heard)
        print("frames: the first 1000 took \(ContinuousClock.now - start)")
        let before = residentBytes()
        try await play(Self.frames, pictures, camera, seen, sounds, microphone, heard)
        let grown = residentBytes() - before
        XCTAssertLessThan(grown, 16 << 20, "\(grown) bytes more after \(Self.frames) frames")
        XCTAssertGreaterThanOrEqual(seen.value, Self.frames)
        XCTAssertGreaterThanOrEqual(heard.value, Self.frames)
        print("frames: \(seen.value) pictures and \(heard.value) of sound, \(grown / 1024) KiB more resident")

        watching.cancel()
        listening.cancel()
        try await bruno.leave()
        try await alice.leave()
    }

    /// Gives frames as fast as they arrive at the other end, until so many more have.
    private func play(
        _ count: Int, _ pictures: VideoClip, _ camera: Camera, _ seen: Count, _ sounds: AudioClip,
        _ microphone: Microphone,
        _ heard: Count
    ) async throws {
        let (seenBefore, heardBefore) = (seen.value, heard.value)
        var (shown, said, still) = (0, 0, 0)
        var arrived = (0, 0)
        while arrived.0 < count || arrived.1 < count {
            // At most a few are on their way.
            if shown - arrived.0 < 4 {
                try pictures.with(shown % pictures.count) { try camera.push($0) }
                shown += 1
            }
            if said - arrived.1 < 8 {
                try sounds.with(said) { try microphone.push($0) }
                said += 1
            }
            try await Task.sleep(for: .milliseconds(1))
            let now = (seen.value - seenBefore, heard.value - heardBefore)
            still = now == arrived ? still + 1 : 0
            arrived = now
            if still == 50 {
                // What was on its way was dropped: others take its place.
                (shown, said, still) = (arrived.0, arrived.1, 0)
            }
        }
    }

    private func residentBytes() -> Int {
        let statm = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (Int(statm.split(separator: " ").dropFirst().first ?? "") ?? 0) * 4096
    }
}

private final class Count: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0
    var value: Int { lock.withLock { count } }
    func add() { lock.withLock { count += 1 } }
}
