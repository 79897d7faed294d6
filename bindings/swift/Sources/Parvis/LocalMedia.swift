import Foundation
import ParvisFFI

/// One's own microphone. ``turnOff()`` or releasing it turns it off.
public final class Microphone: Sendable {
    let foreign: ParvisFFI.Microphone

    init(_ foreign: ParvisFFI.Microphone) {
        self.foreign = foreign
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

/// One's own camera. ``turnOff()`` or releasing it turns it off.
public final class Camera: Sendable {
    let foreign: ParvisFFI.Camera

    init(_ foreign: ParvisFFI.Camera) {
        self.foreign = foreign
    }

    /// Gives a picture to the layers that somebody watches; never waits. It is copied once.
    ///
    /// - Parameter timestamp: when it was captured; `nil`: now.
    /// - Throws: ``ErrorKind/badFrame`` if it is not of the size that the camera was turned on with, once it is upright.
    public func push(_ picture: I420Picture, rotation: Rotation = .none, at timestamp: MediaTime? = nil) throws {
        let lent = Lent(picture)
        try foreign.pushI420(
            y: lent.y, u: lent.u, v: lent.v, width: lent.width, height: lent.height, yStride: lent.yStride,
            uvStride: lent.uvStride, uvPixelStride: lent.uvPixelStride, rotation: rotation.rawValue,
            timestampUs: timestamp?.microseconds ?? 0)
    }

    /// Gives a picture of two planes.
    public func push(_ picture: NV12Picture, rotation: Rotation = .none, at timestamp: MediaTime? = nil) throws {
        let lent = Lent(picture)
        try foreign.pushI420(
            y: lent.y, u: lent.u, v: lent.v, width: lent.width, height: lent.height, yStride: lent.yStride,
            uvStride: lent.uvStride, uvPixelStride: lent.uvPixelStride, rotation: rotation.rawValue,
            timestampUs: timestamp?.microseconds ?? 0)
    }

    /// Mutes: nothing is captured, and the tracks stay announced.
    public func mute() async throws {
        try await foreign.mute()
    }

    /// Turns it on again.
    public func unmute() async throws {
        try await foreign.unmute()
    }

    /// The tracks, whether they are watched, and what became of their frames.
    public func statistics() throws -> [LocalStatistics] {
        try foreign.stats()
    }

    /// Turns it off, and stops the capture it has.
    ///
    /// - Throws: ``ErrorKind/left`` if it was turned off before; what the capture throws.
    public func turnOff() throws {
        try foreign.turnOff()
    }
}

/// A screen that is shared. ``turnOff()`` or releasing it ends that.
public final class Screen: Sendable {
    let foreign: ParvisFFI.Screen

    init(_ foreign: ParvisFFI.Screen) {
        self.foreign = foreign
    }

    /// Gives a picture to the layers that somebody watches; never waits. It is copied once.
    ///
    /// - Parameter timestamp: when it was captured; `nil`: now.
    /// - Throws: ``ErrorKind/badFrame`` if it is not of the size that the screen was shared with, once it is upright.
    public func push(_ picture: I420Picture, rotation: Rotation = .none, at timestamp: MediaTime? = nil) throws {
        let lent = Lent(picture)
        try foreign.pushI420(
            y: lent.y, u: lent.u, v: lent.v, width: lent.width, height: lent.height, yStride: lent.yStride,
            uvStride: lent.uvStride, uvPixelStride: lent.uvPixelStride, rotation: rotation.rawValue,
            timestampUs: timestamp?.microseconds ?? 0)
    }

    /// Gives a picture of two planes.
    public func push(_ picture: NV12Picture, rotation: Rotation = .none, at timestamp: MediaTime? = nil) throws {
        let lent = Lent(picture)
        try foreign.pushI420(
            y: lent.y, u: lent.u, v: lent.v, width: lent.width, height: lent.height, yStride: lent.yStride,
            uvStride: lent.uvStride, uvPixelStride: lent.uvPixelStride, rotation: rotation.rawValue,
            timestampUs: timestamp?.microseconds ?? 0)
    }

    /// Mutes: nothing is captured, and the tracks stay announced.
    public func mute() async throws {
        try await foreign.mute()
    }

    /// Turns it on again.
    public func unmute() async throws {
        try await foreign.unmute()
    }

    /// The tracks, whether they are watched, and what became of their frames.
    public func statistics() throws -> [LocalStatistics] {
        try foreign.stats()
    }

    /// Ends the sharing, and stops the capture it has.
    ///
    /// - Throws: ``ErrorKind/left`` if it was ended before; what the capture throws.
    public func turnOff() throws {
        try foreign.turnOff()
    }
}

/// A picture as the library takes it, without a copy.
private struct Lent {
    let y: Data
    let u: Data
    let v: Data
    let width: Int32
    let height: Int32
    let yStride: Int32
    let uvStride: Int32
    let uvPixelStride: Int32

    init(_ picture: I420Picture) {
        (y, u, v) = (Data(lending: picture.y.bytes), Data(lending: picture.u.bytes), Data(lending: picture.v.bytes))
        (width, height) = (Int32(clamping: picture.width), Int32(clamping: picture.height))
        (yStride, uvStride) = (Int32(clamping: picture.y.stride), Int32(clamping: picture.u.stride))
        uvPixelStride = 1
    }

    init(_ picture: NV12Picture) {
        let blue = picture.uv.bytes
        y = Data(lending: picture.y.bytes)
        u = Data(lending: blue)
        v = Data(lending: UnsafeRawBufferPointer(rebasing: blue.dropFirst()))
        (width, height) = (Int32(clamping: picture.width), Int32(clamping: picture.height))
        (yStride, uvStride) = (Int32(clamping: picture.y.stride), Int32(clamping: picture.uv.stride))
        uvPixelStride = 2
    }
}

extension Data {
    /// Bytes that are somebody else's, for the time of a call.
    fileprivate init(lending bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else {
            self.init()
            return
        }
        // What takes it only reads.
        self.init(bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: bytes.count, deallocator: .none)
    }
}
