import Foundation
import MeetModels
import Parvis
import ParvisApple
import XCTest

/// The app without its screen, on a real meeting.
final class CallModelTests: XCTestCase {
    private static func room(_ site: Site) throws -> String {
        try site.room("--access", "public", "--host-gate", "false")
    }

    @MainActor
    func testACallFromTheFormToItsEnd() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try Self.room(site)
        let zoe = try await RunningCall.join(link, "Zoé")
        let (call, devices, id) = (zoe.call, zoe.devices, zoe.call.meeting.state.me)

        let bruno = try await site.join(link, "Bruno")
        try await bruno.expect("Zoé is there with sound and picture") { state in
            state.participant(id)?.media.microphone == .on && state.participant(id)?.media.camera == .on
        }
        // Others see the camera before it is given pictures.
        try await eventually("the camera is fed") { @MainActor in devices.asked.contains("feed") }
        let before = ["no microphone", "network", "call", "connected", "speaker"]
        XCTAssertEqual(devices.asked, before + ["microphone", "call unmuted", "camera", "feed"])
        XCTAssertNil(call.problem)

        await call.toggleHand()
        try await bruno.expect("Zoé's hand is up") { $0.hands == [id] }
        // Others may see it first.
        try await eventually("Zoé sees it") { @MainActor in call.meeting.state.hands == [id] }
        await call.toggleHand()
        try await bruno.expect("it is down") { $0.hands == [] }

        let events = bruno.events()
        await call.send("Salut !")
        let message = try await events.message("Salut !")
        XCTAssertEqual(message.name, "Zoé")

        await call.setCamera(on: false)
        try await bruno.expect("Zoé's camera is muted") { $0.participant(id)?.media.camera == .muted }
        devices.refusesCamera = true
        await call.setCamera(on: true)
        XCTAssertEqual(call.problem, "This app may not use that device: allow it in the settings.")

        await call.mute(.one(participant: bruno.state.me))
        XCTAssertEqual(call.problem, "Only a host may do that.")

        await call.setLoudspeaker(on: false)
        XCTAssertFalse(call.own.loudspeakerOn)
        XCTAssertNil(call.problem)

