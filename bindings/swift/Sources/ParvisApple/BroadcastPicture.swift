import Parvis

/// A picture on its way from a broadcast extension to its app: a head, then the rows of luma and of the two differences.
enum BroadcastPicture {
    /// What comes before the rows.
    struct Head: Equatable {
        let width: Int
        let height: Int
        let rotation: Rotation

        /// Bytes of the rows.
        var length: Int { width * height + (height + 1) / 2 * chromaStride }

        /// Bytes of a row of the differences.
        var chromaStride: Int { (width + 1) / 2 * 2 }

        /// As large as it is upright.
        var size: PictureSize {
            PictureSize(width: width, height: height).turned(byDegrees: Int(rotation.rawValue))
        }
    }

    /// Bytes of a head.
    static let headLength = 16
    /// The most pixels of a side; both ends are of one app, so more is no picture.
    static let longestSide = 4096
    /// What a head begins with.
    private static let mark: UInt32 = 0x5056_5331

    /// The head, big endian.
    static func bytes(of head: Head) -> [UInt8] {
        [mark, UInt32(head.width), UInt32(head.height), UInt32(head.rotation.rawValue)].flatMap { number in
            withUnsafeBytes(of: number.bigEndian) { [UInt8]($0) }
        }
    }

    /// The head in these bytes; `nil`: it is none.
    static func head(in bytes: [UInt8]) -> Head? {
        guard bytes.count == headLength else { return nil }
        let numbers = stride(from: 0, to: headLength, by: 4).map { at in
            bytes[at..<at + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        let sides = 1...UInt32(longestSide)
        guard numbers[0] == mark, sides.contains(numbers[1]), sides.contains(numbers[2]),
            let rotation = Rotation(rawValue: Int32(truncatingIfNeeded: numbers[3]))
        else { return nil }
        return Head(width: Int(numbers[1]), height: Int(numbers[2]), rotation: rotation)
    }

    /// The rows of a picture without what is between them, behind its head.
    static func pack(_ picture: NV12Picture, _ head: Head, into message: inout [UInt8]) {
        message.removeAll(keepingCapacity: true)
        message += bytes(of: head)
        append(picture.y, rows: head.height, count: head.width, to: &message)
        append(picture.uv, rows: (head.height + 1) / 2, count: head.chromaStride, to: &message)
    }

    /// Lends the picture that these rows are.
    static func with<Result>(_ rows: [UInt8], _ head: Head, _ use: (NV12Picture) throws -> Result) rethrows -> Result {
        try rows.withUnsafeBytes { bytes in
            let luma = head.width * head.height
            return try use(
                NV12Picture(
                    width: head.width, height: head.height,
                    y: PlaneBytes(bytes: UnsafeRawBufferPointer(rebasing: bytes[..<luma]), stride: head.width),
                    uv: PlaneBytes(bytes: UnsafeRawBufferPointer(rebasing: bytes[luma...]), stride: head.chromaStride)
                ))
        }
    }

    private static func append(_ plane: PlaneBytes, rows: Int, count: Int, to message: inout [UInt8]) {
        for row in 0..<rows {
            message += plane.bytes[row * plane.stride..<row * plane.stride + count]
        }
    }
}
