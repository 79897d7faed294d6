#if canImport(ReplayKit) && os(iOS)
import AVFoundation
import CoreMedia
import Parvis
import ReplayKit
import UIKit

/// The app's own screen, captured by ReplayKit and shared in a meeting.
///
/// ```swift
/// let size = await PhoneScreen.size
/// let phone = PhoneScreen(size)
/// let screen = try await meeting.screen(from: phone, width: size.width, height: size.height)
/// for await _ in phone.ends() { … }               // iOS or the user has ended it
/// ```
///
/// Other apps are captured by a broadcast extension, which is a process of its own: ``BroadcastSender`` there gives its pictures
/// to a ``BroadcastReceiver`` in the app.
public final class PhoneScreen: ScreenCapture, @unchecked Sendable {
    private let listeners = Listeners<Void>(waiting: 1)
    private let recorder = RPScreenRecorder.shared()
    private let size: PictureSize
    private let shared = Locked<SharedScreen?>(nil)
    private let isOpen = Locked(false)

    /// Nothing is captured before ``open()``.
    ///
    /// - Parameter size: that the meeting's screen is turned on with.
    public init(_ size: PictureSize) {
        self.size = size
    }

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

    /// Asks the user, and captures.
    ///
    /// - Throws: `ParvisError` of the kind `permissionDenied` if the user does not allow it, ``CaptureError/unavailable(_:)`` if
    ///   the screen cannot be captured now.
    public func open() async throws {
        guard recorder.isAvailable else { throw CaptureError.unavailable(.screen) }
        recorder.isMicrophoneEnabled = false
        do {
            try await recorder.startCapture { [weak self, shared] sample, kind, error in
                if error != nil {
                    self?.ended()
                } else {
                    shared.value?.take(sample, kind)
                }
            }
        } catch let error as NSError
            where error.domain == RPRecordingErrorDomain
            && error.code == RPRecordingErrorCode.userDeclined.rawValue
        {
            throw ParvisError.notPermitted(.screen)
        } catch {
            throw CaptureError.unavailable(.screen)
        }
        isOpen.exchange(true)
    }

    /// Gives what is seen to a meeting's screen; with black at the sides once the device is turned.
    public func start(_ screen: Screen) {
        shared.exchange(SharedScreen(screen, size))
    }

    /// Ends the capture, a moment later, and lets go of the meeting's screen.
    public func stop() {
        shared.take()?.end()
        guard isOpen.exchange(false) else { return }
        Task { [recorder] in try? await recorder.stopCapture() }
    }

    private func ended() {
        shared.take()?.end()
        if isOpen.exchange(false) { listeners.yield(()) }
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
