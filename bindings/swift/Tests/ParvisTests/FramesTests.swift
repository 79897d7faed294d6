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
        _ microphone: Microphone, _ heard: Count
    ) async throws {
        // At most a few of each are on their way.
        var (shown, said) = (OnTheirWay(4, seen), OnTheirWay(8, heard))
        while shown.arrived < count || said.arrived < count {
            if shown.takesAnother() {
                try pictures.with(shown.given % pictures.count) { try camera.push($0) }
            }
            if said.takesAnother() {
                try sounds.with(said.given) { try microphone.push($0) }
            }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    private func residentBytes() -> Int {
        let statm = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (Int(statm.split(separator: " ").dropFirst().first ?? "") ?? 0) * 4096
    }
}

/// Frames that were given and have not arrived.
private struct OnTheirWay {
    private(set) var given = 0
    private(set) var arrived = 0
    private let most: Int
    private let count: Count
    private let before: Int
    private var last = ContinuousClock.now

    init(_ most: Int, _ count: Count) {
        (self.most, self.count, before) = (most, count, count.value)
    }

    /// Whether another one may be given, which counts as given then.
    mutating func takesAnother() -> Bool {
        let now = count.value - before
        if now != arrived {
            (arrived, last) = (now, .now)
        } else if ContinuousClock.now - last > .milliseconds(100) {
            // What was on its way was dropped: others take its place.
            (given, last) = (arrived, .now)
        }
        guard given - arrived < most else { return false }
        given += 1
        return true
    }
}

private final class Count: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0
    var value: Int { lock.withLock { count } }
    func add() { lock.withLock { count += 1 } }
}
