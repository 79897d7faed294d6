import Foundation
import Parvis
import XCTest

/// What goes wrong is a typed error.
final class BadInputTests: XCTestCase {
    nonisolated(unsafe) private static var site: Site?

    override class func tearDown() {
        site?.stop()
        site = nil
    }

    private func site() throws -> Site {
        if let site = Self.site { return site }
        let made = try Site()
        Self.site = made
        return made
    }

    /// A public room, and Alice in it.
    private func alice() async throws -> (Site, String, Meeting) {
        let site = try site()
        let link = try site.room()
        let alice = try await site.join(link, "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        return (site, link, alice)
    }

    func testALinkThatIsNone() async throws {
        for link in ["", "abc", "https://meet.example/", "https://meet.example/abc-defg-hi", "🙂🙂🙂-🙂🙂🙂🙂-🙂🙂🙂"] {
            await assertFails(.badCode) {
                _ = try await Meeting.join(link, options: JoinOptions(name: "Zoé", device: "device"))
            }
            await assertFails(.badCode) { _ = try Meeting.roomCode(of: link) }
        }
        XCTAssertEqual(try Meeting.roomCode(of: "https://meet.example/ABCdefgHIJ?x=1"), "abc-defg-hij")
        XCTAssertNotNil(Meeting.version.wholeMatch(of: /[0-9]+\.[0-9]+\.[0-9]+/), Meeting.version)
    }

    func testABareCodeWithoutASite() async throws {
        await assertFails(.noSite) {
            _ = try await Meeting.join("abc-defg-hij", options: JoinOptions(name: "Zoé", device: "device"))
        }
    }

    func testANameThatIsNone() async throws {
        let link = try site().room()
        for name in ["", "   ", String(repeating: "x", count: 51)] {
            await assertFails(.badName) {
                _ = try await Meeting.join(link, options: JoinOptions(name: name, device: "device"))
            }
        }
    }

    func testAHostWhoDenies() async throws {
        let (site, link, alice) = try await alice()
        let guest = try await site.join(link, "Chloé")
        try await alice.expect("Chloé waits") { !$0.lobby.isEmpty }
        try await alice.deny(.all)
        let state = try await guest.expect("Chloé is denied") { state in
            if case .inLobby(.denied) = state.phase { true } else { false }
        }
        guard case .inLobby(.denied(let pause)) = state.phase else { return XCTFail("\(state.phase)") }
        XCTAssertGreaterThan(pause ?? 0, 0)
        XCTAssertTrue(state.isTurnedAway)
        XCTAssertFalse(alice.state.isTurnedAway)
        let error = await assertFails(.denied) { try await guest.knock() }
        XCTAssertNotNil(error?.retryAfter)
        try await guest.leave()
        try await alice.leave()
    }

    func testNoPermissionForTheMicrophone() async throws {
        let (_, _, alice) = try await alice()
        let capture = FakeCapture(open: { throw ParvisError(.permissionDenied, "the user said no") })
        let error = await assertFails(.permissionDenied) { _ = try await alice.microphone(from: capture) }
        XCTAssertEqual(error?.reason, "the user said no")
        XCTAssertEqual(alice.state.myself?.media.microphone, .off)
        // Nothing was published: another capture may be.
        let allowed = FakeCapture()
        let microphone = try await alice.microphone(from: allowed)
        XCTAssertEqual(allowed.calls, ["open", "start"])
        try microphone.turnOff()
        XCTAssertEqual(allowed.calls, ["open", "start", "stop"])
        try await alice.leave()
    }

    func testACaptureThatThrowsSomethingElse() async throws {
        struct Bug: Error {}
        let (_, _, alice) = try await alice()
        await assertFails(.callback) { _ = try await alice.microphone(from: FakeCapture(open: { throw Bug() })) }
        let capture = FakeCapture(start: { throw Bug() })
        await assertFails(.callback) { _ = try await alice.microphone(from: capture) }
        XCTAssertEqual(capture.calls, ["open", "start", "stop"])
        let stubborn = FakeCapture(stop: { throw Bug() })
        let microphone = try await alice.microphone(from: stubborn)
        await assertFails(.callback) { try microphone.turnOff() }
        await assertFails(.left) { try microphone.turnOff() }
        try await alice.leave()
    }

    func testPicturesAndSoundOfAnotherShape() async throws {
        let (_, _, alice) = try await alice()
        let camera = try await alice.camera(width: 320, height: 180)
        let luma = [UInt8](repeating: 128, count: 640 * 360)
        await assertFails(.badFrame) { try luma.withPicture(640, 360) { try camera.push($0) } }
        await assertFails(.badFrame) { try luma.withPicture(320, 180, short: 1) { try camera.push($0) } }
        await assertFails(.badFrame) { try luma.withPicture(320, 180) { try camera.push($0, rotation: .clockwise) } }
        await assertFails(.badFrame) {
            try luma.withPicture(320, 180) { whole in
                let v = PlaneBytes(bytes: whole.v.bytes, stride: whole.v.stride + 1)
                try camera.push(I420Picture(width: 320, height: 180, y: whole.y, u: whole.u, v: v))
            }
        }
        try luma.withPicture(180, 320) { try camera.push($0, rotation: .clockwise) }
        try luma.withPicture(320, 180) { try camera.push($0) }
        await assertFails(.badArgument) { _ = try await alice.microphone(channels: 3) }
        let microphone = try await alice.microphone(channels: 2)
        await assertFails(.badFrame) {
            try [Float](repeating: 0, count: 961).withUnsafeBufferPointer { try microphone.push($0) }
        }
        await assertFails(.trackExists) { _ = try await alice.microphone() }
        try await alice.leave()
    }

    func testMessagesThatAreNone() async throws {
        let (_, _, alice) = try await alice()
        await assertFails(.empty) { try await alice.chat(" \n ") }
        await assertFails(.tooLong) { try await alice.chat(String(repeating: "x", count: 2001)) }
        await assertFails(.notPresent) { try await alice.mute(.one(participant: "pnobody")) }
        await assertFails(.badArgument) { try await alice.mute(.one(participant: "not an id / at all")) }
        try await alice.leave()
    }

    func testAfterLeavingEverythingIsLeft() async throws {
        let (_, _, alice) = try await alice()
        let (states, events) = (alice.states(), alice.events())
        let microphone = try await alice.microphone()
        let voice = try alice.voice(of: "psomebody")
        let (sound, data) = (try alice.screenSound(of: "psomebody"), try alice.data(on: "cursor"))
        try await alice.leave()
        await assertFails(.left) { try await alice.leave() }
        await assertFails(.left) { try await alice.chat("Encore ?") }
        await assertFails(.left) { _ = try await alice.history() }
        await assertFails(.left) { _ = try await alice.camera(width: 320, height: 180) }
        await assertFails(.left) { _ = try alice.picture(of: "psomebody", source: .camera, target: .hidden) }
        await assertFails(.left) { try alice.setReceive(.audioOnly) }
        await assertFails(.left) { try await alice.sendData(Data([1]), on: "cursor") }
        await assertFails(.left) { _ = try alice.data(on: "cursor") }
        await assertFails(.left) { _ = try alice.screenSound(of: "psomebody") }
        await assertFails(.left) { _ = try microphone.level() }
        await assertFails(.left) { try await microphone.unmute() }
        await assertFails(.left) {
            try [Float](repeating: 0, count: 960).withUnsafeBufferPointer { try microphone.push($0) }
        }
        XCTAssertEqual(alice.state.ended, .left)
        let last = try await within("the states end") {
            await states.reduce(into: MeetingState?.none) { $0 = $1 }
        }
        XCTAssertEqual(last?.ended, .left)
        try await within("the events end") { for await _ in events {} }
        for one in [voice, sound] {
            let heard = try await within("the voice ends") { await one.next() }
            XCTAssertNil(heard)
        }
        try await within("the data end") { for await _ in data {} }
    }
}

extension [UInt8] {
    /// Lends the bytes as a grey picture of that size, whose luma lacks some bytes at its end.
    fileprivate func withPicture(_ width: Int, _ height: Int, short: Int = 0, _ use: (I420Picture) throws -> Void)
        rethrows
    {
        try withUnsafeBytes { bytes in
            func plane(_ width: Int, _ height: Int) -> PlaneBytes {
                PlaneBytes(bytes: UnsafeRawBufferPointer(rebasing: bytes[..<(width * height - short)]), stride: width)
            }
            let chroma = plane(width / 2, height / 2 + (short > 0 ? 1 : 0))
            try use(I420Picture(width: width, height: height, y: plane(width, height), u: chroma, v: chroma))
        }
    }
}
