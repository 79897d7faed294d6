import Foundation
import MeetModels
import Parvis
import ParvisApple

/// A phone without camera, microphone and screen, which notes what it is asked for, and to which happens what a test says.
final class NoDevices: CaptureDevices {
    private(set) var asked: [String] = []
    var refusesCamera = false
    var refusesScreen = false
    var cameraSize = PictureSize(width: 640, height: 360)
    var screenSize = PictureSize(width: 320, height: 180)
    private var happens: AsyncStream<DeviceEvent>.Continuation?

    /// Has something happen.
    func happen(_ event: DeviceEvent) {
        happens?.yield(event)
    }

    func events() -> AsyncStream<DeviceEvent> {
        let (events, happens) = AsyncStream.makeStream(of: DeviceEvent.self)
        self.happens = happens
        return events
    }

    func startCamera() async throws {
        asked.append("camera")
        if refusesCamera { throw ParvisError(.permissionDenied, "the user said no") }
    }
    func stopCamera() async { asked.append("no camera") }
    func flipCamera() async throws { asked.append("flip") }
    func feed(_ camera: Camera?) { asked.append(camera == nil ? "feed nothing" : "feed") }
    func startMeter(_ meter: LevelMeter) async throws { asked.append("meter") }
    func startMicrophone(_ microphone: Microphone) async throws { asked.append("microphone") }
    func stopMicrophone() async { asked.append("no microphone") }
    func startSpeaker(_ meeting: Meeting) async throws { asked.append("speaker") }
    func setLoudspeaker(_ on: Bool) async throws { asked.append(on ? "loudspeaker" : "ear") }
    func stopSpeaker() async { asked.append("no speaker") }
    func startScreen(_ screen: Screen, size: PictureSize) async throws {
        asked.append("screen")
        if refusesScreen { throw ParvisError(.permissionDenied, "the user said no") }
    }
    func stopScreen() async { asked.append("no screen") }
    func beginCall(_ title: String) async { asked.append("call") }
    func callConnected() { asked.append("connected") }
    func callMuted(_ muted: Bool) async { asked.append(muted ? "call muted" : "call unmuted") }
    func endCall(lost: Bool) { asked.append(lost ? "call lost" : "call over") }
    func watchNetwork(_ meeting: Meeting) { asked.append("network") }
}

/// Keeps an account as long as the test runs.
final class ShortMemory: AccountStore, @unchecked Sendable {
    private let lock = NSLock()
    private var account: Account?

    func load() -> Account? { lock.withLock { account } }
    func save(_ account: Account?) { lock.withLock { self.account = account } }
}
