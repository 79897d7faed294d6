#if canImport(VideoToolbox)
import CoreVideo
import VideoToolbox

/// Makes pictures of one size, in two planes, of whatever a screen gives; for one thread at a time.
final class PictureFitter: @unchecked Sendable {
    private let size: PictureSize
    private let pool: CVPixelBufferPool?
    private var session: VTPixelTransferSession?

    init(_ size: PictureSize) {
        self.size = size
        pool = PixelBufferPool.pool(width: size.width, height: size.height)
        VTPixelTransferSessionCreate(allocator: nil, pixelTransferSessionOut: &session)
        if let session {
            VTSessionSetProperty(
                session, key: kVTPixelTransferPropertyKey_ScalingMode, value: kVTScalingMode_Letterbox)
        }
    }

    deinit {
        if let session { VTPixelTransferSessionInvalidate(session) }
    }

    /// The picture as it is, if it fits, or scaled with black at its sides; `nil`: the system cannot.
    func fit(_ buffer: CVPixelBuffer) -> CVPixelBuffer? {
        let fits =
            CVPixelBufferGetPixelFormatType(buffer) == kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange
            && CVPixelBufferGetWidth(buffer) == size.width && CVPixelBufferGetHeight(buffer) == size.height
        if fits { return buffer }
        guard let session, let pool else { return nil }
        var made: CVPixelBuffer?
        guard CVPixelBufferPoolCreatePixelBuffer(nil, pool, &made) == kCVReturnSuccess, let made else { return nil }
        return VTPixelTransferSessionTransferImage(session, from: buffer, to: made) == noErr ? made : nil
    }
}
#endif
