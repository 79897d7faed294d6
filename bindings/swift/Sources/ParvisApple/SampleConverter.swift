#if canImport(AVFoundation)
import AVFoundation

/// Makes sound of 48 kHz, interleaved floats, of what devices and other apps give; for one thread at a time.
final class SampleConverter: @unchecked Sendable {
    /// What it takes.
    let input: AVAudioFormat

    private let output: AVAudioFormat
    private let converter: AVAudioConverter

    /// `nil`: the system does not convert that.
    init?(from input: AVAudioFormat, channels: AVAudioChannelCount) {
        let format = AVAudioFormat(
            commonFormat: .pcmFormatFloat32, sampleRate: 48_000, channels: channels, interleaved: true)
        guard input.channelCount > 0, input.sampleRate > 0, let format,
            let converter = AVAudioConverter(from: input, to: format)
        else { return nil }
        // Voice processing may give the microphones of an array beside its own result, which comes first.
        if input.channelCount > 2 { converter.channelMap = (0..<Int(channels)).map { NSNumber(value: $0) } }
        (self.input, output, self.converter) = (input, format, converter)
    }

    /// Lends what becomes of a buffer.
    func convert(_ buffer: AVAudioPCMBuffer, _ use: (UnsafeBufferPointer<Float>) -> Void) {
        let ratio = output.sampleRate / buffer.format.sampleRate
        let capacity = AVAudioFrameCount((Double(buffer.frameLength) * ratio).rounded(.up)) + 16
        guard let converted = AVAudioPCMBuffer(pcmFormat: output, frameCapacity: capacity) else { return }
        var given = false
        var error: NSError?
        converter.convert(to: converted, error: &error) { _, status in
            status.pointee = given ? .noDataNow : .haveData
            defer { given = true }
            return given ? nil : buffer
        }
        guard error == nil, let samples = converted.floatChannelData?[0] else { return }
        let count = Int(converted.frameLength) * Int(output.channelCount)
        if count > 0 { use(UnsafeBufferPointer(start: samples, count: count)) }
    }
}
#endif
