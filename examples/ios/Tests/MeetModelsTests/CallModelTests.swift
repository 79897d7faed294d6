import Foundation
import MeetModels
import Parvis
import XCTest

/// The app without its screen, on a real meeting.
final class CallModelTests: XCTestCase {
    @MainActor
    func testACallFromTheFormToItsEnd() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room("--access", "public", "--host-gate", "false")
        let devices = NoDevices()
        let app = AppModel(devices: devices, device: "phone")
        (app.form.name, app.form.link) = ("Zoé", link)
        await app.join()
        guard case .call(let call) = app.place else { return XCTFail(app.problem ?? "it is not in a call") }
        let running = Task { app.end(await call.run()) }

        let bruno = try await site.join(link, "Bruno")
        let zoe = call.meeting.state.me
        try await bruno.expect("Zoé is there with sound and picture") { state in
            state.participant(zoe)?.media.microphone == .on && state.participant(zoe)?.media.camera == .on
        }
        // Others see the camera before it is given pictures.
        try await within("the camera is fed") { @MainActor in
            while !devices.asked.contains("feed"), !Task.isCancelled { await Task.yield() }
        }
        XCTAssertEqual(devices.asked.prefix(5), ["network", "speaker", "microphone", "camera", "feed"])
        XCTAssertNil(call.problem)

        await call.toggleHand()
        try await bruno.expect("Zoé's hand is up") { $0.hands == [zoe] }
        // Others may see it first.
        try await within("Zoé sees it") { @MainActor in
            while call.meeting.state.hands != [zoe], !Task.isCancelled { await Task.yield() }
        }
        await call.toggleHand()
        try await bruno.expect("it is down") { $0.hands == [] }

        let events = bruno.events()
        await call.send("Salut !")
        let message = try await events.message("Salut !")
        XCTAssertEqual(message.name, "Zoé")

        await call.setCamera(on: false)
        try await bruno.expect("Zoé's camera is muted") { $0.participant(zoe)?.media.camera == .muted }
        devices.refusesCamera = true
        await call.setCamera(on: true)
        XCTAssertEqual(call.problem, "This app may not use that device: allow it in the settings.")

        await call.mute(bruno.state.me)
        XCTAssertEqual(call.problem, "Only a host may do that.")

        await call.leave()
        await running.value
        guard case .over(let ending) = app.place else { return XCTFail("it is not over") }
        XCTAssertTrue(ending.canRejoin)
        XCTAssertTrue(devices.asked.contains("no camera") && devices.asked.contains("no speaker"))
        try await bruno.leave()
    }
}
