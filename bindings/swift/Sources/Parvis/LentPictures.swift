import Foundation

/// A picture of three planes, lent for the time of a call.
public struct I420Picture {
    /// Pixels across, before it is turned.
    public let width: Int
    /// Pixels down, before it is turned.
    public let height: Int
    /// Luma.
    public let y: PlaneBytes
    /// The blue difference, half as wide and high, rounded up.
    public let u: PlaneBytes
    /// The red difference; with another stride than ``u`` it is no picture that is taken.
    public let v: PlaneBytes

    /// A picture with these planes.
    public init(width: Int, height: Int, y: PlaneBytes, u: PlaneBytes, v: PlaneBytes) {
        (self.width, self.height, self.y, self.u, self.v) = (width, height, y, u, v)
    }
}

/// A picture of two planes, as cameras of phones give it, lent for the time of a call.
public struct NV12Picture {
    /// Pixels across, before it is turned.
    public let width: Int
    /// Pixels down, before it is turned.
    public let height: Int
    /// Luma.
    public let y: PlaneBytes
    /// Blue and red difference in turns, half as wide and high, rounded up.
    public let uv: PlaneBytes

    /// A picture with these planes.
    public init(width: Int, height: Int, y: PlaneBytes, uv: PlaneBytes) {
        (self.width, self.height, self.y, self.uv) = (width, height, y, uv)
    }
}

/// How a picture has to be turned, clockwise, to be upright.
public enum Rotation: Int32, Sendable, CaseIterable {
    /// It is upright.
    case none = 0
    /// By a quarter.
    case clockwise = 90
    /// By a half.
    case half = 180
    /// By three quarters.
    case counterclockwise = 270
}

/// A picture as the library takes it, without a copy.
struct LentPicture {
    let y: Data
    let u: Data
    let v: Data
    let width: Int32
    let height: Int32
    let yStride: Int32
    let uvStride: Int32
    let uvPixelStride: Int32

    init(_ picture: I420Picture) throws {
        guard picture.v.stride == picture.u.stride else {
            throw ParvisError(
                .badFrame, "the rows of v are \(picture.v.stride) bytes apart, those of u \(picture.u.stride)")
        }
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
    init(lending bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else {
            self.init()
            return
        }
        // What takes it only reads.
        self.init(bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: bytes.count, deallocator: .none)
    }
}
