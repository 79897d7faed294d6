#if canImport(SwiftUI) && os(iOS)
import AVFoundation
import MeetModels
import Parvis
import ParvisApple

/// The devices of this phone.
@MainActor
public final class PhoneDevices: CaptureDevices {
    private let capture = PhoneCamera()
    private let audio = PhoneAudio()
    private let screenCapture = PhoneScreen()
    private var moving: Task<Void, Never>?

    /// Nothing is captured so far.
    public init() {}

    var cameraSession: AVCaptureSession { capture.session }

    public func startCamera() async throws {
        try await capture.start()
    }

    public func stopCamera() async {
        await capture.stop()
    }

    public func flipCamera() async throws {
        try await capture.flip()
    }

    public func feed(_ camera: Camera?) {
        capture.feed(camera)
    }

    public func startMicrophone(_ microphone: Microphone) async throws {
        try await audio.capture(for: microphone)
    }

    public func stopMicrophone() async {
        audio.stopCapture()
    }

    public func startSpeaker(_ meeting: Meeting) async throws {
        try audio.play(meeting)
    }

    public func stopSpeaker() async {
        audio.stop()
    }

    public func startScreen(_ screen: Screen) async throws {
        try await screenCapture.start(screen)
    }

    public func stopScreen() async {
        await screenCapture.stop()
    }

    public func watchNetwork(_ meeting: Meeting) {
        moving?.cancel()
        moving = Task { await NetworkWatch().move(meeting) }
    }
}
#endif
