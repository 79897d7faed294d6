#if canImport(AVFoundation) && os(iOS)
import AVFoundation
import Parvis

/// The phone's microphone and speaker, with its own echo cancellation.
///
/// ```swift
/// let audio = PhoneAudio()
/// try audio.play(meeting)                             // everybody, as they come and go
/// try await audio.capture(for: meeting.microphone())
/// ```
public final class PhoneAudio: @unchecked Sendable {
    private let engine = AVAudioEngine()
    private let lock = NSLock()
    private var microphone: Microphone?
    private var source: AVAudioSourceNode?
    private var mixer: Mixer?
    private var isTapped = false

    /// Nothing is captured or played so far.
    public init() {}

    deinit {
        mixer?.cancel()
        engine.stop()
    }

    /// Plays everybody in a meeting, mixed by the library, until it is over or ``stop()``.
    ///
    /// - Throws: ``ErrorKind/left`` after leaving; ``CaptureError/unavailable(_:)`` if another app, such as a call, has the device.
    public func play(_ meeting: Meeting) throws {
        let mixer = try meeting.mixer()
        lock.withLock {
            self.mixer?.cancel()
            self.mixer = mixer
        }
        try prepare()
        if source == nil {
            let format = AVAudioFormat(standardFormatWithSampleRate: 48_000, channels: 1)!
            let node = AVAudioSourceNode(format: format) { [weak self] isSilence, _, count, buffers in
                let list = UnsafeMutableAudioBufferListPointer(buffers)
                guard let data = list.first?.mData else { return noErr }
                let samples = UnsafeMutableBufferPointer(
                    start: data.assumingMemoryBound(to: Float.self), count: Int(count))
                let isPlayed = self?.fill(samples) ?? false
                if !isPlayed { samples.update(repeating: 0) }
                isSilence.pointee = ObjCBool(!isPlayed)
                return noErr
            }
            engine.attach(node)
            engine.connect(node, to: engine.mainMixerNode, format: format)
            source = node
        }
        try run()
    }

    /// Whether there is a meeting to play.
    private func fill(_ samples: UnsafeMutableBufferPointer<Float>) -> Bool {
        guard let mixer = lock.withLock({ mixer }) else { return false }
        return (try? mixer.fill(samples)) != nil
    }

    /// Captures sound for a meeting's microphone.
    ///
    /// - Throws: ``CaptureError/notPermitted(_:)`` if the user does not allow it.
    public func capture(for microphone: Microphone) async throws {
        guard await AVAudioApplication.requestRecordPermission() else {
            throw CaptureError.notPermitted(.microphone)
        }
        lock.withLock { self.microphone = microphone }
        try prepare()
        if !isTapped {
            let input = engine.inputNode
            try input.setVoiceProcessingEnabled(true)
            let from = input.outputFormat(forBus: 0)
            let to = AVAudioFormat(standardFormatWithSampleRate: 48_000, channels: 1)!
            guard let converter = AVAudioConverter(from: from, to: to) else {
                throw CaptureError.unavailable(.microphone)
            }
            input.installTap(onBus: 0, bufferSize: 960, format: from) { [weak self] buffer, _ in
                self?.push(buffer, by: converter, as: to)
            }
            isTapped = true
        }
        try run()
    }

    /// Ends the capture; playing goes on.
    public func stopCapture() {
        lock.withLock { microphone = nil }
        if isTapped {
            engine.inputNode.removeTap(onBus: 0)
            isTapped = false
        }
    }

    /// Ends capture and playing.
    public func stop() {
        stopCapture()
        lock.withLock {
            mixer?.cancel()
            mixer = nil
        }
        engine.stop()
        try? AVAudioSession.sharedInstance().setActive(false, options: .notifyOthersOnDeactivation)
    }

    private func prepare() throws {
        let session = AVAudioSession.sharedInstance()
        do {
            try session.setCategory(
                .playAndRecord, mode: .videoChat, options: [.allowBluetooth, .allowBluetoothA2DP, .defaultToSpeaker])
            try session.setActive(true)
        } catch {
            throw CaptureError.unavailable(.microphone)
        }
    }

    private func run() throws {
        guard !engine.isRunning else { return }
        engine.prepare()
        try engine.start()
    }

    private func push(_ buffer: AVAudioPCMBuffer, by converter: AVAudioConverter, as format: AVAudioFormat) {
        guard let microphone = lock.withLock({ microphone }) else { return }
        let ratio = format.sampleRate / buffer.format.sampleRate
        let capacity = AVAudioFrameCount((Double(buffer.frameLength) * ratio).rounded(.up)) + 16
        guard let converted = AVAudioPCMBuffer(pcmFormat: format, frameCapacity: capacity) else { return }
        var given = false
        var error: NSError?
        converter.convert(to: converted, error: &error) { _, status in
            status.pointee = given ? .noDataNow : .haveData
            defer { given = true }
            return given ? nil : buffer
        }
        guard error == nil, let samples = converted.floatChannelData?[0] else { return }
        try? microphone.push(UnsafeBufferPointer(start: samples, count: Int(converted.frameLength)))
    }
}
#endif
