#if canImport(CoreVideo)
import CoreVideo
import Parvis

extension VideoSource {
    /// Gives a picture, as AVFoundation and ReplayKit hand it over; it is copied once, into the library.
    ///
    /// - Throws: `ParvisError` of the kind `badFrame` if it is not `420YpCbCr8BiPlanar`, of either range.
    public func push(_ buffer: CVPixelBuffer, rotation: Rotation = .none) throws {
        try buffer.withNV12 { try push($0, rotation: rotation) }
    }
}

extension CVPixelBuffer {
    /// Whether it has two planes, luma and interleaved differences, as the library takes them.
    var isNV12: Bool {
        let format = CVPixelBufferGetPixelFormatType(self)
        return format == kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange
            || format == kCVPixelFormatType_420YpCbCr8BiPlanarFullRange
    }

    func withNV12(_ use: (NV12Picture) throws -> Void) throws {
        guard isNV12 else {
            let format = CVPixelBufferGetPixelFormatType(self)
            throw ParvisError(.badFrame, "a pixel buffer of format \(format) is no picture of two planes")
        }
        guard CVPixelBufferLockBaseAddress(self, .readOnly) == kCVReturnSuccess else { return }
        defer { CVPixelBufferUnlockBaseAddress(self, .readOnly) }
        guard let y = plane(0), let uv = plane(1) else { return }
        try use(NV12Picture(width: CVPixelBufferGetWidth(self), height: CVPixelBufferGetHeight(self), y: y, uv: uv))
    }

    private func plane(_ index: Int) -> PlaneBytes? {
        guard let address = CVPixelBufferGetBaseAddressOfPlane(self, index) else { return nil }
        let stride = CVPixelBufferGetBytesPerRowOfPlane(self, index)
        let count = stride * CVPixelBufferGetHeightOfPlane(self, index)
        return PlaneBytes(bytes: UnsafeRawBufferPointer(start: address, count: count), stride: stride)
    }
}

/// Makes pixel buffers that AVFoundation shows from decoded pictures; the buffers are used again.
public final class PixelBufferPool {
    private var pool: CVPixelBufferPool?
    private var size = (width: 0, height: 0)

    /// An empty pool.
    public init() {}

    /// A buffer with the picture; `nil`: there is no memory for it.
    public func buffer(of picture: VideoFrame) -> CVPixelBuffer? {
        if pool == nil || size != (picture.width, picture.height) {
            pool = Self.pool(width: picture.width, height: picture.height)
            size = (picture.width, picture.height)
        }
        guard let pool else { return nil }
        var made: CVPixelBuffer?
        guard CVPixelBufferPoolCreatePixelBuffer(nil, pool, &made) == kCVReturnSuccess, let buffer = made else {
            return nil
        }
        guard CVPixelBufferLockBaseAddress(buffer, []) == kCVReturnSuccess else { return nil }
        defer { CVPixelBufferUnlockBaseAddress(buffer, []) }
        guard let y = CVPixelBufferGetBaseAddressOfPlane(buffer, 0),
            let uv = CVPixelBufferGetBaseAddressOfPlane(buffer, 1)
        else { return nil }
        picture.copyNV12(
            y: UnsafeMutableRawBufferPointer(
                start: y,
                count: CVPixelBufferGetBytesPerRowOfPlane(buffer, 0) * CVPixelBufferGetHeightOfPlane(buffer, 0)),
            yStride: CVPixelBufferGetBytesPerRowOfPlane(buffer, 0),
            uv: UnsafeMutableRawBufferPointer(
                start: uv,
                count: CVPixelBufferGetBytesPerRowOfPlane(buffer, 1) * CVPixelBufferGetHeightOfPlane(buffer, 1)),
            uvStride: CVPixelBufferGetBytesPerRowOfPlane(buffer, 1)
        )
        return buffer
    }

    static func pool(width: Int, height: Int) -> CVPixelBufferPool? {
        let attributes: [String: Any] = [
            kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange,
            kCVPixelBufferWidthKey as String: width,
            kCVPixelBufferHeightKey as String: height,
            kCVPixelBufferIOSurfacePropertiesKey as String: [String: Any](),
        ]
        var pool: CVPixelBufferPool?
        CVPixelBufferPoolCreate(nil, nil, attributes as CFDictionary, &pool)
        return pool
    }
}
#endif
