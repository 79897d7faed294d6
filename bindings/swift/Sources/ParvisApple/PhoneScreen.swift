#if canImport(ReplayKit) && os(iOS)
import CoreMedia
import Parvis
import ReplayKit

/// The app's own screen, captured by ReplayKit and shared in a meeting.
///
/// Other apps' screens are captured by a broadcast extension, a process of its own that joins as its app says; it gives
/// what `processSampleBuffer` brings to ``Parvis/Screen``'s `push` in the same way.
public final class PhoneScreen: @unchecked Sendable {
    private let recorder = RPScreenRecorder.shared()

    /// Nothing is captured before ``start(_:)``.
    public init() {}

    /// Asks the user, and gives what is seen to a meeting's screen.
    ///
    /// - Throws: ``CaptureError/notPermitted(_:)`` if the user does not allow it, ``CaptureError/unavailable(_:)`` if the screen
    ///   cannot be captured now.
    public func start(_ screen: Screen) async throws {
        guard recorder.isAvailable else { throw CaptureError.unavailable(.screen) }
        recorder.isMicrophoneEnabled = false
        do {
            try await recorder.startCapture { sample, kind, error in
                guard error == nil, kind == .video, let buffer = CMSampleBufferGetImageBuffer(sample) else { return }
                try? screen.push(buffer)
            }
        } catch let error as NSError
            where error.domain == RPRecordingErrorDomain
            && error.code == RPRecordingErrorCode.userDeclined.rawValue
        {
            throw CaptureError.notPermitted(.screen)
        }
    }

    /// Ends the capture.
    public func stop() async {
        try? await recorder.stopCapture()
    }
}
#endif