        await zoe.leave()
        guard case .over(let ending) = zoe.app.place else { return XCTFail("it is not over") }
        XCTAssertTrue(ending.canRejoin)
        for end in ["no camera", "no microphone", "no speaker", "call over"] {
            XCTAssertTrue(devices.asked.contains(end), "\(end): \(devices.asked)")
        }
        try await bruno.leave()
    }

    @MainActor
    func testWhatThePhoneTakesAwayOthersSee() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try Self.room(site)
        let zoe = try await RunningCall.join(link, "Zoé")
        let (call, devices, id) = (zoe.call, zoe.devices, zoe.call.meeting.state.me)
        let bruno = try await site.join(link, "Bruno")
        func expect(_ what: String, microphone: MediaState, camera: MediaState) async throws {
            try await bruno.expect(what) { state in
                let media = state.participant(id)?.media
                return media?.microphone == microphone && media?.camera == camera
            }
            try await eventually("\(what), as Zoé knows") { @MainActor in
                call.own.microphoneOn == (microphone == .on) && call.own.cameraOn == (camera == .on)
            }
        }
        try await expect("both are on", microphone: .on, camera: .on)
        devices.happen(.soundInterrupted(true))
        try await expect("another call has the sound", microphone: .muted, camera: .on)
        XCTAssertTrue(call.own.isInterrupted)
        devices.happen(.cameraInterrupted(true))
        try await expect("the app is behind", microphone: .muted, camera: .muted)
        devices.happen(.soundInterrupted(false))
        devices.happen(.cameraInterrupted(false))
        try await expect("both are back", microphone: .on, camera: .on)
        XCTAssertFalse(call.own.isInterrupted)

        // What the user muted stays muted.
        await call.setMicrophone(on: false)
        try await expect("Zoé is muted", microphone: .muted, camera: .on)
        devices.happen(.soundInterrupted(true))
        devices.happen(.soundInterrupted(false))
        devices.happen(.cameraInterrupted(true))
        try await expect("the app is behind again", microphone: .muted, camera: .muted)
        devices.happen(.cameraInterrupted(false))
        devices.happen(.callMuted(false))
        try await expect("the phone's button unmutes", microphone: .on, camera: .on)

        devices.happen(.callEnded)
        await zoe.running.value
        guard case .over = zoe.app.place else { return XCTFail("it is not over") }
        try await bruno.leave()
    }

    @MainActor
    func testWhatTheMeetingDoesNotTakeIsNotCaptured() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room("--access", "public")
        let alice = try await site.join(link, "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        try await alice.forbid(.camera, true)
        try await alice.forbid(.screen, true)
        let zoe = try await RunningCall.join(link, "Zoé")
        let (call, devices, id) = (zoe.call, zoe.devices, zoe.call.meeting.state.me)
        func isLast(_ what: String, _ asked: String) async throws {
            try await eventually(what) { @MainActor in devices.asked.last == asked }
        }
        try await isLast("Zoé's camera is refused, and films no more", "no camera")
        XCTAssertTrue(devices.asked.contains("camera"))
        XCTAssertEqual(call.problem, "Only a host may do that.")
        devices.happen(.screenOffered)
        try await isLast("a broadcast is refused, and ends", "no screen")
        XCTAssertFalse(devices.asked.contains("screen"))

        try await alice.forbid(.camera, false)
        try await eventually("Zoé knows it") { @MainActor in call.meeting.state.view?.forbidden.camera == false }
        await call.setCamera(on: true)
        XCTAssertNil(call.problem)
        try await alice.expect("Zoé is seen") { $0.participant(id)?.media.camera == .on }
        try await eventually("Zoé knows that") { @MainActor in call.own.cameraOn }
        XCTAssertEqual(devices.asked.last, "feed")
        try await alice.forbid(.camera, true)
        try await isLast("a host forbids it in mid-call", "no camera")
        XCTAssertFalse(call.own.cameraOn)
        await zoe.leave()
        try await alice.leave()
    }

    @MainActor
    func testATurnedPhoneSendsPicturesOfTheOtherShape() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try Self.room(site)
        let zoe = try await RunningCall.join(link, "Zoé") { $0.microphoneOn = false }
        let (call, devices, id) = (zoe.call, zoe.devices, zoe.call.meeting.state.me)
        let bruno = try await site.join(link, "Bruno")
        try await bruno.expect("Zoé's camera is on") { $0.participant(id)?.media.camera == .on }
        try await eventually("it is fed") { @MainActor in devices.asked.last == "feed" }
        let fed = devices.asked.count
        devices.cameraSize = PictureSize(width: 360, height: 640)
        devices.happen(.cameraTurned)
        try await eventually("another camera is fed") { @MainActor in devices.asked.count == fed + 2 }
        XCTAssertEqual(devices.asked.suffix(2), ["feed nothing", "feed"])
        try await bruno.expect("Zoé's camera is on again") { $0.participant(id)?.media.camera == .on }
        XCTAssertNil(call.problem)

        await call.setScreen(on: true)
        try await bruno.expect("Zoé shares") { $0.participant(id)?.media.screen == .on }
        try await eventually("Zoé knows it") { @MainActor in call.own.screenOn }
        devices.screenSize = PictureSize(width: 180, height: 320)
        devices.happen(.screenOffered)
        try await eventually("the turned screen is captured") { @MainActor in
            devices.asked.filter { $0 == "screen" }.count == 2
        }
        try await bruno.expect("Zoé shares it") { $0.participant(id)?.media.screen == .on }
        try await eventually("Zoé knows that") { @MainActor in call.own.screenOn }
        XCTAssertFalse(devices.asked.contains("no screen"), "the end of the first is not that of the second")
        devices.happen(.screenEnded)
        try await bruno.expect("Zoé shares no more") { $0.participant(id)?.media.screen == .off }
        try await eventually("Zoé knows it") { @MainActor in !call.own.screenOn }
        devices.refusesScreen = true
        await call.setScreen(on: true)
        XCTAssertEqual(call.problem, "This app may not use that device: allow it in the settings.")
        try await bruno.expect("Zoé shares nothing") { $0.participant(id)?.media.screen == .off }

        await call.setBehind(true)
        await call.setBehind(false)
        XCTAssertNil(call.problem)
        await zoe.leave()
        try await bruno.leave()
    }
}
