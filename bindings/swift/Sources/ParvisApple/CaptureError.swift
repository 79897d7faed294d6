import Foundation
import Parvis

/// Why a device gives no pictures or sound, although the user allows it.
public enum CaptureError: Error, Equatable, Sendable {
    /// A device of this phone.
    public enum Device: String, Sendable {
        case camera, microphone, screen, speaker
    }

    /// There is none, or another app has it.
    case unavailable(Device)
}

extension CaptureError: LocalizedError {
    public var errorDescription: String? {
        switch self {
        case .unavailable(let device): "The \(device.rawValue) is not available."
        }
    }
}

extension ParvisError {
    /// The user does not allow it; the app can lead to the settings.
    static func notPermitted(_ device: CaptureError.Device) -> ParvisError {
        ParvisError(.permissionDenied, "the user does not allow the \(device.rawValue)")
    }
}
