import ParvisFFI

public typealias VideoEncoderChoice = ParvisFFI.VideoEncoderChoice
public typealias VideoLayer = ParvisFFI.VideoLayer

/// How a camera or a screen is published.
public struct VideoOptions: Sendable, Equatable {
    /// The width of what is pushed, upright, pixels.
    public var width: Int
    /// Its height.
    public var height: Int
    /// Pictures a second; `nil`: 30 of a camera, 15 of a screen.
    public var frameRate: Int?
    /// The most lines that are sent; `nil`: 720 of a camera, 1080 of a screen.
    public var maxHeight: Int?
    /// The layers, each encoded only while somebody watches it; empty: the largest that ``maxHeight`` allows, and halves of it.
    public var layers: [VideoLayer] = []
    /// Which built-in encoder, where the app has none; `nil`: libaom.
    public var encoder: VideoEncoderChoice?
    /// The longest time between key frames; others come when a subscriber needs one.
    public var keyInterval: Duration = .seconds(4)

    /// What is pushed, and as much of it as is usual.
    public init(width: Int, height: Int, frameRate: Int? = nil, maxHeight: Int? = nil) {
        (self.width, self.height, self.frameRate, self.maxHeight) = (width, height, frameRate, maxHeight)
    }

    var foreign: ParvisFFI.VideoOptions {
        ParvisFFI.VideoOptions(
            width: Int32(clamping: width), height: Int32(clamping: height), frameRate: Int32(clamping: frameRate ?? 0),
            maxHeight: Int32(clamping: maxHeight ?? 0), layers: layers, encoder: encoder,
            keyIntervalMs: keyInterval.milliseconds)
    }
}

extension VideoLayer {
    /// The source's width and height, halved so often.
    ///
    /// - Parameter bitrate: target bits a second; `nil`: what suits the size.
    public init(halvings: Int, bitrate: Int? = nil) {
        self.init(halvings: Int32(clamping: halvings), bitrate: bitrate.map { Int32(clamping: $0) })
    }
}
