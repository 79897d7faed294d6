/// How large pictures are, upright, in pixels.
public struct PictureSize: Sendable, Hashable {
    /// Pixels across.
    public let width: Int
    /// Pixels down.
    public let height: Int

    /// That many pixels.
    public init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
    }

    /// As large as it is after a turn by that angle, a multiple of 90.
    public func turned(byDegrees angle: Int) -> PictureSize {
        angle % 180 == 0 ? self : PictureSize(width: height, height: width)
    }

    /// The largest size of the same shape that is no larger than so many pixels on its longer side; even, as encoders want it.
    public func fitting(longerSide most: Int) -> PictureSize {
        let scale = min(1, Double(most) / Double(max(width, height, 1)))
        func even(_ side: Int) -> Int { max(2, Int((Double(side) * scale / 2).rounded()) * 2) }
        return PictureSize(width: even(width), height: even(height))
    }
}
