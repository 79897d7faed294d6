#if canImport(AVFoundation) && os(iOS)
import AVFoundation
import Parvis

/// Shows somebody's pictures in a layer, as they come.
public final class PictureRenderer: @unchecked Sendable {
    /// The layer that shows them.
    public let layer = AVSampleBufferDisplayLayer()

    private let lock = NSLock()
    private var shown: RemotePicture?

    /// Shows nothing so far.
    public init() {}

    /// What is shown.
    public var picture: RemotePicture? {
        lock.withLock { shown }
    }

    /// Shows it until it is over or the task is cancelled.
    public func show(_ picture: RemotePicture) async {
        lock.withLock { shown = picture }
        let (renderer, pool) = (layer.sampleBufferRenderer, PixelBufferPool())
        for await frame in picture {
            guard let buffer = pool.buffer(of: frame), let sample = Self.sample(of: buffer) else { continue }
            if renderer.status == .failed { renderer.flush() }
            renderer.enqueue(sample)
        }
        await renderer.flush(removingDisplayedImage: true)
    }

    private static func sample(of buffer: CVPixelBuffer) -> CMSampleBuffer? {
        guard let format = try? CMVideoFormatDescription(imageBuffer: buffer) else { return nil }
        let now = CMSampleTimingInfo(
            duration: .invalid, presentationTimeStamp: CMClockGetTime(CMClockGetHostTimeClock()),
            decodeTimeStamp: .invalid)
        guard let sample = try? CMSampleBuffer(imageBuffer: buffer, formatDescription: format, sampleTiming: now) else {
            return nil
        }
        // The library has put it in order and in time: it is shown at once.
        if let attachments = CMSampleBufferGetSampleAttachmentsArray(sample, createIfNecessary: true)
            as? [NSMutableDictionary]
        {
            attachments.first?[kCMSampleAttachmentKey_DisplayImmediately] = true
        }
        return sample
    }
}
#endif
