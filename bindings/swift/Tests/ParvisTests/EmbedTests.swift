import Parvis
import XCTest

final class EmbedTests: XCTestCase {
    func testTheLinesJoinSpeakWriteRaiseAHandAndShowWhoeverElseIsThere() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room()
        let alice = try await site.join(link, "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        try await alice.raiseHand()
        let camera = try await alice.camera(width: 320, height: 180, frameRate: 15)
        let filming = try Player(camera: camera)
        let events = alice.events()
        let (shown, show) = AsyncStream.makeStream(of: Int.self)
        let zoe = Task {
            let luma = [UInt8](repeating: 128, count: 1280 * 720).lent()
            let chroma = [UInt8](repeating: 128, count: 640 * 360).lent()
            let sound = [Float](repeating: 0.1, count: 960).lent()
            defer {
                for bytes in [luma, chroma] { bytes.deallocate() }
                sound.deallocate()
            }
            let grey = PlaneBytes(bytes: UnsafeRawBufferPointer(chroma), stride: 640)
            try await embed(
                link, "device-of-zoe", y: PlaneBytes(bytes: UnsafeRawBufferPointer(luma), stride: 1280), u: grey,
                v: grey, samples: UnsafeBufferPointer(sound)
            ) { show.yield($0.width) }
        }
        try await alice.expect("Zoé waits") { !$0.lobby.isEmpty }
        try await alice.admit(.all)
        try await events.message("Bonjour !")
        let state = try await alice.expect("Zoé speaks, is seen and has her hand up") { state in
            let zoe = state.participants.first { $0.id != state.me }
            return state.hands.count == 2 && zoe?.media.microphone == .on && zoe?.media.camera == .on
        }
        XCTAssertEqual(state.participants.count, 2)
        let width = try await within("Alice is shown") { await shown.first { _ in true } }
        XCTAssertEqual(width, 320)
        await filming.stop()
        try await alice.endForAll()
        try await within("the lines end with the meeting") { try await zoe.value }
    }

    func testTheLinesEndWhereAHostDenies() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room()
        let alice = try await site.join(link, "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        let zoe = Task {
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            let plane = PlaneBytes(bytes: none, stride: 0)
            try await embed(
                link, "device-of-zoe", y: plane, u: plane, v: plane, samples: none.bindMemory(to: Float.self)
            ) { _ in }
        }
        try await alice.expect("Zoé waits") { !$0.lobby.isEmpty }
        try await alice.deny(.all)
        try await within("the lines end") { try await zoe.value }
        try await alice.leave()
    }
}

extension Array {
    /// A copy in memory of its own, for the caller to free.
    fileprivate func lent() -> UnsafeMutableBufferPointer<Element> {
        let memory = UnsafeMutableBufferPointer<Element>.allocate(capacity: count)
        _ = memory.initialize(from: self)
        return memory
    }
}
