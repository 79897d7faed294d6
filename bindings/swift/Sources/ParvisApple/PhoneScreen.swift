#if canImport(ReplayKit) && os(iOS)
import AVFoundation
import CoreMedia
import Parvis
import ReplayKit
import UIKit

/// The app's own screen, captured by ReplayKit and shared in a meeting.
///
/// ```swift
/// let phone = PhoneScreen()
/// let size = await PhoneScreen.size
/// try await phone.start(try await meeting.screen(width: size.width, height: size.height), size: size)
/// for await _ in phone.ends() { … }               // iOS or the user has ended it
/// ```
///
/// Other apps are captured by a broadcast extension, which is a process of its own: ``BroadcastSender`` there gives its pictures
/// to a ``BroadcastReceiver`` in the app.
public final class PhoneScreen: @unchecked Sendable {
    private let listeners = Listeners<Void>(waiting: 1)
    private let recorder = RPScreenRecorder.shared()
    private let shared = Locked<SharedScreen?>(nil)

    /// Nothing is captured before ``start(_:size:)``.
    public init() {}

    /// One for each capture that ends without ``stop()`` from here on, until this is released.
    public func ends() -> AsyncStream<Void> {
        listeners.stream()
    }

    /// What to share a screen as: its shape as the device is held now, 1920 pixels long at most.
    @MainActor public static var size: PictureSize {
        let bounds = UIScreen.main.bounds
        let scale = UIScreen.main.scale
        return PictureSize(width: Int(bounds.width * scale), height: Int(bounds.height * scale))
            .fitting(longerSide: 1920)
    }

    /// Asks the user, and gives what is seen to a meeting's screen; with black at the sides once the device is turned.
    ///
    /// - Parameter size: that the screen was turned on with.
    /// - Throws: ``CaptureError/notPermitted(_:)`` if the user does not allow it, ``CaptureError/unavailable(_:)`` if the screen
    ///   cannot be captured now.
    public func start(_ screen: Screen, size: PictureSize) async throws {
        guard recorder.isAvailable else { throw CaptureError.unavailable(.screen) }
        let shared = SharedScreen(screen, size)
        recorder.isMicrophoneEnabled = false
        do {
            try await recorder.startCapture { [weak self] sample, kind, error in
                if error != nil {
                    self?.ended()
                } else {
                    shared.take(sample, kind)
                }
            }
        } catch let error as NSError
            where error.domain == RPRecordingErrorDomain
            && error.code == RPRecordingErrorCode.userDeclined.rawValue
        {
            throw CaptureError.notPermitted(.screen)
        } catch {
            throw CaptureError.unavailable(.screen)
        }
        self.shared.exchange(shared)
    }

    /// Ends the capture.
    public func stop() async {
        guard let ended = shared.take() else { return }
        try? await recorder.stopCapture()
        ended.end()
    }

    private func ended() {
        guard let ended = shared.take() else { return }
        ended.end()
        listeners.yield(())
    }
}

/// A meeting's screen, as ReplayKit's samples come to it: those of a kind by one thread at a time.
final class SharedScreen: @unchecked Sendable {
    private let screen: Screen
    private let fitter: PictureFitter
    private let stills = Stills()

    init(_ screen: Screen, _ size: PictureSize) {
        self.screen = screen
        fitter = PictureFitter(size)
    }

    func take(_ sample: CMSampleBuffer, _ kind: RPSampleBufferType) {
        guard kind == .video, let buffer = CMSampleBufferGetImageBuffer(sample), let fitted = fitter.fit(buffer) else {
            return
        }
        // Not while it is muted, and not after the meeting.
        nonisolated(unsafe) let picture = fitted
        stills.give { [screen] in try? screen.push(picture) }
    }

    /// Nothing is given any more.
    func end() {
        stills.end()
    }
}
#endif
