import Foundation

/// Why a device gives no pictures or sound.
public enum CaptureError: Error, Equatable, Sendable {
    /// A device of this phone.
    public enum Device: String, Sendable {
        case camera, microphone, screen, speaker
    }

    /// The user does not allow it; the app can lead to the settings.
    case notPermitted(Device)
    /// There is none, or another app has it.
    case unavailable(Device)
}

extension CaptureError: LocalizedError {
    public var errorDescription: String? {
        switch self {
        case .notPermitted(let device): "This app may not use the \(device.rawValue): allow it in the settings."
        case .unavailable(let device): "The \(device.rawValue) is not available."
        }
    }
}
