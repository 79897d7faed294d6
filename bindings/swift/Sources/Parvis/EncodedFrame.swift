import ParvisFFI

/// A frame of video as it was encoded, in the library's memory.
public final class EncodedFrame: Sendable {
    private let frame: ParvisFFI.EncodedFrame
    private let layout: ParvisFFI.EncodedLayout

    init(_ frame: ParvisFFI.EncodedFrame) {
        self.frame = frame
        layout = frame.layout()
    }

    /// When it was captured, by the publisher's clock.
    public var timestamp: MediaTime { MediaTime(microseconds: layout.timestampUs) }

    /// Whether it needs no earlier frame.
    public var isKey: Bool { layout.key }

    /// Its temporal layer, 0 the base.
    public var temporalID: Int { Int(layout.temporalId) }

    /// Lends the bitstream for the time of the call.
    public func withBytes<Result>(_ use: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(frame) {
            let start = UnsafeRawPointer(bitPattern: Int(layout.address))
            return try use(UnsafeRawBufferPointer(start: start, count: Int(layout.length)))
        }
    }
}

/// An encoded picture of somebody.
public struct EncodedPicture: Sendable {
    /// The frame.
    public let frame: EncodedFrame
    /// Set where it begins another layer or codec, with a key frame: a decoder is opened anew, for this.
    public let begins: VideoParams?
    /// When it had come whole, by this machine's clock.
    public let arrived: MediaTime
    /// How many frames are known to be missing right before it.
    public let gap: Int

    init(_ picture: ParvisFFI.EncodedPicture) {
        frame = EncodedFrame(picture.frame)
        begins = picture.begins
        arrived = MediaTime(microseconds: picture.arrivedUs)
        gap = Int(picture.gap)
    }
}
