import Foundation
import Parvis
import XCTest

/// Cameras and screens of the app, and pictures as phones have them.
final class CaptureTests: XCTestCase {
    nonisolated(unsafe) private static var site: Site?

    override class func tearDown() {
        site?.stop()
        site = nil
    }

    /// Zoé shows, Alice sees.
    private func meeting() async throws -> (Meeting, Meeting) {
        let site = try Self.site ?? Site()
        Self.site = site
        let link = try site.room("--access", "public", "--host-gate", "false")
        let (alice, zoe) = (try await site.join(link, "Alice"), try await site.join(link, "Zoé"))
        for meeting in [alice, zoe] {
            try await meeting.expect("both are in") { $0.isConnected && $0.participants.count == 2 }
        }
        return (alice, zoe)
    }

    func testWhatTheAppsCameraAndScreenCaptureIsSeenUntilTheyAreTurnedOff() async throws {
        let (alice, zoe) = try await meeting()
        let (camera, screen) = (FakePictures(), FakePictures())
        let shown = [
            try await zoe.camera(from: camera, width: 320, height: 180, frameRate: 15),
            try await zoe.screen(from: screen, width: 320, height: 180),
        ]
        for (source, sent) in [(Source.camera, camera), (.screen, screen)] {
            XCTAssertEqual(sent.calls, ["open", "start"])
            let target = VideoTarget(width: 320, height: 180)
            let picture = try alice.picture(of: zoe.state.me, source: source, target: target)
            let frame = try await within("a picture") { await picture.next() }
            assertShows(NV12Clip(width: 320, height: 180), frame)
        }
        for source in shown { try source.turnOff() }
        for sent in [camera, screen] { XCTAssertEqual(sent.calls, ["open", "start", "stop"]) }
        try await alice.expect("both are off") { state in
            let media = state.participant(zoe.state.me)?.media
            return media?.camera == .off && media?.screen == .off
        }
        await assertFails(.left) { try shown[0].turnOff() }
        try await zoe.leave()
        try await alice.leave()
    }

    func testNoPermissionForTheCameraAndTheScreen() async throws {
        let (alice, zoe) = try await meeting()
        let refused = FakePictures(open: { throw ParvisError(.permissionDenied, "the user said no") })
        let options = VideoOptions(width: 320, height: 180)
        let errors = [
            await assertFails(.permissionDenied) { _ = try await zoe.camera(from: refused, options) },
            await assertFails(.permissionDenied) { _ = try await zoe.screen(from: refused, options) },
        ]
        XCTAssertEqual(errors.map { $0?.reason }, ["the user said no", "the user said no"])
        XCTAssertEqual(refused.calls, ["open", "stop", "open", "stop"])
        XCTAssertEqual(zoe.state.myself?.media.camera, .off)
        let allowed = FakePictures()
        let camera: Camera? = try await zoe.camera(from: allowed, options)
        XCTAssertEqual(allowed.calls, ["open", "start"])
        withExtendedLifetime(camera) {}
        try await zoe.leave()
        try await alice.leave()
    }

    func testTheEndOfTheMeetingStopsWhatIsCaptured() async throws {
        let (alice, zoe) = try await meeting()
        let (sound, pictures) = (FakeCapture(), FakePictures())
        let (microphone, camera) = (
            try await alice.microphone(from: sound), try await alice.camera(from: pictures, width: 320, height: 180)
        )
        try await alice.leave()
        XCTAssertEqual(sound.calls, ["open", "start", "stop"])
        XCTAssertEqual(pictures.calls, ["open", "start", "stop"])
        try microphone.turnOff()
        try camera.turnOff()
        XCTAssertEqual(sound.calls + pictures.calls, ["open", "start", "stop", "open", "start", "stop"], "once")

        let site = try XCTUnwrap(Self.site)
        let link = try site.room("--access", "public")
        let host = try await site.join(link, "Host", as: site.administrator)
        try await host.expect("the host is in", \.isConnected)
        let bruno = try await site.join(link, "Bruno")
        try await bruno.expect("Bruno is in", \.isConnected)
        let (brunos, shown) = (FakeCapture(), try await bruno.camera(width: 320, height: 180))
        let heard = try await bruno.microphone(from: brunos)
        try await host.endForAll()
        try await bruno.expect("it is over") { $0.ended == .roomEnded }
        try await eventually("Bruno's capture is stopped") { brunos.calls == ["open", "start", "stop"] }
        await assertFails(.left) { try NV12Clip(width: 320, height: 180).with { try shown.push($0) } }
        await assertFails(.left) {
            try [Float](repeating: 0, count: 960).withUnsafeBufferPointer { try heard.push($0) }
        }
        try await zoe.leave()
    }

    func testPicturesOfTwoPlanesComeAndGo() async throws {
        let (alice, zoe) = try await meeting()
        // The differences of odd sizes have a last column and row of their own.
        let clip = NV12Clip(width: 319, height: 179)
        let camera = try await zoe.camera(width: 319, height: 179, frameRate: 15)
        await assertFails(.badFrame) { try clip.with { try camera.push($0, rotation: .clockwise) } }
        let target = VideoTarget(width: 320, height: 180)
        let picture = try alice.picture(of: zoe.state.me, source: .camera, target: target)
        let filming = Task {
            while !Task.isCancelled {
                try clip.with { try camera.push($0) }
                try await Task.sleep(for: .milliseconds(66))
            }
        }
        let frame = try await within("a picture") { await picture.next() }
        filming.cancel()
        assertShows(clip, frame)
        try await zoe.leave()
        try await alice.leave()
    }

    /// Asserts that a picture that came is that one, its planes copied as Apple's systems show them.
    private func assertShows(_ clip: NV12Clip, _ frame: VideoFrame?, line: UInt = #line) {
        guard let frame else { return XCTFail("there is none", line: line) }
        // It is sent in an even size.
        XCTAssertEqual([frame.width, frame.height], [clip.width & ~1, clip.height & ~1], line: line)
        let (columns, rows, margin) = ((frame.width + 1) / 2, (frame.height + 1) / 2, 5)
        let (yStride, uvStride) = (frame.width + margin, 2 * columns + margin)
        var y = [UInt8](repeating: 1, count: yStride * frame.height)
        var uv = [UInt8](repeating: 1, count: uvStride * rows)
        y.withUnsafeMutableBytes { y in
            uv.withUnsafeMutableBytes { frame.copyNV12(y: y, yStride: yStride, uv: $0, uvStride: uvStride) }
        }
        func isNear(_ value: UInt8, _ wanted: UInt8) -> Bool { abs(Int(value) - Int(wanted)) < 12 }
        for row in [0, frame.height / 2, frame.height - 1] {
            for column in [0, frame.width / 3, frame.width - 1] {
                let value = y[row * yStride + column]
                XCTAssertTrue(isNear(value, clip.luma(at: column)), "\(value) at \(column), \(row)", line: line)
            }
            XCTAssertEqual(y[row * yStride + frame.width], 1, "between the rows", line: line)
        }
        for row in [0, rows / 2, rows - 1] {
            for column in [0, columns / 3, columns - 1] {
                let at = row * uvStride + 2 * column
                XCTAssertTrue(isNear(uv[at], NV12Clip.blue), "\(uv[at]) blue at \(column), \(row)", line: line)
                XCTAssertTrue(isNear(uv[at + 1], NV12Clip.red), "\(uv[at + 1]) red at \(column), \(row)", line: line)
            }
            XCTAssertEqual(uv[row * uvStride + 2 * columns], 1, "between the rows", line: line)
        }
    }
}
