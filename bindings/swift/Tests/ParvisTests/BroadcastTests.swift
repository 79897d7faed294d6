import Foundation
import Parvis
import XCTest

@testable import ParvisApple

/// The way of a broadcast's pictures from an extension to its app.
final class BroadcastTests: XCTestCase {
    private let path = FileManager.default.temporaryDirectory.appendingPathComponent("cast-\(getpid())").path

    /// A screen of a test, and the pictures that it was given.
    private final class Shown: BroadcastScreen {
        let pictures: AsyncStream<[UInt8]>
        private let continuation: AsyncStream<[UInt8]>.Continuation

        init() {
            (pictures, continuation) = AsyncStream.makeStream()
        }

        func push(_ picture: NV12Picture, rotation: Rotation, at timestamp: MediaTime?) {
            continuation.yield([UInt8](picture.y.bytes) + [UInt8](picture.uv.bytes))
        }
    }

    /// A picture of 5 x 3 whose rows are further apart than they are long.
    private func send(_ sender: BroadcastSender, _ first: UInt8, rotation: Rotation = .none) throws {
        let (y, uv) = ((0..<24).map { first + UInt8($0) }, (100..<116).map { UInt8($0) })
        try y.withUnsafeBytes { y in
            try uv.withUnsafeBytes { uv in
                let picture = NV12Picture(
                    width: 5, height: 3, y: PlaneBytes(bytes: y, stride: 8), uv: PlaneBytes(bytes: uv, stride: 8))
                while try !sender.send(picture, rotation: rotation) {}
            }
        }
    }

    func testPicturesOfABroadcastComeToTheAppAsTheyAre() async throws {
        let (receiver, shown) = (try BroadcastReceiver(socket: path), Shown())
        receiver.give(to: shown)
        var events = receiver.events().makeAsyncIterator()
        var pictures = shown.pictures.makeAsyncIterator()
        var sender: BroadcastSender? = try BroadcastSender(socket: path)
        try send(sender!, 0)
        let began = await events.next()
        XCTAssertEqual(began, .began(PictureSize(width: 5, height: 3)))
        let picture = await pictures.next()
        let luma: [UInt8] = [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 16, 17, 18, 19, 20]
        XCTAssertEqual(picture, luma + [100, 101, 102, 103, 104, 105, 108, 109, 110, 111, 112, 113])
        try send(sender!, 7, rotation: .clockwise)
        let turned = await events.next()
        XCTAssertEqual(turned, .turned(PictureSize(width: 3, height: 5)))
        // The one before is given again each second.
        var next = await pictures.next()
        while next?.first == 0 { next = await pictures.next() }
        XCTAssertEqual(next?.first, 7)
        let still = await pictures.next()
        XCTAssertEqual(still, next, "for those who come later")
        sender = nil
        let ended = await events.next()
        XCTAssertEqual(ended, .ended)

        // Another broadcast, which the app ends.
        let again = try BroadcastSender(socket: path)
        try send(again, 0)
        let beganAgain = await events.next()
        XCTAssertEqual(beganAgain, .began(PictureSize(width: 5, height: 3)))
        receiver.end()
        let endedAgain = await events.next()
        XCTAssertEqual(endedAgain, .ended)
        XCTAssertThrowsError(try { while true { try send(again, 0) } }())
    }

    func testAReceiverInThePlaceOfAnotherHearsTheNextBroadcast() async throws {
        var receiver = try BroadcastReceiver(socket: path)
        receiver = try BroadcastReceiver(socket: path)
        var events = receiver.events().makeAsyncIterator()
        let sender = try BroadcastSender(socket: path)
        try send(sender, 0)
        let began = await events.next()
        XCTAssertEqual(began, .began(PictureSize(width: 5, height: 3)))
    }

    func testOneThatIsEndedWaitsNoMore() async throws {
        let listener = try UnixListener(at: path)
        let waiting = Task.detached { listener.accepted() == nil }
        listener.end()
        let isOver = try await within("it waits no more") { await waiting.value }
        XCTAssertTrue(isOver)
        XCTAssertFalse(FileManager.default.fileExists(atPath: path))
    }

    func testWhatIsNoPictureEndsTheBroadcast() async throws {
        let receiver = try BroadcastReceiver(socket: path)
        var events = receiver.events().makeAsyncIterator()
        let stranger = try UnixSocket.connected(to: path)
        try stranger.write([UInt8](repeating: 0xff, count: BroadcastPicture.headLength))
        XCTAssertNil(stranger.read(1), "it is closed")
        // The next one is heard.
        try send(try BroadcastSender(socket: path), 0)
        let began = await events.next()
        XCTAssertEqual(began, .began(PictureSize(width: 5, height: 3)))
    }

    func testAnAppThatStandsStillHoldsNoExtension() async throws {
        let app = try UnixListener(at: path)
        defer { app.end() }
        let sender = try BroadcastSender(socket: path)
        let accepted = app.accepted()
        // More than the system keeps for somebody who reads nothing.
        let side = 2048
        let plane = [UInt8](repeating: 0, count: side * side)
        XCTAssertThrowsError(
            try plane.withUnsafeBytes { bytes in
                let rows = PlaneBytes(bytes: bytes, stride: side)
                try sender.send(NV12Picture(width: side, height: side, y: rows, uv: rows))
            }
        ) { XCTAssertEqual(($0 as? POSIXError)?.code, .EAGAIN) }
        withExtendedLifetime(accepted) {}
    }

    func testHeadsOfPictures() {
        let head = BroadcastPicture.Head(width: 1280, height: 719, rotation: .counterclockwise)
        let bytes = BroadcastPicture.bytes(of: head)
        XCTAssertEqual(BroadcastPicture.head(in: bytes), head)
        XCTAssertEqual(head.length, 1280 * 719 + 360 * 1280)
        // All but the low bytes of the sides.
        for at in [0, 1, 2, 3, 4, 5, 8, 9, 12, 13, 14, 15] {
            var other = bytes
            other[at] ^= 0x80
            XCTAssertNil(BroadcastPicture.head(in: other), "\(at)")
        }
        XCTAssertNil(BroadcastPicture.head(in: bytes.dropLast()))
        XCTAssertNil(BroadcastPicture.head(in: BroadcastPicture.bytes(of: .init(width: 0, height: 9, rotation: .none))))
    }

    func testNobodyWaits() {
        XCTAssertThrowsError(try BroadcastSender(socket: path))
        XCTAssertThrowsError(try BroadcastReceiver(socket: "/no/such/folder/cast"))
        XCTAssertThrowsError(try BroadcastReceiver(socket: String(repeating: "x", count: 200))) { error in
            XCTAssertEqual((error as? POSIXError)?.code, .ENAMETOOLONG)
        }
    }

    func testSizesThatFit() {
        let phone = PictureSize(width: 1179, height: 2556)
        XCTAssertEqual(phone.fitting(longerSide: 1280), PictureSize(width: 590, height: 1280))
        let small = PictureSize(width: 102, height: 50)
        XCTAssertEqual(small.fitting(longerSide: 1280), small)
        XCTAssertEqual(phone.turned(byDegrees: 270), PictureSize(width: 2556, height: 1179))
        XCTAssertEqual(phone.turned(byDegrees: 180), phone)
    }
}
