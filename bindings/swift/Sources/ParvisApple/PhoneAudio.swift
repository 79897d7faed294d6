#if canImport(AVFoundation) && os(iOS)
import AVFoundation
import Parvis

/// The phone's microphone and speaker, with its own echo cancellation.
///
/// ```swift
/// let audio = PhoneAudio()
/// try await audio.play(meeting)                       // everybody, as they come and go
/// try await audio.capture(for: meeting.microphone())
/// for await event in audio.events { … }               // other calls, headsets
/// ```
///
/// A headset that comes or goes, and a restart of the system's sound, are gone along with. An interruption stops it, and it goes
/// on when the system says so.
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

    /// What happens to the sound, until this is released.
    public let events: AsyncStream<Event>

    private typealias Take = @Sendable (UnsafeBufferPointer<Float>) -> Void

    private let continuation: AsyncStream<Event>.Continuation
    private let queue = DispatchQueue(label: "parvis.audio", qos: .userInitiated)
    private let playing = Locked<Mixer?>(nil)
    /// The rest is of the queue alone.
    private var engine = AVAudioEngine()
    private var take: Take?
    private var isTapped = false
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
        (events, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(16))
        observe()
    }

    deinit {
        observers.forEach(NotificationCenter.default.removeObserver)
        continuation.finish()
        playing.take()?.cancel()
        engine.stop()
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
            if isActive { try self.run() } else { self.halt() }
        }
    }

    /// Plays everybody in a meeting, mixed by the library, until it is over or ``stop()``.
    ///
    /// - Throws: ``ErrorKind/left`` after leaving; ``CaptureError/unavailable(_:)`` if another app, such as a call, has the device.
    public func play(_ meeting: Meeting) async throws {
        let mixer = try meeting.mixer()
        playing.exchange(mixer)?.cancel()
        try await onQueue { try self.run() }
    }

    /// Captures sound for a meeting's microphone.
    ///
    /// - Throws: ``CaptureError/notPermitted(_:)`` if the user does not allow it.
    public func capture(for microphone: Microphone) async throws {
        // Not while it is muted, and not after the meeting.
        try await capture { try? microphone.push($0) }
    }

    /// Captures sound for whatever takes it, such as a level that is shown before the meeting: 48 kHz, one channel.
    ///
    /// - Throws: ``CaptureError/notPermitted(_:)`` if the user does not allow it.
    public func capture(_ take: @escaping @Sendable (UnsafeBufferPointer<Float>) -> Void) async throws {
        guard await AVAudioApplication.requestRecordPermission() else {
            throw CaptureError.notPermitted(.microphone)
        }
        try await onQueue {
            self.take = take
            try self.run()
        }
    }

    /// Ends the capture; playing goes on.
    public func stopCapture() async {
        try? await onQueue {
            self.take = nil
            // Nothing is left to run when nothing is played either.
            if self.playing.value == nil { self.halt() } else { try self.run() }
        }
    }

    /// Ends capture and playing.
    public func stop() async {
        playing.take()?.cancel()
        try? await onQueue {
            self.take = nil
            self.halt()
            if case .own = self.activation {
                try AVAudioSession.sharedInstance().setActive(false, options: .notifyOthersOnDeactivation)
            }
        }
    }

    /// Whether the sound comes out of the loudspeaker, where no headset is connected.
    ///
    /// - Throws: ``CaptureError/unavailable(_:)`` if the system has no such route now.
    public func setLoudspeaker(_ on: Bool) throws {
        do {
            try AVAudioSession.sharedInstance().overrideOutputAudioPort(on ? .speaker : .none)
        } catch {
            throw CaptureError.unavailable(.speaker)
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
        guard !isInterrupted, take != nil || playing.value != nil else { return }
        let session = AVAudioSession.sharedInstance()
        do {
            try session.setCategory(
                .playAndRecord, mode: .videoChat, options: [.allowBluetooth, .allowBluetoothA2DP, .defaultToSpeaker])
            switch activation {
            case .own: try session.setActive(true)
            case .call(isActive: true): break
            case .call(isActive: false): return
            }
        } catch {
            throw CaptureError.unavailable(.microphone)
        }
        halt()
        engine = AVAudioEngine()
        if let take { try tap(take) }
        if playing.value != nil { connectSource() }
        engine.prepare()
        do {
            try engine.start()
        } catch {
            throw CaptureError.unavailable(.microphone)
        }
    }

    private func halt() {
        engine.stop()
        if isTapped { engine.inputNode.removeTap(onBus: 0) }
        isTapped = false
    }

    private func tap(_ take: @escaping Take) throws {
        let input = engine.inputNode
        try input.setVoiceProcessingEnabled(true)
        guard let converter = SampleConverter(from: input.outputFormat(forBus: 0), channels: 1) else {
            throw CaptureError.unavailable(.microphone)
        }
        input.installTap(onBus: 0, bufferSize: 960, format: converter.input) { buffer, _ in
            converter.convert(buffer, take)
        }
        isTapped = true
    }

    private func connectSource() {
        let format = AVAudioFormat(standardFormatWithSampleRate: 48_000, channels: 1)!
        let node = AVAudioSourceNode(format: format) { [playing] isSilence, _, count, buffers in
            let list = UnsafeMutableAudioBufferListPointer(buffers)
            guard let data = list.first?.mData else { return noErr }
            let samples = UnsafeMutableBufferPointer(
                start: data.assumingMemoryBound(to: Float.self), count: Int(count))
            let isPlayed = (try? playing.value?.fill(samples)) != nil
            if !isPlayed { samples.update(repeating: 0) }
            isSilence.pointee = ObjCBool(!isPlayed)
            return noErr
        }
        engine.attach(node)
        engine.connect(node, to: engine.mainMixerNode, format: format)
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
            let type = (info[AVAudioSessionInterruptionTypeKey] as? UInt)
                .flatMap(AVAudioSession.InterruptionType.init(rawValue:))
            audio.queue.async { audio.interrupted(type == .began) }
        }
        on(AVAudioSession.routeChangeNotification) { audio, _ in audio.continuation.yield(.routeChanged) }
        // The engine has stopped by itself: its formats are others.
        on(.AVAudioEngineConfigurationChange) { audio, notification in
            let changed = notification.object.map { ObjectIdentifier($0 as AnyObject) }
            audio.queue.async {
                guard changed == ObjectIdentifier(audio.engine) else { return }
                audio.runAgain()
            }
        }
        on(AVAudioSession.mediaServicesWereResetNotification) { audio, _ in audio.queue.async { audio.runAgain() } }
    }

    private func interrupted(_ began: Bool) {
        guard isInterrupted != began else { return }
        isInterrupted = began
        if began { halt() } else { runAgain() }
        continuation.yield(began ? .interrupted : .resumed)
    }

    private func runAgain() {
        do {
            try run()
        } catch {
            // The route that comes next begins it again.
        }
    }
}
#endif
