#if canImport(AVFoundation) && os(iOS)
import AVFoundation
import Parvis
import UIKit

/// The phone's microphone and speaker, with its own echo cancellation.
///
/// ```swift
/// let audio = PhoneAudio()
/// try await audio.play(meeting)                       // everybody, as they come and go
/// let microphone = try await meeting.microphone(from: PhoneMicrophone(audio))
/// for await event in audio.events() { … }             // other calls, headsets
/// ```
///
/// A headset that comes or goes, and a restart of the system's sound, are gone along with. An interruption stops it. It goes on when
/// the system says so; since that is not sure, also when the app is seen again, and when it is asked to play or capture.
public final class PhoneAudio: @unchecked Sendable {
    /// What happens to the sound from outside.
    public enum Event: Sendable, Equatable {
        /// Another call or app has the sound: mute the microphone, so that others see it.
        case interrupted
        /// It is back, and goes on.
        case resumed
        /// Another route is in use, such as a headset's.
        case routeChanged
    }

    private let listeners = Listeners<Event>()
    private let queue = DispatchQueue(label: "parvis.audio", qos: .userInitiated)
    /// The rest is of the queue alone.
    private var engine: SoundEngine?
    private var take: SoundEngine.Take?
    private var mixer: Mixer?
    private var isLoud = true
    private var isInterrupted = false
    private var activation = Activation.own
    private var observers: [any NSObjectProtocol] = []

    /// Who activates the audio session.
    private enum Activation {
        /// This does.
        case own
        /// CallKit does, and has or has not so far.
        case call(isActive: Bool)
    }

    /// Nothing is captured or played so far.
    public init() {
        observe()
    }

    deinit {
        observers.forEach(NotificationCenter.default.removeObserver)
        mixer?.cancel()
    }

    /// What happens to the sound from here on, until this is released.
    public func events() -> AsyncStream<Event> {
        listeners.stream()
    }

    /// Leaves the activation of the audio session to CallKit, or takes it back: with a call there is sound between
    /// ``CallHooks/Action/audioReady`` and ``CallHooks/Action/audioOver`` only.
    public func followCall(_ follows: Bool) async {
        try? await onQueue { self.activation = follows ? .call(isActive: false) : .own }
    }

    /// Takes what CallKit says of the audio session.
    public func callActivated(_ isActive: Bool) async {
        try? await onQueue {
            self.activation = .call(isActive: isActive)
            if isActive { try self.resume() } else { self.engine = nil }
        }
    }

    /// Plays everybody in a meeting, mixed by the library, until it is over or ``stop()``.
    ///
    /// - Throws: ``ErrorKind/left`` after leaving; ``CaptureError/unavailable(_:)`` if another app, such as a call, has the device.
    public func play(_ meeting: Meeting) async throws {
        let mixer = try meeting.mixer()
        try await onQueue {
            self.mixer?.cancel()
            self.mixer = mixer
            try self.resume()
        }
    }

    /// Captures sound for whatever takes it, such as a level that is shown before the meeting: 48 kHz, one channel.
    ///
    /// - Throws: `ParvisError` of the kind `permissionDenied` if the user does not allow it, ``CaptureError/unavailable(_:)`` if
    ///   another app, such as a call, has the device.
    public func capture(_ take: @escaping @Sendable (UnsafeBufferPointer<Float>) -> Void) async throws {
        guard await AVAudioApplication.requestRecordPermission() else {
            throw ParvisError.notPermitted(.microphone)
        }
        try await onQueue {
            self.take = take
            do {
                try self.resume()
            } catch {
                // Nothing is captured later that nobody asks for any more; playing goes on.
                self.take = nil
                try? self.run()
                throw error
            }
        }
    }

    /// Ends the capture, a moment later; playing goes on.
    public func stopCapture() {
        queue.async {
            self.take = nil
            try? self.run()
        }
    }

    /// Ends capture and playing.
    public func stop() async {
        try? await onQueue {
            self.mixer?.cancel()
            (self.mixer, self.take, self.engine) = (nil, nil, nil)
            if case .own = self.activation {
                try AVAudioSession.sharedInstance().setActive(false, options: .notifyOthersOnDeactivation)
            }
        }
    }

