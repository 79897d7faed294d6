#if canImport(VideoToolbox)
import CoreMedia
import CoreVideo
import Parvis
import VideoToolbox

/// A decoder of the device for H.264 or H.265; it is called by one thread at a time.
final class PhoneDecoder: VideoDecoder, @unchecked Sendable {
    let caps = VideoDecoderCaps(name: "VideoToolbox", delayFrames: 0)
    private let codec: AnnexB.Codec
    private let sink: PictureSink
    /// Whether a frame was not decoded, which is known after it was given.
    private let hasFailed = Locked(false)
    private var session: VTDecompressionSession?
    private var format: CMVideoFormatDescription?

    init(_ codec: AnnexB.Codec, _ sink: PictureSink) {
        (self.codec, self.sink) = (codec, sink)
    }

    func decode(_ frame: EncodedFrame) throws {
        if hasFailed.exchange(false), !frame.isKey {
            throw ParvisError(.badFrame, "VideoToolbox did not decode a frame before this one")
        }
        try frame.withBytes { bytes in
            var (sets, picture): ([[UInt8]], [UInt8]) = ([], [])
            for range in AnnexB.units(in: bytes) {
                let unit = UnsafeRawBufferPointer(rebasing: bytes[range])
                if codec.isParameterSet(unit[0]) {
                    sets.append([UInt8](unit))
                } else {
                    AnnexB.append(prefixing: unit, to: &picture)
                }
            }
            if frame.isKey, !sets.isEmpty { try open(sets) }
            guard let session, let format, !picture.isEmpty else {
                throw ParvisError(.badFrame, "a key frame has parameter sets and a picture")
            }
            let sample = try Self.sample(picture, format)
            let status = VTDecompressionSessionDecodeFrame(
                session, sampleBuffer: sample, flags: [._EnableAsynchronousDecompression], infoFlagsOut: nil
            ) { [sink, hasFailed, timestamp = frame.timestamp] status, _, image, _, _ in
                // A key frame is asked for at the next one.
                if status != noErr { hasFailed.exchange(true) }
                guard let image else { return }
                try? image.withNV12 { try sink.push($0, at: timestamp) }
            }
            // As in the background: the next key frame opens it again.
            if status == kVTInvalidSessionErr { release() }
            guard status == noErr else {
                let isPassing = status == kVTVideoDecoderBadDataErr || status == kVTInvalidSessionErr
                throw ParvisError(isPassing ? .badFrame : .codec, "VideoToolbox took no frame: \(status)")
            }
        }
    }

    func reset() {
        // References are forgotten by a key frame.
        flush()
    }

    func flush() {
        guard let session else { return }
        VTDecompressionSessionFinishDelayedFrames(session)
        VTDecompressionSessionWaitForAsynchronousFrames(session)
    }

    func release() {
        if let session { VTDecompressionSessionInvalidate(session) }
        session = nil
    }

    /// Opens it for these parameter sets, unless it is open for them.
    private func open(_ sets: [[UInt8]]) throws {
        var made: CMVideoFormatDescription?
        // The bytes are copied; they hold until the closures end.
        func describe(_ rest: ArraySlice<[UInt8]>, _ pointers: [UnsafePointer<UInt8>]) -> OSStatus {
            guard let set = rest.first else {
                return switch codec {
                case .h264:
                    CMVideoFormatDescriptionCreateFromH264ParameterSets(
                        allocator: nil, parameterSetCount: sets.count, parameterSetPointers: pointers,
                        parameterSetSizes: sets.map(\.count), nalUnitHeaderLength: 4, formatDescriptionOut: &made)
                case .h265:
                    CMVideoFormatDescriptionCreateFromHEVCParameterSets(
                        allocator: nil, parameterSetCount: sets.count, parameterSetPointers: pointers,
                        parameterSetSizes: sets.map(\.count), nalUnitHeaderLength: 4, extensions: nil,
                        formatDescriptionOut: &made)
                }
            }
            return set.withUnsafeBufferPointer { describe(rest.dropFirst(), pointers + [$0.baseAddress!]) }
        }
        let described = describe(sets[...], [])
        guard described == noErr, let made else { throw ParvisError(.badFrame, "parameter sets: \(described)") }
        if let session, VTDecompressionSessionCanAcceptFormatDescription(session, formatDescription: made) {
            format = made
            return
        }
        release()
        let attributes = [kCVPixelBufferPixelFormatTypeKey: kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange]
        var opened: VTDecompressionSession?
        let status = VTDecompressionSessionCreate(
            allocator: nil, formatDescription: made, decoderSpecification: nil,
            imageBufferAttributes: attributes as CFDictionary, outputCallback: nil, decompressionSessionOut: &opened)
        guard status == noErr, let opened else { throw ParvisError(.codec, "VideoToolbox did not open: \(status)") }
        (session, format) = (opened, made)
    }

    private static func sample(_ bytes: [UInt8], _ format: CMVideoFormatDescription) throws -> CMSampleBuffer {
        var (block, sample): (CMBlockBuffer?, CMSampleBuffer?) = (nil, nil)
        CMBlockBufferCreateWithMemoryBlock(
            allocator: nil, memoryBlock: nil, blockLength: bytes.count, blockAllocator: nil, customBlockSource: nil,
            offsetToData: 0, dataLength: bytes.count, flags: kCMBlockBufferAssureMemoryNowFlag, blockBufferOut: &block)
        guard let block else { throw ParvisError(.codec, "no memory for a frame") }
        bytes.withUnsafeBytes {
            _ = CMBlockBufferReplaceDataBytes(
                with: $0.baseAddress!, blockBuffer: block, offsetIntoDestination: 0, dataLength: bytes.count)
        }
        CMSampleBufferCreateReady(
            allocator: nil, dataBuffer: block, formatDescription: format, sampleCount: 1, sampleTimingEntryCount: 0,
            sampleTimingArray: nil, sampleSizeEntryCount: 1, sampleSizeArray: [bytes.count], sampleBufferOut: &sample)
        guard let sample else { throw ParvisError(.codec, "no memory for a frame") }
        return sample
    }
}
#endif
