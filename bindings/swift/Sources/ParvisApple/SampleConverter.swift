#if canImport(AVFoundation)
import AVFoundation

/// Makes sound of 48 kHz, one channel, of what a microphone gives; for one thread at a time.
final class SampleConverter: @unchecked Sendable {
    private let input: AVAudioPCMBuffer
    private let output: AVAudioPCMBuffer
    private let converter: AVAudioConverter

    /// - Parameters:
    ///   - sampleRate: of the microphone.
    ///   - most: how many samples are converted at a time.
    /// - Returns: `nil` if the system does not convert that.
    init?(sampleRate: Double, most: Int) {
        let capacity = AVAudioFrameCount((Double(most) * 48_000 / sampleRate).rounded(.up)) + 16
        guard sampleRate > 0, let from = AVAudioFormat(standardFormatWithSampleRate: sampleRate, channels: 1),
            let to = AVAudioFormat(standardFormatWithSampleRate: 48_000, channels: 1),
            let converter = AVAudioConverter(from: from, to: to),
            let input = AVAudioPCMBuffer(pcmFormat: from, frameCapacity: AVAudioFrameCount(most)),
            let output = AVAudioPCMBuffer(pcmFormat: to, frameCapacity: capacity)
        else { return nil }
        (self.input, self.output, self.converter) = (input, output, converter)
    }

    /// Takes what is in a ring, and lends what becomes of it.
    func convert(_ ring: SoundRing, _ use: (UnsafeBufferPointer<Float>) -> Void) {
        guard let room = input.floatChannelData?[0] else { return }
        while true {
            let taken = ring.read(into: UnsafeMutableBufferPointer(start: room, count: Int(input.frameCapacity)))
            if taken == 0 { return }
            input.frameLength = AVAudioFrameCount(taken)
            convert(use)
        }
    }

    private func convert(_ use: (UnsafeBufferPointer<Float>) -> Void) {
        // It is called before the conversion returns, and by nobody else.
        nonisolated(unsafe) var given = false
        nonisolated(unsafe) let input = input
        var error: NSError?
        converter.convert(to: output, error: &error) { _, status in
            status.pointee = given ? .noDataNow : .haveData
            defer { given = true }
            return given ? nil : input
        }
        guard error == nil, let samples = output.floatChannelData?[0], output.frameLength > 0 else { return }
        use(UnsafeBufferPointer(start: samples, count: Int(output.frameLength)))
    }
}
#endif
