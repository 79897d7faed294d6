import Foundation
import ParvisFFI

public typealias CodecFallback = ParvisFFI.CodecFallback
public typealias CodecInUse = ParvisFFI.CodecInUse
public typealias CodecState = ParvisFFI.CodecState
public typealias Content = ParvisFFI.Content
public typealias VideoDecoderCaps = ParvisFFI.VideoDecoderCaps
public typealias VideoEncoderCaps = ParvisFFI.VideoEncoderCaps
public typealias VideoEncoderConfig = ParvisFFI.VideoEncoderConfig
public typealias VideoParams = ParvisFFI.VideoParams

/// Video codecs of the platform, such as a phone's hardware: tried before the built-in ones.
///
/// Which codec works on a track, and why it is not the app's, is told by ``MeetingEvent``, by ``LocalStats`` and by
/// ``RemotePicture/codec``.
public struct Codecs: Sendable {
    /// Makes encoders; `nil`: the built-in ones are used.
    public var videoEncoders: (any VideoEncoderFactory)?
    /// Makes decoders; `nil`: the built-in ones are used.
    public var videoDecoders: (any VideoDecoderFactory)?

    /// The app's codecs.
    public init(videoEncoders: (any VideoEncoderFactory)? = nil, videoDecoders: (any VideoDecoderFactory)? = nil) {
        (self.videoEncoders, self.videoDecoders) = (videoEncoders, videoDecoders)
    }

    var foreign: ParvisFFI.Codecs {
        ParvisFFI.Codecs(
            videoEncoders: videoEncoders.map(ForeignEncoders.init),
            videoDecoders: videoDecoders.map(ForeignDecoders.init))
    }
}

/// Makes the app's own video encoders.
public protocol VideoEncoderFactory: AnyObject, Sendable {
    /// An encoder for this, whose packets go to the sink; `nil`: there is none, and the built-in one takes its place, as it
    /// does where this throws.
    ///
    /// It is called where a camera or screen is turned on, once for each layer, and must not wait for that thread.
    func makeEncoder(_ config: VideoEncoderConfig, sink: EncodedSink) throws -> (any VideoEncoder)?
}

/// The app's own video encoder, called by one thread at a time; what it throws has the built-in one take its place.
public protocol VideoEncoder: AnyObject, Sendable {
    /// What it can do; asked once, after it was made.
    var caps: VideoEncoderCaps { get }
    /// Takes a picture of the configured size. Its packet goes to the sink, now or later, from any thread, with the picture's
    /// time.
    ///
    /// - Parameter key: whether it has to be a key frame.
    func encode(_ frame: VideoFrame, key: Bool) throws
    /// Changes the target, bits a second, without a key frame.
    func setBitrate(_ bitrate: Int) throws
    /// Puts what it holds back in the sink; no picture follows.
    func flush() throws
    /// Frees what it has: nothing follows, and what its sink is given is thrown away.
    func release()
}

/// Makes the app's own video decoders.
public protocol VideoDecoderFactory: AnyObject, Sendable {
    /// A decoder for this stream, whose pictures go to the sink; `nil`: there is none, and the built-in one takes its place
    /// where it can, as it does where this throws.
    ///
    /// It is called where a picture is first received, and must not wait for that thread.
    func makeDecoder(_ stream: VideoParams, sink: PictureSink) throws -> (any VideoDecoder)?
}

/// The app's own video decoder, called by one thread at a time.
public protocol VideoDecoder: AnyObject, Sendable {
    /// What it can do; asked once, after it was made.
    var caps: VideoDecoderCaps { get }
    /// Takes a frame; the first one, and the first after ``reset()`` and after an error, is a key frame. Its picture goes to the
    /// sink, now or later, from any thread, with the frame's time.
    ///
    /// - Throws: ``ErrorKind/badFrame`` if the frame is damaged. Anything else, or three of those in a row, has the built-in
    ///   decoder take its place where it can.
    func decode(_ frame: EncodedFrame) throws
    /// Forgets every reference: frames are missing before the next one.
    func reset() throws
    /// Puts what it holds back in the sink.
    func flush() throws
    /// Frees what it has: nothing follows, and what its sink is given is thrown away.
    func release()
}

/// Where the app's own encoder puts its packets, from any thread.
public final class EncodedSink: Sendable {
    private let foreign: ParvisFFI.EncodedSink

    init(_ foreign: ParvisFFI.EncodedSink) {
        self.foreign = foreign
    }

    /// Puts a packet, each in its order; never waits. It is copied once.
    ///
    /// - Parameters:
    ///   - timestamp: of its picture.
    ///   - key: whether it needs no earlier packet.
    ///   - temporalID: its temporal layer, 0 the base.
    public func push(_ payload: UnsafeRawBufferPointer, at timestamp: MediaTime, key: Bool, temporalID: Int = 0) throws
    {
        try foreign.push(
            payload: Data(lending: payload), timestampUs: timestamp.microseconds, key: key,
            temporalId: Int32(clamping: temporalID))
    }

    /// Says that the encoder is of no use any more, and why: the built-in one takes its place.
    public func fail(_ reason: String) {
        foreign.fail(reason: reason)
    }
}

/// Where the app's own decoder puts its pictures, from any thread.
public final class PictureSink: Sendable {
    private let foreign: ParvisFFI.PictureSink

    init(_ foreign: ParvisFFI.PictureSink) {
        self.foreign = foreign
    }

    /// Puts a picture, each in its order; never waits. It is copied once.
    ///
    /// - Parameter timestamp: of its frame.
    public func push(_ picture: I420Picture, rotation: Rotation = .none, at timestamp: MediaTime) throws {
        try foreign.push(try LentPicture(picture), rotation, timestamp)
    }

    /// Puts a picture of two planes.
    public func push(_ picture: NV12Picture, rotation: Rotation = .none, at timestamp: MediaTime) throws {
        try foreign.push(LentPicture(picture), rotation, timestamp)
    }

    /// Says that the decoder is of no use any more, and why: the built-in one takes its place where it can.
    public func fail(_ reason: String) {
        foreign.fail(reason: reason)
    }
}

extension VideoParams {
    /// AV1, main profile, 8 bits, at the lowest level that holds this size at 30 frames a second.
    public static func av1(width: Int, height: Int) -> VideoParams {
        av1Params(width: Int32(clamping: width), height: Int32(clamping: height))
    }
}
