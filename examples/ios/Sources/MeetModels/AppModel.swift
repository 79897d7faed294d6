import Foundation
import Observation
import Parvis

/// Where somebody is in the app: at the form, in a meeting or its lobby, or at its end.
@MainActor
@Observable
public final class AppModel {
    /// What fills the screen.
    public enum Place {
        /// The form with the preview.
        case form
        /// A meeting, or its lobby.
        case call(CallModel)
        /// The end of one.
        case over(Ending)
    }

    /// What fills the screen.
    public private(set) var place: Place = .form
    /// What is filled in.
    public var form = JoinForm()
    /// Why joining failed, in words for the user.
    public private(set) var problem: String?
    /// Whether the meeting is being joined.
    public private(set) var isJoining = false
    /// The phone's devices.
    public let devices: any CaptureDevices

    private let device: String

    /// - Parameter device: the stable random id of this phone, from ``deviceID(in:)`` by default.
    public init(devices: any CaptureDevices, device: String = AppModel.deviceID(in: .standard)) {
        self.devices = devices
        self.device = device
    }

    /// The id of this phone that is kept in these defaults; made at the first use.
    public nonisolated static func deviceID(in defaults: UserDefaults) -> String {
        if let kept = defaults.string(forKey: "device") { return kept }
        let made = UUID().uuidString.lowercased()
        defaults.set(made, forKey: "device")
        return made
    }

    /// Takes the link that the app was opened with; one is in a meeting at most.
    public func open(_ url: URL) {
        guard case .call = place else {
            if let link = JoinForm.link(of: url) {
                form.link = link
                place = .form
            }
            return
        }
    }

    /// Joins the meeting of the form.
    public func join() async {
        guard form.isComplete, !isJoining else { return }
        isJoining = true
        problem = nil
        defer { isJoining = false }
        var options = JoinOptions(name: form.trimmed(form.name), device: device)
        options.site = form.hasSite ? nil : form.trimmed(form.site)
        do {
            let meeting = try await Meeting.join(form.trimmed(form.link), options: options)
            let call = CallModel(meeting: meeting, devices: devices, form: form)
            place = .call(call)
        } catch is CancellationError {
            // Who goes back needs no word of it.
        } catch {
            problem = Wording.text(of: error)
        }
    }

    /// The meeting is over for this participant.
    public func end(_ reason: DisconnectReason) {
        place = .over(Ending(reason))
    }

    /// Back to the form.
    public func startAgain() {
        place = .form
        problem = nil
    }
}

/// How a meeting ended, in words for the user.
public struct Ending: Equatable, Sendable {
    /// What happened.
    public let title: String
    /// Whether joining again makes sense.
    public let canRejoin: Bool

    init(_ reason: DisconnectReason) {
        switch reason {
        case .left: (title, canRejoin) = ("You left the meeting", true)
        case .removed: (title, canRejoin) = ("A host removed you from the meeting", false)
        case .roomEnded: (title, canRejoin) = ("The meeting is over", false)
        case .lost: (title, canRejoin) = ("The connection is lost", true)
        }
    }
}
