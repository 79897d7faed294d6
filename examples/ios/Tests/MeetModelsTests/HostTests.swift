import Foundation
import MeetModels
import Parvis
import XCTest

/// Whoever is signed in makes a room, and lets others in.
final class HostTests: XCTestCase {
    @MainActor
    func testAHostMakesARoomAndModeratesIt() async throws {
        let site = try Site()
        defer { site.stop() }
        _ = try site.account("Alice", email: "alice@example.org")
        let (devices, memory) = (NoDevices(), ShortMemory())
        let app = AppModel(devices: devices, accounts: memory, device: "phone")

        await app.signIn(site: "nowhere", email: "alice@example.org", passphrase: "?")
        XCTAssertEqual(app.problem, "This is no address of a site, such as https://meet.example.")
        await app.signIn(site: "http://127.0.0.1:9", email: "alice@example.org", passphrase: "?")
        XCTAssertEqual(app.problem, "The site does not answer. Check your network.")
        XCTAssertNil(app.account)
        await app.signIn(site: site.url + "/", email: "alice@example.org", passphrase: Site.passphrase)
        XCTAssertNil(app.problem)
        XCTAssertEqual(memory.load(), app.account)
        XCTAssertEqual(app.account?.site, site.url)

        await app.makeRoom()
        XCTAssertNil(app.problem)
        (app.form.name, app.form.cameraOn) = ("Alice", false)
        let alice = try await RunningCall.join(app, devices)
        let call = alice.call
        let zoe = try await site.join(app.form.link, "Zoé")
        let id = zoe.state.me
        try await eventually("Alice sees who waits") { @MainActor in call.meeting.state.lobby.map(\.name) == ["Zoé"] }
        XCTAssertTrue(call.meeting.isHost)
        await call.admit(.one(participant: id))
        try await zoe.expect("Zoé is in", \.isConnected)

        let microphone = try await zoe.microphone()
        try await zoe.expect("Zoé is heard") { $0.myself?.media.microphone == .on }
        await call.mute(.all)
        try await zoe.expect("Zoé is muted") { $0.myself?.media.microphone == .muted }
        try await zoe.raiseHand()
        try await eventually("Alice sees the hand") { @MainActor in call.meeting.handPosition(of: id) == 1 }
        await call.lowerHand(of: id)
        try await zoe.expect("the hand is down") { $0.hands == [] }
        await call.pin(id)
        XCTAssertEqual(call.stage.large?.participant, id)
        XCTAssertEqual(try call.meeting.meeting.pinned(), [id])
        await call.pin(nil)
        XCTAssertNil(call.stage.large)

        await call.lock(true)
        try await zoe.expect("the room is locked") { $0.view?.locked == true }
        let bruno = try await site.join(app.form.link, "Bruno")
        try await eventually("Bruno waits") { @MainActor in call.meeting.state.lobby.map(\.name) == ["Bruno"] }
        await call.deny(.all)
        try await bruno.expect("Bruno is denied") { state in
            if case .inLobby(.denied) = state.phase { true } else { false }
        }
        await call.endForAll()
        try await zoe.expect("the meeting is over") { $0.ended == .roomEnded }
        await alice.running.value
        XCTAssertNil(call.problem)
        guard case .over(let ending) = app.place else { return XCTFail("it is not over") }
        XCTAssertEqual(ending.title, "The meeting is over")
        withExtendedLifetime(microphone) {}

        app.startAgain()
        app.signOut()
        XCTAssertNil(memory.load())
    }

    @MainActor
    func testOneWhoWasMutedReadsByWhom() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room("--access", "public")
        let alice = try await site.join(link, "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        let zoe = try await RunningCall.join(link, "Zoé") { $0.cameraOn = false }
        let id = zoe.call.meeting.state.me
        try await alice.expect("Zoé is heard") { $0.participant(id)?.media.microphone == .on }
        try await alice.mute(.one(participant: id))
        let name = alice.state.myself?.name
        try await eventually("Zoé reads by whom") { @MainActor in zoe.call.mutedBy == name && name != nil }
        XCTAssertFalse(zoe.call.isCaptured)
        await zoe.call.setMicrophone(on: true)
        try await alice.expect("Zoé is heard again") { $0.participant(id)?.media.microphone == .on }
        try await eventually("it is read no more") { @MainActor in zoe.call.mutedBy == nil }
        await zoe.leave()
        try await alice.leave()
    }

    @MainActor
    func testThePreviewShowsWhatTheFormSays() async throws {
        let devices = NoDevices()
        let app = AppModel(devices: devices, accounts: ShortMemory(), device: "phone")
        await app.updatePreview()
        XCTAssertEqual(devices.asked, ["camera", "meter"])
        (app.form.cameraOn, app.form.microphoneOn) = (false, false)
        await app.updatePreview()
        XCTAssertEqual(devices.asked.suffix(2), ["no camera", "no microphone"])
        (app.form.cameraOn, devices.refusesCamera) = (true, true)
        await app.updatePreview()
        XCTAssertEqual(app.previewProblem, "This app may not use that device: allow it in the settings.")
    }
}
