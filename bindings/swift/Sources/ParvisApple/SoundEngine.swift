#if canImport(AVFoundation) && os(iOS)
import AVFoundation
import Parvis

/// An engine of the system for one route: what it captures and what it plays goes by rings, since its own threads may neither
/// wait nor allocate.
final class SoundEngine {
    /// What takes the samples of the microphone: 48 kHz, one channel.
    typealias Take = @Sendable (UnsafeBufferPointer<Float>) -> Void

    private let engine = AVAudioEngine()
    private let queue = DispatchQueue(label: "parvis.sound", qos: .userInteractive)
    private var sources: [any DispatchSourceUserDataAdd] = []

    /// Stands still so far.
    ///
    /// - Parameters:
    ///   - take: `nil`: nothing is captured.
    ///   - mixer: `nil`: nothing is played.
    ///   - cycle: samples of 48 kHz that the device takes at a time.
    init(capture take: Take?, play mixer: Mixer?, cycle: Int) throws {
        if let take { try capture(take) }
        if let mixer { play(mixer, cycle) }
    }

    deinit {
        engine.stop()
        for source in sources { source.cancel() }
    }

    /// Begins.
    func start() throws {
        engine.prepare()
        try engine.start()
    }

    /// Which engine notifications are of.
    var id: ObjectIdentifier { ObjectIdentifier(engine) }

    private func capture(_ take: @escaping Take) throws {
        let input = engine.inputNode
        try input.setVoiceProcessingEnabled(true)
        let format = input.outputFormat(forBus: 0)
        // A second waits for whoever takes it, at most.
        let ring = SoundRing(capacity: max(Int(format.sampleRate), 1))
        guard let converter = SampleConverter(sampleRate: format.sampleRate, most: 4800) else {
            throw CaptureError.unavailable(.microphone)
        }
        nonisolated(unsafe) let came = source { converter.convert(ring, take) }
        let sink = AVAudioSinkNode { _, count, buffers in
            // Voice processing may give the microphones of an array beside its own result, which comes first.
            guard let data = buffers.pointee.mBuffers.mData else { return noErr }
            ring.write(UnsafeBufferPointer(start: data.assumingMemoryBound(to: Float.self), count: Int(count)))
            came.add(data: 1)
            return noErr
        }
        engine.attach(sink)
        engine.connect(input, to: sink, format: format)
    }

    private func play(_ mixer: Mixer, _ cycle: Int) {
        let format = AVAudioFormat(standardFormatWithSampleRate: 48_000, channels: 1)!
        let ring = SoundRing(capacity: 48_000)
        // What is played next is mixed while this is.
        let ahead = 2 * max(cycle, 480)
        nonisolated(unsafe) let taken = source {
            // Silence once the meeting is over.
            try? ring.fill(to: ahead, by: 480) { try mixer.fill($0) }
        }
        taken.add(data: 1)
        let node = AVAudioSourceNode(format: format) { isSilence, _, count, buffers in
            guard let data = UnsafeMutableAudioBufferListPointer(buffers).first?.mData else { return noErr }
            let samples = UnsafeMutableBufferPointer(
                start: data.assumingMemoryBound(to: Float.self), count: Int(count))
            let played = ring.read(into: samples)
            UnsafeMutableBufferPointer(rebasing: samples[played...]).update(repeating: 0)
            isSilence.pointee = ObjCBool(played == 0)
            taken.add(data: 1)
            return noErr
        }
        engine.attach(node)
        engine.connect(node, to: engine.mainMixerNode, format: format)
    }

    /// Does something on the queue each time that a thread of the engine asks for it, which waits for nothing.
    private func source(_ act: @escaping @Sendable () -> Void) -> any DispatchSourceUserDataAdd {
        let source = DispatchSource.makeUserDataAddSource(queue: queue)
        source.setEventHandler(handler: act)
        source.activate()
        sources.append(source)
        return source
    }
}
#endif
