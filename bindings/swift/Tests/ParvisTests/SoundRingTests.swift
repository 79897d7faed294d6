import XCTest

@testable import ParvisApple

/// Sound between a thread that may not wait and one that may.
final class SoundRingTests: XCTestCase {
    private func read(_ ring: SoundRing, _ most: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: most) { samples, count in
            count = ring.read(into: UnsafeMutableBufferPointer(rebasing: samples[..<most]))
        }
    }

    private func write(_ ring: SoundRing, _ samples: [Float]) {
        samples.withUnsafeBufferPointer(ring.write)
    }

    func testWhatGoesInComesOutInOrder() {
        let ring = SoundRing(capacity: 5)
        XCTAssertEqual(read(ring, 3), [])
        for first in stride(from: Float(0), to: 40, by: 4) {
            write(ring, [first, first + 1])
            write(ring, [first + 2, first + 3])
            XCTAssertEqual(ring.count, 4)
            XCTAssertEqual(read(ring, 3), [first, first + 1, first + 2])
            XCTAssertEqual(read(ring, 3), [first + 3])
        }
    }

    func testTheOldestOfTooMuchIsLost() {
        let ring = SoundRing(capacity: 4)
        write(ring, [1, 2, 3])
        write(ring, [4, 5, 6])
        XCTAssertEqual(read(ring, 9), [3, 4, 5, 6])
        write(ring, [1, 2, 3, 4, 5, 6, 7])
        XCTAssertEqual(read(ring, 9), [4, 5, 6, 7])
    }

    func testItIsFilledAheadAndNoFurther() throws {
        let ring = SoundRing(capacity: 100)
        var next: Float = 0
        let mix = { (samples: UnsafeMutableBufferPointer<Float>) in
            for index in samples.indices {
                samples[index] = next
                next += 1
            }
        }
        ring.fill(to: 20, by: 8, mix)
        XCTAssertEqual(ring.count, 24)
        XCTAssertEqual(read(ring, 10), (0..<10).map(Float.init))
        ring.fill(to: 20, by: 8, mix)
        ring.fill(to: 20, by: 8, mix)
        XCTAssertEqual(read(ring, 100), (10..<32).map(Float.init))

        struct Over: Error {}
        XCTAssertThrowsError(try ring.fill(to: 20, by: 8) { _ in throw Over() })
        XCTAssertEqual(ring.count, 0)
    }
}
