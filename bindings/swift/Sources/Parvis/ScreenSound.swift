import Foundation
import ParvisFFI

extension Screen {
    /// Shares the sound of the screen too; give it by ``pushSound(_:at:)-(UnsafeBufferPointer<Float>,_)``. It is muted,
    /// forbidden and ends with the screen. Once it is shared this changes nothing.
    ///
    /// - Parameters:
    ///   - channels: 1 or 2.
    ///   - bitrate: target bits a second.
    public func shareSound(channels: Int = 2, bitrate: Int = 96_000) async throws {
        try await foreignScreen.shareSound(options: AudioOptions(channels: channels, bitrate: bitrate))
    }

    /// Gives sound of the screen, of any length; never waits.
    ///
    /// - Parameters:
    ///   - samples: 48 kHz, -1 to 1, channels interleaved.
    ///   - timestamp: when the first sample was captured; `nil`: it ends now.
    /// - Throws: ``ErrorKind/noSuchTrack`` before ``shareSound(channels:bitrate:)``.
    public func pushSound(_ samples: UnsafeBufferPointer<Float>, at timestamp: MediaTime? = nil) throws {
        try foreignScreen.pushSoundF32(
            pcm: Data(lending: UnsafeRawBufferPointer(samples)), timestampUs: timestamp?.microseconds ?? 0)
    }

    /// Gives sound of 16 bits a sample.
    public func pushSound(_ samples: UnsafeBufferPointer<Int16>, at timestamp: MediaTime? = nil) throws {
        try foreignScreen.pushSoundI16(
            pcm: Data(lending: UnsafeRawBufferPointer(samples)), timestampUs: timestamp?.microseconds ?? 0)
    }
}

extension EncodedSource {
    /// Shares the sound of a screen too, as ``Screen/shareSound(channels:bitrate:)`` does; a camera has none.
    public func shareSound(channels: Int = 2, bitrate: Int = 96_000) async throws {
        try await foreign.shareSound(options: AudioOptions(channels: channels, bitrate: bitrate))
    }

    /// Gives sound of the screen, as ``Screen/pushSound(_:at:)-(UnsafeBufferPointer<Float>,_)`` does.
    public func pushSound(_ samples: UnsafeBufferPointer<Float>, at timestamp: MediaTime? = nil) throws {
        try foreign.pushSoundF32(
            pcm: Data(lending: UnsafeRawBufferPointer(samples)), timestampUs: timestamp?.microseconds ?? 0)
    }

    /// Gives sound of 16 bits a sample.
    public func pushSound(_ samples: UnsafeBufferPointer<Int16>, at timestamp: MediaTime? = nil) throws {
        try foreign.pushSoundI16(
            pcm: Data(lending: UnsafeRawBufferPointer(samples)), timestampUs: timestamp?.microseconds ?? 0)
    }
}
