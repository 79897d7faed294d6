#if canImport(VideoToolbox)
import CoreMedia
import Parvis
import VideoToolbox

/// The device's own codecs, by VideoToolbox: H.264 both ways, H.265 as it comes.
///
/// ```swift
/// options.codecs = Codecs(videoDecoders: PhoneCodecs())
/// ```
///
/// Whoever encodes with it too is seen by those who decode H.264: the library itself does not.
public final class PhoneCodecs: VideoEncoderFactory, VideoDecoderFactory {
    /// Constrained baseline, level 3.1: what every receiver with H.264 takes, up to 720 lines.
    static let codec = "avc1.42E01F"

    /// Nothing is opened so far.
    public init() {}

    /// An encoder for a camera of up to 720 lines; text is left to the built-in one.
    public func makeEncoder(_ config: VideoEncoderConfig, sink: EncodedSink) throws -> (any VideoEncoder)? {
        guard config.content == .camera, config.width * config.height <= 1280 * 720 else { return nil }
        return try PhoneEncoder(config, sink)
    }

    /// A decoder for H.264 and H.265.
    public func makeDecoder(_ stream: VideoParams, sink: PictureSink) -> (any VideoDecoder)? {
        AnnexB.Codec(of: stream.codec).map { PhoneDecoder($0, sink) }
    }
}

/// An encoder of the device; it is called by one thread at a time.
final class PhoneEncoder: VideoEncoder, @unchecked Sendable {
    let caps = VideoEncoderCaps(
        name: "VideoToolbox", codec: PhoneCodecs.codec, delayFrames: 0, liveBitrate: true, forcedKey: true,
        temporalLayers: 1)
    private let config: VideoEncoderConfig
    private let pool = PixelBufferPool()
    private let sink: EncodedSink
    private var bitrate: Int
    private var session: VTCompressionSession

    init(_ config: VideoEncoderConfig, _ sink: EncodedSink) throws {
        (self.config, self.sink, bitrate) = (config, sink, Int(config.bitrate))
        session = try Self.open(config)
        try setBitrate(bitrate)
    }

    private static func open(_ config: VideoEncoderConfig) throws -> VTCompressionSession {
        var made: VTCompressionSession?
        let status = VTCompressionSessionCreate(
            allocator: nil, width: config.width, height: config.height, codecType: kCMVideoCodecType_H264,
            encoderSpecification: nil, imageBufferAttributes: nil, compressedDataAllocator: nil, outputCallback: nil,
            refcon: nil, compressionSessionOut: &made)
        guard status == noErr, let made else { throw ParvisError(.codec, "VideoToolbox did not open: \(status)") }
        // What an older system does not know is left at its default.
        VTSessionSetProperty(made, key: kVTCompressionPropertyKey_RealTime, value: kCFBooleanTrue)
        VTSessionSetProperty(made, key: kVTCompressionPropertyKey_AllowFrameReordering, value: kCFBooleanFalse)
        VTSessionSetProperty(
            made, key: kVTCompressionPropertyKey_ProfileLevel, value: kVTProfileLevel_H264_Baseline_3_1)
        VTSessionSetProperty(
            made, key: kVTCompressionPropertyKey_ExpectedFrameRate, value: config.frameRate as CFNumber)
        return made
    }

    func encode(_ picture: VideoFrame, key: Bool) throws {
        guard let buffer = pool.buffer(of: picture) else { throw ParvisError(.codec, "no memory for a picture") }
        var status = encode(buffer, picture, key)
        if status == kVTInvalidSessionErr {
            // As in the background: it begins again, with a key frame.
            session = try Self.open(config)
            try setBitrate(bitrate)
            status = encode(buffer, picture, true)
        }
        guard status == noErr else { throw ParvisError(.codec, "VideoToolbox took no picture: \(status)") }
    }

    private func encode(_ buffer: CVPixelBuffer, _ picture: VideoFrame, _ key: Bool) -> OSStatus {
        let time = CMTime(value: picture.timestamp.microseconds, timescale: 1_000_000)
        let properties = key ? [kVTEncodeFrameOptionKey_ForceKeyFrame: true] as CFDictionary : nil
        return VTCompressionSessionEncodeFrame(
            session, imageBuffer: buffer, presentationTimeStamp: time, duration: .invalid, frameProperties: properties,
            infoFlagsOut: nil
        ) { [sink] status, _, sample in
            // What was on its way when the session went has no packet.
            if status == kVTInvalidSessionErr { return }
            guard status == noErr else { return sink.fail("VideoToolbox did not encode: \(status)") }
            // None: the encoder left the picture out.
            guard let sample, let (frame, isKey) = Self.frame(sample) else { return }
            frame.withUnsafeBytes { try? sink.push($0, at: picture.timestamp, key: isKey) }
        }
    }

    func setBitrate(_ bitrate: Int) throws {
        self.bitrate = bitrate
        VTSessionSetProperty(session, key: kVTCompressionPropertyKey_AverageBitRate, value: bitrate as CFNumber)
    }

    func flush() {
        VTCompressionSessionCompleteFrames(session, untilPresentationTimeStamp: .invalid)
    }

    func release() {
        VTCompressionSessionInvalidate(session)
    }

    /// The bitstream as it is sent; key frames begin with their parameter sets.
    private static func frame(_ sample: CMSampleBuffer) -> ([UInt8], isKey: Bool)? {
        guard let data = CMSampleBufferGetDataBuffer(sample), let format = CMSampleBufferGetFormatDescription(sample)
        else { return nil }
        let attachments =
            CMSampleBufferGetSampleAttachmentsArray(sample, createIfNecessary: false) as? [[CFString: Any]]
        let isKey = attachments?.first?[kCMSampleAttachmentKey_NotSync] as? Bool != true
        var frame: [UInt8] = []
        if isKey {
            for index in 0..<2 {
                var (set, size): (UnsafePointer<UInt8>?, Int) = (nil, 0)
                CMVideoFormatDescriptionGetH264ParameterSetAtIndex(
                    format, parameterSetIndex: index, parameterSetPointerOut: &set, parameterSetSizeOut: &size,
                    parameterSetCountOut: nil, nalUnitHeaderLengthOut: nil)
                guard let set else { return nil }
                AnnexB.append(UnsafeRawBufferPointer(start: set, count: size), to: &frame)
            }
        }
        guard let bytes = try? data.dataBytes() else { return nil }
        return bytes.withUnsafeBytes { AnnexB.append(lengthPrefixed: $0, to: &frame) } ? (frame, isKey) : nil
    }
}
#endif
