import Foundation
import MeetModels
import Parvis
import XCTest

/// A call from the form on, and the task that runs it.
@MainActor
struct RunningCall {
    let app: AppModel
    let call: CallModel
    let devices: NoDevices
    let running: Task<Void, Never>

    /// Joins as the form says; with an account if one is signed in.
    static func join(
        _ link: String, _ name: String, form: (inout JoinForm) -> Void = { _ in }
    ) async throws -> RunningCall {
        let devices = NoDevices()
        let app = AppModel(devices: devices, accounts: ShortMemory(), device: "phone")
        (app.form.name, app.form.link) = (name, link)
        form(&app.form)
        return try await join(app, devices)
    }

    static func join(_ app: AppModel, _ devices: NoDevices) async throws -> RunningCall {
        await app.join()
        guard case .call(let call) = app.place else { throw NotInACall(why: app.problem ?? "nobody says why") }
        return RunningCall(
            app: app, call: call, devices: devices, running: Task { app.end(await call.run()) })
    }

    /// Leaves, and waits for the end.
    func leave() async {
        await call.leave()
        await running.value
    }
}

struct NotInACall: Error {
    let why: String
}
