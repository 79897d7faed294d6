import Parvis
import ParvisApple

/// Camera, microphone, speaker and screen of a phone, and the phone's own call, as the models use them; a test has others.
@MainActor
public protocol CaptureDevices: AnyObject {
    /// What happens to the devices from outside, from here on.
    func events() -> AsyncStream<DeviceEvent>

    /// Captures pictures, for the preview first. Throws if the user does not allow it.
    func startCamera() async throws
    /// How large pictures are as the phone is held; known once it captures.
    var cameraSize: PictureSize { get }
    /// Ends the capture.
    func stopCamera() async
    /// Changes between front and back.
    func flipCamera() async throws
    /// Gives pictures to this camera of a meeting; `nil`: to none.
    func feed(_ camera: Camera?)

    /// Captures sound for this meter, before a meeting. Throws if the user does not allow it.
    func startMeter(_ meter: LevelMeter) async throws
    /// Captures sound for this microphone. Throws if the user does not allow it.
    func startMicrophone(_ microphone: Microphone) async throws
    /// Ends either capture.
    func stopMicrophone() async
    /// Plays what is heard in a meeting, until it is over or ``stopSpeaker()``.
    func startSpeaker(_ meeting: Meeting) async throws
    /// Whether it is heard in the room, not at the ear.
    func setLoudspeaker(_ on: Bool) async throws
    /// Ends the playing.
    func stopSpeaker() async

    /// How large the screen is to be shared.
    var screenSize: PictureSize { get }
    /// Captures the screen for this one of a meeting, of that size. Throws if the user does not allow it.
    func startScreen(_ screen: Screen, size: PictureSize) async throws
    /// Ends the capture.
    func stopScreen() async

    /// Makes the meeting a call of the phone, which other calls interrupt.
    func beginCall(_ title: String) async
    /// Tells the phone that one is in.
    func callConnected()
    /// Tells the phone that the user muted the microphone in the app, or did no longer.
    func callMuted(_ muted: Bool) async
    /// Tells the phone that it is over.
    func endCall(lost: Bool)
    /// Moves the meeting along when the network changes, as long as it lasts.
    func watchNetwork(_ meeting: Meeting)
}

/// What happens to a phone's devices from outside.
public enum DeviceEvent: Sendable, Equatable {
    /// The camera has pictures of another size, since the phone was turned.
    case cameraTurned
    /// The camera has no pictures, as in the background, or has them again.
    case cameraInterrupted(Bool)
    /// Another call has the sound, or it is back.
    case soundInterrupted(Bool)
    /// A broadcast of the whole screen begins, or has pictures of another size: the screen is shared anew.
    case screenOffered
    /// iOS or the user ended the capture of the screen.
    case screenEnded
    /// The phone's own button muted the microphone, or did no longer.
    case callMuted(Bool)
    /// The phone's own button ended the call.
    case callEnded
}
