import Foundation
import ParvisFFI

/// How loud a sound is, for a bar that an app shows: up at once, down by 20 dB a second. Of a microphone before one joins, or of
/// any sound.
///
/// ```swift
/// let meter = LevelMeter()
/// try meter.push(samples)             // as often as the device gives some
/// bar.value = meter.decibels
/// ```
public final class LevelMeter: Sendable {
    /// What silence is shown as.
    public static let silence: Float = -127

    private let foreign: ParvisFFI.LevelMeter

    /// Silent so far, for sound of one channel.
    public convenience init() {
        // One is a number of channels that there is.
        try! self.init(channels: 1)
    }

    /// Silent so far.
    ///
    /// - Parameter channels: 1 or 2.
    /// - Throws: ``ErrorKind/badArgument`` for another number.
    public init(channels: Int) throws {
        foreign = try ParvisFFI.LevelMeter(channels: Int32(clamping: channels))
    }

    /// Takes sound of any length: 48 kHz, -1 to 1, channels interleaved.
    public func push(_ samples: UnsafeBufferPointer<Float>) throws {
        try foreign.pushF32(pcm: Data(lending: UnsafeRawBufferPointer(samples)))
    }

    /// Takes sound of 16 bits a sample.
    public func push(_ samples: UnsafeBufferPointer<Int16>) throws {
        try foreign.pushI16(pcm: Data(lending: UnsafeRawBufferPointer(samples)))
    }

    /// How loud it is, in decibels of the loudest that can be: 0 to ``silence``.
    public var decibels: Float { foreign.decibels() }

    /// Falls silent at once, as a microphone that is muted.
    public func clear() {
        foreign.clear()
    }
}