    /// Whether the sound comes out of the loudspeaker or at the ear, where no headset is connected.
    ///
    /// - Throws: ``CaptureError/unavailable(_:)`` if the system has no such route now.
    public func setLoudspeaker(_ on: Bool) async throws {
        try await onQueue {
            self.isLoud = on
            do {
                try self.setCategory()
            } catch {
                throw CaptureError.unavailable(.speaker)
            }
        }
    }

    private func onQueue(_ work: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            queue.async { continuation.resume(with: Result(catching: work)) }
        }
    }
}

/// What runs on the queue.
extension PhoneAudio {
    /// Makes the engine anew for what is wanted: formats change with the route, and voice processing is switched while it stands.
    private func run() throws {
        engine = nil
        guard !isInterrupted, take != nil || mixer != nil else { return }
        let session = AVAudioSession.sharedInstance()
        do {
            try setCategory()
            try session.setPreferredIOBufferDuration(0.01)
            switch activation {
            case .own: try session.setActive(true)
            case .call(isActive: true): break
            case .call(isActive: false): return
            }
            let cycle = Int(session.ioBufferDuration * 48_000)
            let engine = try SoundEngine(capture: take, play: mixer, cycle: cycle)
            try engine.start()
            self.engine = engine
        } catch {
            throw CaptureError.unavailable(take == nil ? .speaker : .microphone)
        }
    }

    /// A call of video is heard in the room, one of voice at the ear: `defaultToSpeaker` leaves no other choice.
    private func setCategory() throws {
        let headsets: AVAudioSession.CategoryOptions = [.allowBluetooth, .allowBluetoothA2DP]
        try AVAudioSession.sharedInstance().setCategory(
            .playAndRecord, mode: isLoud ? .videoChat : .voiceChat,
            options: isLoud ? headsets.union(.defaultToSpeaker) : headsets)
    }

    /// Runs although the system has not said that an interruption is over: it need not.
    private func resume() throws {
        let was = isInterrupted
        isInterrupted = false
        do {
            try run()
        } catch {
            isInterrupted = was
            throw error
        }
        if was { listeners.yield(.resumed) }
    }

    private func observe() {
        func on(_ name: Notification.Name, _ act: @escaping @Sendable (PhoneAudio, Notification) -> Void) {
            let observer = NotificationCenter.default.addObserver(forName: name, object: nil, queue: nil) {
                [weak self] notification in
                guard let self else { return }
                act(self, notification)
            }
            observers.append(observer)
        }
        on(AVAudioSession.interruptionNotification) { audio, notification in
            let info = notification.userInfo ?? [:]
            let began = AVAudioSession.InterruptionType.began.rawValue
            let hasBegun = info[AVAudioSessionInterruptionTypeKey] as? UInt == began
            audio.queue.async { if hasBegun { audio.interrupt() } else { audio.resumeIfInterrupted() } }
        }
        on(UIApplication.didBecomeActiveNotification) { audio, _ in audio.queue.async { audio.resumeIfInterrupted() } }
        on(AVAudioSession.routeChangeNotification) { audio, _ in audio.listeners.yield(.routeChanged) }
        // The engine has stopped by itself: its formats are others.
        on(.AVAudioEngineConfigurationChange) { audio, notification in
            let changed = notification.object.map { ObjectIdentifier($0 as AnyObject) }
            audio.queue.async {
                // The route that comes next begins it again, where this does not.
                if let engine = audio.engine, engine.id == changed { try? audio.run() }
            }
        }
        on(AVAudioSession.mediaServicesWereResetNotification) { audio, _ in audio.queue.async { try? audio.resume() } }
    }

    private func interrupt() {
        guard !isInterrupted else { return }
        isInterrupted = true
        engine = nil
        listeners.yield(.interrupted)
    }

    private func resumeIfInterrupted() {
        // It stays interrupted where another has the sound still.
        if isInterrupted { try? resume() }
    }
}
#endif
