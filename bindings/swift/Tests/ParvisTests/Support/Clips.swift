import Foundation
import Parvis

/// A clip of raw pictures (y4m, 4:2:0), repeated without end.
struct VideoClip {
    let width: Int
    let height: Int
    let count: Int
    private let data: Data
    private let frames: Int

    init(_ name: String) throws {
        data = try Data(contentsOf: clip(name), options: .mappedIfSafe)
        let end = data.firstIndex(of: UInt8(ascii: "\n"))!
        let header = String(decoding: data[..<end], as: UTF8.self).split(separator: " ")
        width = Int(header.first { $0.hasPrefix("W") }!.dropFirst())!
        height = Int(header.first { $0.hasPrefix("H") }!.dropFirst())!
        frames = end + 1
        count = (data.count - frames) / (6 + width * height * 3 / 2)
    }

    /// Lends a picture.
    func with<Result>(_ number: Int, _ use: (I420Picture) throws -> Result) rethrows -> Result {
        let (luma, chroma) = (width * height, width * height / 4)
        // Each frame begins with the line FRAME.
        let start = frames + (number % count) * (6 + luma + 2 * chroma) + 6
        return try data.withUnsafeBytes { bytes in
            func plane(_ from: Int, _ count: Int, _ stride: Int) -> PlaneBytes {
                PlaneBytes(bytes: UnsafeRawBufferPointer(rebasing: bytes[from..<from + count]), stride: stride)
            }
            return try use(I420Picture(
                width: width, height: height,
                y: plane(start, luma, width),
                u: plane(start + luma, chroma, width / 2),
                v: plane(start + luma + chroma, chroma, width / 2)
            ))
        }
    }

    /// How like a received picture is to one of the clip, in decibels of the luma; 100: the same.
    func likeness(of picture: Picture, to number: Int) -> Double {
        guard picture.width == width, picture.height == height else { return 0 }
        return with(number) { source in
            picture.withPlanes { y, _, _ in
                var sum = 0
                for row in 0..<height {
                    for column in 0..<width {
                        let one = Int(y.bytes[row * y.stride + column])
                        let other = Int(source.y.bytes[row * source.y.stride + column])
                        sum += (one - other) * (one - other)
                    }
                }
                guard sum > 0 else { return 100 }
                return 10 * log10(255 * 255 * Double(width * height) / Double(sum))
            }
        }
    }
}

/// Sound of a file (wav, 16 bits, 48 kHz, mono), repeated without end.
struct AudioClip {
    /// 20 ms.
    static let frame = 960
    let samples: [Float]

    init(_ name: String) throws {
        let data = try Data(contentsOf: clip(name))
        let start = data.range(of: Data("data".utf8))!.upperBound + 4
        samples = data[start...].withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count - 1, by: 2).map { at in
                Float(Int16(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: Int16.self))) / 32768
            }
        }
    }

    /// A stretch of 20 ms.
    func frame(_ number: Int) -> [Float] {
        let count = samples.count / Self.frame
        let start = (number % count) * Self.frame
        return Array(samples[start..<start + Self.frame])
    }

    /// How like what was heard is to a stretch of the clip that begins near that sample, 0 to 1, wherever in a frame's time.
    func likeness(of heard: [Float], near start: Int) -> Double {
        var best = 0.0
        for lag in stride(from: -Self.frame, through: Self.frame, by: 8) {
            var (dot, own, other) = (0.0, 0.0, 0.0)
            for (index, value) in heard.enumerated() {
                let at = start + lag + index
                guard samples.indices.contains(at) else { continue }
                dot += Double(value) * Double(samples[at])
                own += Double(value) * Double(value)
                other += Double(samples[at]) * Double(samples[at])
            }
            if own > 0, other > 0 { best = max(best, dot / (own * other).squareRoot()) }
        }
        return best
    }
}

private func clip(_ name: String) -> URL {
    let folder = ProcessInfo.processInfo.environment["PARVIS_CLIPS"] ?? "."
    return URL(fileURLWithPath: folder).appendingPathComponent(name)
}
