/// H.264 and H.265 as they are sent: NAL units behind start codes, where Apple's systems have lengths before them.
enum AnnexB {
    /// Which of the two, with what they call their units.
    enum Codec: Equatable {
        case h264
        case h265

        /// That of a codec string; `nil`: it is neither.
        init?(of codec: String) {
            switch codec.prefix(5) {
            case "avc1.", "avc3.": self = .h264
            case "hvc1.", "hev1.": self = .h265
            default: return nil
            }
        }

        /// Whether a unit is a parameter set, by its first byte.
        func isParameterSet(_ head: UInt8) -> Bool {
            switch self {
            // Sequence and picture.
            case .h264: (7...8).contains(head & 0x1f)
            // Video, sequence and picture.
            case .h265: (32...34).contains(head >> 1 & 0x3f)
            }
        }
    }

    /// The ranges of the NAL units in a frame, without their start codes.
    static func units(in bytes: UnsafeRawBufferPointer) -> [Range<Int>] {
        var units: [Range<Int>] = []
        var (start, at): (Int?, Int) = (nil, 0)
        while at + 2 < bytes.count {
            guard bytes[at] == 0, bytes[at + 1] == 0, bytes[at + 2] == 1 else {
                at += 1
                continue
            }
            // A start code of four bytes begins with one more zero.
            let end = at > 0 && bytes[at - 1] == 0 ? at - 1 : at
            if let start, start < end { units.append(start..<end) }
            at += 3
            start = at
        }
        if let start, start < bytes.count { units.append(start..<bytes.count) }
        return units
    }

    /// Appends a NAL unit behind a start code.
    static func append(_ unit: UnsafeRawBufferPointer, to frame: inout [UInt8]) {
        frame += [0, 0, 0, 1]
        frame += unit
    }

    /// Appends units that have their length before them, four bytes, big endian; returns whether they were whole.
    static func append(lengthPrefixed bytes: UnsafeRawBufferPointer, to frame: inout [UInt8]) -> Bool {
        var at = 0
        while at + 4 <= bytes.count {
            let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= bytes.count - at - 4 else { return false }
            append(UnsafeRawBufferPointer(rebasing: bytes[at + 4..<at + 4 + length]), to: &frame)
            at += 4 + length
        }
        return at == bytes.count
    }

    /// Appends a unit with its length before it.
    static func append(prefixing unit: UnsafeRawBufferPointer, to frame: inout [UInt8]) {
        frame += withUnsafeBytes(of: UInt32(unit.count).bigEndian) { [UInt8]($0) }
        frame += unit
    }
}
