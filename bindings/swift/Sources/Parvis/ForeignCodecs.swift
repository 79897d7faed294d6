import ParvisFFI

/// The app's factory, as the library calls it.
final class ForeignEncoders: ParvisFFI.VideoEncoderFactory {
    private let factory: any VideoEncoderFactory

    init(_ factory: any VideoEncoderFactory) {
        self.factory = factory
    }

    func create(
        config: ParvisFFI.VideoEncoderConfig, sink: ParvisFFI.EncodedSink
    ) throws -> (any ParvisFFI.VideoEncoder)? {
        try factory.makeEncoder(config, sink: EncodedSink(sink)).map(ForeignEncoder.init)
    }
}

/// The app's factory, as the library calls it.
final class ForeignDecoders: ParvisFFI.VideoDecoderFactory {
    private let factory: any VideoDecoderFactory

    init(_ factory: any VideoDecoderFactory) {
        self.factory = factory
    }

    func create(
        stream: ParvisFFI.VideoParams, sink: ParvisFFI.PictureSink
    ) throws -> (any ParvisFFI.VideoDecoder)? {
        try factory.makeDecoder(stream, sink: PictureSink(sink)).map(ForeignDecoder.init)
    }
}

private final class ForeignEncoder: ParvisFFI.VideoEncoder {
    private let encoder: any VideoEncoder

    init(_ encoder: any VideoEncoder) {
        self.encoder = encoder
    }

    func caps() throws -> ParvisFFI.VideoEncoderCaps { encoder.caps }

    func encode(frame: ParvisFFI.VideoFrame, key: Bool) throws {
        try encoder.encode(VideoFrame(frame), key: key)
    }

    func setBitrate(bitrate: Int32) throws {
        try encoder.setBitrate(Int(bitrate))
    }

    func flush() throws {
        try encoder.flush()
    }

    func release() throws {
        encoder.release()
    }
}

private final class ForeignDecoder: ParvisFFI.VideoDecoder {
    private let decoder: any VideoDecoder

    init(_ decoder: any VideoDecoder) {
        self.decoder = decoder
    }

    func caps() throws -> ParvisFFI.VideoDecoderCaps { decoder.caps }

    func decode(frame: ParvisFFI.EncodedFrame) throws {
        try decoder.decode(EncodedFrame(frame))
    }

    func reset() throws {
        try decoder.reset()
    }

    func flush() throws {
        try decoder.flush()
    }

    func release() throws {
        decoder.release()
    }
}
