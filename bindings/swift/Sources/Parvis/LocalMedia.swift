import Foundation
import ParvisFFI

/// One's own microphone. ``turnOff()`` or releasing it turns it off.
public final class Microphone: Sendable {
    let foreign: ParvisFFI.Microphone
    private let isCaptured: Bool

    /// - Parameter isCaptured: whether the app's own capture has one too, which would hold it.
    init(_ foreign: ParvisFFI.Microphone, isCaptured: Bool = false) {
        (self.foreign, self.isCaptured) = (foreign, isCaptured)
    }

    deinit {
        if isCaptured { try? foreign.turnOff() }
    }

    /// Gives sound of any length; nothing is sent while it is muted, by oneself or by a host. It is copied once.
    ///
    /// - Parameters:
    ///   - samples: 48 kHz, -1 to 1, channels interleaved.
    ///   - timestamp: when the first sample was captured; `nil`: it ends now.
    public func push(_ samples: UnsafeBufferPointer<Float>, at timestamp: MediaTime? = nil) throws {
        try foreign.pushF32(
            pcm: Data(lending: UnsafeRawBufferPointer(samples)), timestampUs: timestamp?.microseconds ?? 0)
    }

    /// Gives sound of 16 bits a sample.
    public func push(_ samples: UnsafeBufferPointer<Int16>, at timestamp: MediaTime? = nil) throws {
        try foreign.pushI16(
            pcm: Data(lending: UnsafeRawBufferPointer(samples)), timestampUs: timestamp?.microseconds ?? 0)
    }

    /// How loud one is oneself, in decibels of the loudest that can be, for a bar to show; silence while it is muted.
    public func level() throws -> Float {
        try foreign.level()
    }

    /// Mutes: nothing is captured, and the track stays announced.
    public func mute() async throws {
        try await foreign.mute()
    }

    /// Turns it on again, also after a host muted it.
    public func unmute() async throws {
        try await foreign.unmute()
    }

    /// Turns it off, and stops the capture it has.
    ///
    /// - Throws: ``ErrorKind/left`` if it was turned off before; what the capture throws.
    public func turnOff() throws {
        try foreign.turnOff()
    }
}

/// A source of pictures of one's own: a ``Camera`` or a ``Screen``. ``turnOff()`` or releasing it turns it off.
public class VideoSource: @unchecked Sendable {
    // They are never changed.
    private let foreign: any ForeignVideoSource
    private let isCaptured: Bool

    /// - Parameter isCaptured: whether the app's own capture has one too, which would hold it.
    init(_ foreign: any ForeignVideoSource, isCaptured: Bool = false) {
        (self.foreign, self.isCaptured) = (foreign, isCaptured)
    }

    deinit {
        if isCaptured { try? foreign.turnOff() }
    }

    /// Gives a picture to the layers that somebody watches; never waits. It is copied once.
    ///
    /// - Parameter timestamp: when it was captured; `nil`: now.
    /// - Throws: ``ErrorKind/badFrame`` if it is not of the size that the source was turned on with, once it is upright.
    public func push(_ picture: I420Picture, rotation: Rotation = .none, at timestamp: MediaTime? = nil) throws {
        try foreign.push(try LentPicture(picture), rotation, timestamp)
    }

    /// Gives a picture of two planes.
    public func push(_ picture: NV12Picture, rotation: Rotation = .none, at timestamp: MediaTime? = nil) throws {
        try foreign.push(LentPicture(picture), rotation, timestamp)
    }

    /// Mutes: nothing is captured, and the tracks stay announced.
    public func mute() async throws {
        try await foreign.mute()
    }

    /// Turns it on again.
    public func unmute() async throws {
        try await foreign.unmute()
    }

    /// The tracks, whether they are watched, what became of their frames, and the encoder at work.
    public func stats() throws -> [LocalStats] {
        try foreign.stats()
    }

    /// Turns it off, and stops the capture it has.
    ///
    /// - Throws: ``ErrorKind/left`` if it was turned off before; what the capture throws.
    public func turnOff() throws {
        try foreign.turnOff()
    }
}

/// One's own camera.
public final class Camera: VideoSource, @unchecked Sendable {}

/// A screen that is shared.
public final class Screen: VideoSource, @unchecked Sendable {
    let foreignScreen: ParvisFFI.Screen

    init(_ foreign: ParvisFFI.Screen, isCaptured: Bool = false) {
        foreignScreen = foreign
        super.init(foreign, isCaptured: isCaptured)
    }
}

/// What takes pictures.
protocol ForeignPictures: AnyObject, Sendable {
    func pushI420(
        y: Data, u: Data, v: Data, width: Int32, height: Int32, yStride: Int32, uvStride: Int32, uvPixelStride: Int32,
        rotation: Int32, timestampUs: Int64) throws
}

extension ForeignPictures {
    func push(_ lent: LentPicture, _ rotation: Rotation, _ timestamp: MediaTime?) throws {
        try pushI420(
            y: lent.y, u: lent.u, v: lent.v, width: lent.width, height: lent.height, yStride: lent.yStride,
            uvStride: lent.uvStride, uvPixelStride: lent.uvPixelStride, rotation: rotation.rawValue,
            timestampUs: timestamp?.microseconds ?? 0)
    }
}

/// What the generated camera and screen have in common.
protocol ForeignVideoSource: ForeignPictures {
    func mute() async throws
    func unmute() async throws
    func stats() throws -> [LocalStats]
    func turnOff() throws
}

extension ParvisFFI.Camera: ForeignVideoSource {}
extension ParvisFFI.Screen: ForeignVideoSource {}
extension ParvisFFI.PictureSink: ForeignPictures {}
