import ParvisFFI

/// A stretch of sound that was received: 48 kHz, in the library's memory.
public final class AudioFrame: Sendable {
    private let frame: ParvisFFI.AudioFrame
    private let layout: ParvisFFI.AudioLayout

    init(_ frame: ParvisFFI.AudioFrame) {
        self.frame = frame
        layout = frame.layout()
    }

    /// 1 or 2.
    public var channels: Int { Int(layout.channels) }

    /// How many samples each channel has.
    public var samplesPerChannel: Int { Int(layout.samples) / channels }

    /// When the first sample was captured, by the publisher's clock.
    public var timestamp: MediaTime { MediaTime(microseconds: layout.timestampUs) }

    /// Decibels below the loudest possible signal, as the publisher says: 0 is loudest, 127 silence.
    public var belowFullScale: Int? { layout.belowFullScale.map(Int.init) }

    /// When it had come whole, by this machine's wall clock; `nil`: it did not come and was made up, or is mixed.
    public var arrived: MediaTime? { layout.arrivedUs.map(MediaTime.init(microseconds:)) }

    /// Lends the samples, -1 to 1, interleaved, for the time of the call.
    public func withSamples<Result>(_ use: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(frame) {
            let address = UnsafePointer<Float>(bitPattern: Int(layout.address))
            return try use(UnsafeBufferPointer(start: address, count: Int(layout.samples)))
        }
    }
}

/// A time of capture: the wall clock of whoever captured, which never jumps in a process.
public struct MediaTime: Sendable, Hashable, Comparable {
    /// Since 1970.
    public let microseconds: Int64

    /// So many microseconds since 1970.
    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Now.
    public static var now: MediaTime { MediaTime(microseconds: clockNowUs()) }

    public static func < (one: MediaTime, other: MediaTime) -> Bool {
        one.microseconds < other.microseconds
    }

    /// How long from one to the other.
    public static func - (later: MediaTime, earlier: MediaTime) -> Duration {
        .microseconds(later.microseconds - earlier.microseconds)
    }
}
