import MeetModels
import Parvis

/// A phone without camera, microphone and screen, which notes what it is asked for.
final class NoDevices: CaptureDevices {
    private(set) var asked: [String] = []
    var refusesCamera = false

    func startCamera() async throws {
        asked.append("camera")
        if refusesCamera { throw ParvisError(.permissionDenied, "the user said no") }
    }
    func stopCamera() async { asked.append("no camera") }
    func flipCamera() async throws { asked.append("flip") }
    func feed(_ camera: Camera?) { asked.append(camera == nil ? "feed nothing" : "feed") }
    func startMicrophone(_ microphone: Microphone) async throws { asked.append("microphone") }
    func stopMicrophone() async { asked.append("no microphone") }
    func startSpeaker(_ meeting: Meeting) async throws { asked.append("speaker") }
    func stopSpeaker() async { asked.append("no speaker") }
    func startScreen(_ screen: Screen) async throws { asked.append("screen") }
    func stopScreen() async { asked.append("no screen") }
    func watchNetwork(_ meeting: Meeting) { asked.append("network") }
}
