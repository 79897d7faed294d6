import Foundation
import Parvis

/// The scenario's pictures (y4m, 4:2:0), over and over.
struct VideoClip: Sendable {
    let width: Int
    let height: Int
    let count: Int
    private let data: Data
    private let frames: Int

    init() throws {
        data = try Data(contentsOf: media("camera.y4m"))
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
            return try use(
                I420Picture(
                    width: width, height: height,
                    y: plane(start, luma, width),
                    u: plane(start + luma, chroma, width / 2),
                    v: plane(start + luma + chroma, chroma, width / 2)
                ))
        }
    }
}

/// A picture of two planes whose rows are further apart than they are long: luma grows to the right, blue and red are one
/// value each.
struct NV12Clip: Sendable {
    static let (blue, red): (UInt8, UInt8) = (90, 170)
    let width: Int
    let height: Int
    private let stride: Int
    private let luma: [UInt8]
    private let chroma: [UInt8]

    init(width: Int, height: Int) {
        let stride = (width + 1) / 2 * 2 + 32
        (self.width, self.height, self.stride) = (width, height, stride)
        let row = (0..<stride).map { UInt8(16 + $0 * 200 / stride) }
        luma = Array(repeatElement(row, count: height).joined())
        chroma = (0..<stride * ((height + 1) / 2)).map { $0 % 2 == 0 ? Self.blue : Self.red }
    }

    /// Luma of a column.
    func luma(at column: Int) -> UInt8 { luma[column] }

    /// Lends it.
    func with<Result>(_ use: (NV12Picture) throws -> Result) rethrows -> Result {
        try luma.withUnsafeBytes { y in
            try chroma.withUnsafeBytes { uv in
                try use(
                    NV12Picture(
                        width: width, height: height, y: PlaneBytes(bytes: y, stride: stride),
                        uv: PlaneBytes(bytes: uv, stride: stride)))
            }
        }
    }
}

extension VideoFrame {
    /// The number in the bar code along the upper edge; `nil`: there is none that is whole.
    var number: Int? {
        withPlanes { y, _, _ in
            let row = max(4, height / 10) / 2
            var bits: UInt32 = 0
            for cell in 0..<32 {
                let middle = (2 * cell + 1) * width / 64
                bits = bits << 1 | (y.bytes[row * y.stride + middle] > 128 ? 1 : 0)
            }
            let number = bits >> 8
            let check = (number &* 0x9e37_79b1) >> 24 ^ 0xa5
            return check == bits & 0xff ? Int(number) : nil
        }
    }
}

/// The scenario's sound (wav, 16 bits, 48 kHz, mono), over and over.
struct AudioClip: Sendable {
    /// 20 ms.
    static let frame = 960
    private let samples: [Int16]

    init() throws {
        let data = try Data(contentsOf: media("microphone.wav"))
        let start = data.range(of: Data("data".utf8))!.upperBound + 4
        samples = data[start...].withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count - 1, by: 2).map { at in
                Int16(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: Int16.self))
            }
        }
    }

    /// Lends a stretch of 20 ms.
    func with<Result>(_ number: Int, _ use: (UnsafeBufferPointer<Int16>) throws -> Result) rethrows -> Result {
        let start = number % (samples.count / Self.frame) * Self.frame
        return try samples.withUnsafeBufferPointer { samples in
            try use(UnsafeBufferPointer(rebasing: samples[start..<start + Self.frame]))
        }
    }
}

/// How much louder one tone is than another in sound of 48 kHz, in decibels.
func decibels(of tone: Double, over other: Double, in samples: [Float]) -> Double {
    func power(_ frequency: Double) -> Double {
        var (real, imaginary) = (0.0, 0.0)
        for (index, sample) in samples.enumerated() {
            let angle = 2 * Double.pi * frequency * Double(index) / 48_000
            real += Double(sample) * cos(angle)
            imaginary += Double(sample) * sin(angle)
        }
        return real * real + imaginary * imaginary
    }
    return 10 * log10(max(power(tone), 1e-12) / max(power(other), 1e-12))
}

private func media(_ name: String) -> URL {
    let folder = ProcessInfo.processInfo.environment["PARVIS_MEDIA"] ?? "."
    return URL(fileURLWithPath: folder).appendingPathComponent(name)
}
