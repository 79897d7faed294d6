import XCTest

@testable import ParvisApple

final class AnnexBTests: XCTestCase {
    func testUnitsAreFoundBehindStartCodesOfBothLengths() {
        let frame: [UInt8] = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 0, 0, 4]
        let units = frame.withUnsafeBytes { bytes in AnnexB.units(in: bytes).map { [UInt8](bytes[$0]) } }
        XCTAssertEqual(units, [[0x67, 1, 2], [0x68, 3], [0x65, 0, 0, 4]])
        for none in [[], [1, 2], [0, 0, 1], [0, 0, 0, 1]] as [[UInt8]] {
            XCTAssertEqual(none.withUnsafeBytes { AnnexB.units(in: $0) }, [])
        }
    }

    func testParameterSetsAreToldFromPictures() {
        XCTAssertEqual(AnnexB.Codec(of: "avc1.42E01F"), .h264)
        XCTAssertEqual(AnnexB.Codec(of: "hvc1.1.6.L93.B0"), .h265)
        XCTAssertNil(AnnexB.Codec(of: "av01.0.04M.08"))
        let (h264, h265): ([UInt8], [UInt8]) = ([0x67, 0x68, 0x65, 0x41], [0x40, 0x42, 0x44, 0x26, 0x02])
        XCTAssertEqual(h264.map(AnnexB.Codec.h264.isParameterSet), [true, true, false, false])
        XCTAssertEqual(h265.map(AnnexB.Codec.h265.isParameterSet), [true, true, true, false, false])
    }

    func testLengthsBecomeStartCodesAndStartCodesLengths() {
        let (first, second): ([UInt8], [UInt8]) = ([0x65, 9], [0x41])
        var prefixed: [UInt8] = []
        for unit in [first, second] { unit.withUnsafeBytes { AnnexB.append(prefixing: $0, to: &prefixed) } }
        XCTAssertEqual(prefixed, [0, 0, 0, 2, 0x65, 9, 0, 0, 0, 1, 0x41])
        var frame: [UInt8] = []
        XCTAssertTrue(prefixed.withUnsafeBytes { AnnexB.append(lengthPrefixed: $0, to: &frame) })
        XCTAssertEqual(frame, [0, 0, 0, 1, 0x65, 9, 0, 0, 0, 1, 0x41])
        XCTAssertFalse(prefixed.dropLast().withUnsafeBytes { AnnexB.append(lengthPrefixed: $0, to: &frame) })
    }
}
