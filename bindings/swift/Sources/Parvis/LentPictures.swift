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
    /// The red difference; its stride is that of ``u``.
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
