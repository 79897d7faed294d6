import Foundation
import Parvis

/// A platform's codec, written in Swift: pictures as they are, plane after plane. It works in a queue of its own, as hardware
/// does.
final class FakeHardware: VideoEncoderFactory, VideoDecoderFactory, @unchecked Sendable {
    static let name = "Fake hardware"
    static let codec = "x-planes"

    /// How a codec ends that breaks.
    enum Failure {
        case throwing
        case saying
    }

    struct TakenAway: Error {}

    private let lock = NSLock()
    private let failAfter: Int
    private let failure: Failure
    private var given = 0
    private var alive = 0

    /// One that breaks after so many frames.
    init(failAfter: Int = .max, _ failure: Failure = .throwing) {
        (self.failAfter, self.failure) = (failAfter, failure)
    }

    /// Frames that were given to its encoders and decoders.
    var frames: Int { lock.withLock { given } }
    /// Encoders and decoders that were made, less those that were released.
    var open: Int { lock.withLock { alive } }

    func makeEncoder(_ config: VideoEncoderConfig, sink: EncodedSink) -> (any VideoEncoder)? {
        opened(1)
        return Encoder(self, sink)
    }

    func makeDecoder(_ stream: VideoParams, sink: PictureSink) -> (any VideoDecoder)? {
        guard stream.codec == Self.codec else { return nil }
        opened(1)
        return Decoder(self, sink, width: Int(stream.width), height: Int(stream.height))
    }

    private func opened(_ count: Int) {
        lock.withLock { alive += count }
    }

    private func take(_ say: (String) -> Void) throws {
        let isOver = lock.withLock {
            given += 1
            return given > failAfter
        }
        guard isOver else { return }
        switch failure {
        case .throwing: throw TakenAway()
        case .saying: say("too hot")
        }
    }

    private final class Encoder: VideoEncoder {
        let caps = VideoEncoderCaps(
            name: FakeHardware.name, codec: FakeHardware.codec, delayFrames: 0, liveBitrate: true, forcedKey: true,
            temporalLayers: 1)
        private let hardware: FakeHardware
        private let sink: EncodedSink
        private let queue = DispatchQueue(label: "encoder")

        init(_ hardware: FakeHardware, _ sink: EncodedSink) {
            (self.hardware, self.sink) = (hardware, sink)
        }

        func encode(_ picture: VideoFrame, key: Bool) throws {
            try hardware.take(sink.fail)
            queue.async { [sink] in
                try? picture.packed().withUnsafeBytes { try sink.push($0, at: picture.timestamp, key: key) }
            }
        }

        func setBitrate(_ bitrate: Int) {}
        func flush() {}
        func release() { hardware.opened(-1) }
    }

    private final class Decoder: VideoDecoder {
        let caps = VideoDecoderCaps(name: FakeHardware.name, delayFrames: 0)
        private let hardware: FakeHardware
        private let sink: PictureSink
        private let size: (width: Int, height: Int)
        private let queue = DispatchQueue(label: "decoder")

        init(_ hardware: FakeHardware, _ sink: PictureSink, width: Int, height: Int) {
            (self.hardware, self.sink, size) = (hardware, sink, (width, height))
        }

        func decode(_ frame: EncodedFrame) throws {
            try hardware.take(sink.fail)
            queue.async { [sink, size] in
                frame.withBytes { bytes in
                    // The publisher may change its codec before the catalog says so.
                    guard bytes.count == size.width * size.height * 3 / 2 else { return }
                    try? sink.push(bytes.picture(size.width, size.height), at: frame.timestamp)
                }
            }
        }

        func reset() {}
        func flush() {}
        func release() { hardware.opened(-1) }
    }
}

extension VideoFrame {
    /// Its planes, one after the other, without what is between rows.
    func packed() -> [UInt8] {
        withPlanes { y, u, v in
            [(y, width, height), (u, width / 2, height / 2), (v, width / 2, height / 2)].flatMap {
                plane, width, height in
                (0..<height).flatMap { plane.bytes[$0 * plane.stride..<$0 * plane.stride + width] }
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// A picture whose planes are one after the other.
    func picture(_ width: Int, _ height: Int) -> I420Picture {
        let (luma, chroma) = (width * height, width * height / 4)
        func plane(_ from: Int, _ count: Int, _ stride: Int) -> PlaneBytes {
            PlaneBytes(bytes: UnsafeRawBufferPointer(rebasing: self[from..<from + count]), stride: stride)
        }
        return I420Picture(
            width: width, height: height, y: plane(0, luma, width), u: plane(luma, chroma, width / 2),
            v: plane(luma + chroma, chroma, width / 2))
    }
}
