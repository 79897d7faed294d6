import ParvisFFI

/// A picture that was received: I420 in the library's memory.
public final class VideoFrame: Sendable {
    private let frame: ParvisFFI.VideoFrame
    private let layout: ParvisFFI.VideoLayout

    init(_ frame: ParvisFFI.VideoFrame) {
        self.frame = frame
        layout = frame.layout()
    }

    /// Pixels across.
    public var width: Int { Int(layout.width) }

    /// Pixels down.
    public var height: Int { Int(layout.height) }

    /// When it was captured, by the publisher's clock.
    public var timestamp: MediaTime { MediaTime(microseconds: layout.timestampUs) }

    /// When its last part had come, by this machine's wall clock; `nil`: it did not come by a network.
    public var arrived: MediaTime? { layout.arrivedUs.map(MediaTime.init(microseconds:)) }

    /// Lends the three planes for the time of the call: luma, and the two differences, half as wide and high, rounded up.
    public func withPlanes<Result>(
        _ use: (_ y: PlaneBytes, _ u: PlaneBytes, _ v: PlaneBytes) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(frame) {
            let rows = (height + 1) / 2
            let y = Self.plane(layout.y, rows: height, stride: layout.yStride)
            let u = Self.plane(layout.u, rows: rows, stride: layout.uvStride)
            let v = Self.plane(layout.v, rows: rows, stride: layout.uvStride)
            return try use(y, u, v)
        }
    }

    private static func plane(_ address: Int64, rows: Int, stride: Int32) -> PlaneBytes {
        let start = UnsafeRawPointer(bitPattern: Int(address))
        return PlaneBytes(bytes: UnsafeRawBufferPointer(start: start, count: rows * Int(stride)), stride: Int(stride))
    }

    /// Copies it to two planes, luma and interleaved differences, as Apple's systems show pictures.
    ///
    /// - Parameters:
    ///   - yStride: bytes from one row of the luma plane to the next, at least the width.
    ///   - uvStride: bytes from one row of the other plane to the next, at least the width rounded up to an even number.
    public func copyNV12(
        y: UnsafeMutableRawBufferPointer, yStride: Int, uv: UnsafeMutableRawBufferPointer, uvStride: Int
    ) {
        let (columns, rows) = ((width + 1) / 2, (height + 1) / 2)
        precondition(yStride >= width && y.count >= yStride * (height - 1) + width, "the luma plane is too small")
        precondition(
            uvStride >= 2 * columns && uv.count >= uvStride * (rows - 1) + 2 * columns, "the plane is too small")
        withPlanes { luma, u, v in
            for row in 0..<height {
                let from = UnsafeRawBufferPointer(rebasing: luma.bytes[(row * luma.stride)...].prefix(width))
                UnsafeMutableRawBufferPointer(rebasing: y[(row * yStride)...]).copyMemory(from: from)
            }
            for row in 0..<rows {
                let to = uv.baseAddress! + row * uvStride
                let (blue, red) = (u.bytes.baseAddress! + row * u.stride, v.bytes.baseAddress! + row * v.stride)
                for column in 0..<columns {
                    to.storeBytes(
                        of: blue.load(fromByteOffset: column, as: UInt8.self), toByteOffset: 2 * column, as: UInt8.self)
                    to.storeBytes(
                        of: red.load(fromByteOffset: column, as: UInt8.self), toByteOffset: 2 * column + 1,
                        as: UInt8.self)
                }
            }
        }
    }
}

/// A plane of a picture: rows of bytes, lent for the time of a call.
public struct PlaneBytes {
    /// From the first row on; the last one may be cut after its pixels.
    public let bytes: UnsafeRawBufferPointer
    /// Bytes from one row to the next.
    public let stride: Int

    /// The rows of a plane.
    public init(bytes: UnsafeRawBufferPointer, stride: Int) {
        self.bytes = bytes
        self.stride = stride
    }
}
