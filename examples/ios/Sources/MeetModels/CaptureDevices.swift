import Parvis

/// Camera, microphone, speaker and screen of a phone, as the models use them; a test has others.
@MainActor
public protocol CaptureDevices: AnyObject {
    /// Captures pictures, for the preview first. Throws if the user does not allow it.
    func startCamera() async throws
    /// Ends the capture.
    func stopCamera() async
    /// Changes between front and back.
    func flipCamera() async throws
    /// Gives pictures to this camera of a meeting; `nil`: to none.
    func feed(_ camera: Camera?)
    /// Captures sound for this microphone. Throws if the user does not allow it.
    func startMicrophone(_ microphone: Microphone) async throws
    /// Ends the capture.
    func stopMicrophone() async
    /// Plays what is heard in a meeting, until it is over or ``stopSpeaker()``.
    func startSpeaker(_ meeting: Meeting) async throws
    /// Ends the playing.
    func stopSpeaker() async
    /// Captures the screen for this one of a meeting. Throws if the user does not allow it.
    func startScreen(_ screen: Screen) async throws
    /// Ends the capture.
    func stopScreen() async
    /// Moves the meeting along when the network changes, as long as it lasts.
    func watchNetwork(_ meeting: Meeting)
}
