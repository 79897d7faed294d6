import Foundation
import Parvis
import XCTest

/// Codecs of the app, and frames that it encodes.
final class CodecTests: XCTestCase {
    nonisolated(unsafe) private static var site: Site?

    override class func tearDown() {
        site?.stop()
        site = nil
    }

    /// Zoé is seen, Alice sees.
    private func meeting(_ zoes: Codecs = Codecs(), _ alices: Codecs = Codecs()) async throws -> (Meeting, Meeting) {
        let site = try Self.site ?? Site()
        Self.site = site
        let link = try site.room("--access", "public", "--host-gate", "false")
        let alice = try await site.join(link, "Alice", codecs: alices)
        let zoe = try await site.join(link, "Zoé", codecs: zoes)
        for meeting in [alice, zoe] {
            try await meeting.expect("both are in") { $0.isConnected && $0.participants.count == 2 }
        }
        return (alice, zoe)
    }

    /// Films until Alice has seen so many pictures in their order; returns the decoder that was at work last.
    private func seen(_ alice: Meeting, _ zoe: Meeting, _ count: Int, _ camera: Camera) async throws -> CodecInUse? {
        let player = try Player(camera: camera)
        let target = VideoTarget(width: 320, height: 180)
        let picture = try alice.picture(of: zoe.state.me, source: .camera, target: target)
        let numbers = try await within("\(count) pictures", seconds: 60) {
            var numbers: [Int] = []
            for await frame in picture {
                numbers.append(frame.number ?? -1)
                if numbers.count == count { break }
            }
            return numbers
        }
        await player.stop()
        XCTAssertEqual(numbers.count, count)
        XCTAssertTrue(numbers.allSatisfy { $0 >= 0 }, "\(numbers)")
        // The file begins again after 45 of them.
        let inOrder = zip(numbers, numbers.dropFirst()).allSatisfy { $1 > $0 || $1 < 15 && $0 > 30 }
        XCTAssertTrue(inOrder, "\(numbers)")
        return picture.codec
    }

    private func leave(_ meetings: Meeting...) async throws {
        for meeting in meetings { try await meeting.leave() }
    }

    func testPicturesGoThroughTheAppsEncoderAndDecoder() async throws {
        let (encoders, decoders) = (FakeHardware(), FakeHardware())
        let (alice, zoe) = try await meeting(Codecs(videoEncoders: encoders), Codecs(videoDecoders: decoders))
        let (sent, received) = (zoe.events(), alice.events())
        let camera = try await zoe.camera(width: 320, height: 180, frameRate: 15)
        let fake = CodecInUse(backend: FakeHardware.name, codec: FakeHardware.codec, fallback: nil)
        let decoder = try await seen(alice, zoe, 20, camera)
        XCTAssertEqual(decoder, fake)
        XCTAssertEqual(try camera.stats().map(\.codec), [fake])
        for events in [sent, received] {
            try await events.expect("the codec is told") { event in
                if case .codec(_, "camera/180p", .inUse(fake)) = event { true } else { nil }
            }
        }
        try camera.turnOff()
        try await leave(zoe, alice)
        XCTAssertGreaterThanOrEqual(encoders.frames, 20)
        XCTAssertGreaterThanOrEqual(decoders.frames, 20)
        try await eventually("all are released") { encoders.open + decoders.open == 0 }
    }

    func testWhereTheAppHasNoneTheBuiltInOneSaysWhy() async throws {
        struct NoneHere: Error {}
        let cases: [(NoCodecs, CodecFallback?)] = [
            (NoCodecs { nil }, .notOffered),
            (NoCodecs { throw ParvisError(.codec, "busy") }, nil),
            (NoCodecs { throw NoneHere() }, nil),
        ]
        for (none, expected) in cases {
            let codecs = Codecs(videoEncoders: none, videoDecoders: none)
            let (alice, zoe) = try await meeting(codecs, codecs)
            let camera = try await zoe.camera(width: 320, height: 180, frameRate: 15)
            let decoder = try await seen(alice, zoe, 3, camera)
            let encoder = try camera.stats().first?.codec
            for codec in [decoder, encoder] {
                XCTAssertTrue(codec?.codec.hasPrefix("av01") ?? false, "\(String(describing: codec))")
                if let expected {
                    XCTAssertEqual(codec?.fallback, expected)
                } else if case .notOpened(let reason) = codec?.fallback {
                    XCTAssertTrue(reason.contains("busy") || reason.contains("NoneHere"), reason)
                } else {
                    XCTFail("\(String(describing: codec))")
                }
            }
            try await leave(zoe, alice)
        }
    }

    func testAnEncoderThatFailsInMidCallIsReplaced() async throws {
        for (failure, reason) in [(FakeHardware.Failure.throwing, "TakenAway"), (.saying, "too hot")] {
            let (encoders, decoders) = (FakeHardware(failAfter: 10, failure), FakeHardware())
            let (alice, zoe) = try await meeting(Codecs(videoEncoders: encoders), Codecs(videoDecoders: decoders))
            let told = zoe.events()
            let camera = try await zoe.camera(width: 320, height: 180, frameRate: 15)
            let decoder = try await seen(alice, zoe, 30, camera)
            XCTAssertTrue(decoder?.codec.hasPrefix("av01") ?? false, "\(String(describing: decoder))")
            let why = try await told.expect("the fallback is told") { event -> String? in
                guard case .codec(_, _, .inUse(let codec)) = event, case .failed(let why) = codec.fallback else {
                    return nil
                }
                return why
            }
            XCTAssertTrue(why.contains(reason), why)
            try await leave(zoe, alice)
            try await eventually("all are released") { encoders.open + decoders.open == 0 }
        }
    }

    func testADecoderThatFailsInMidCallIsReplaced() async throws {
        let broken = BrokenDecoders()
        let (alice, zoe) = try await meeting(Codecs(), Codecs(videoDecoders: broken))
        let camera = try await zoe.camera(width: 320, height: 180, frameRate: 15)
        let decoder = try await seen(alice, zoe, 5, camera)
        guard case .failed(let reason) = decoder?.fallback else { return XCTFail("\(String(describing: decoder))") }
        XCTAssertTrue(reason.contains("TakenAway"), reason)
        try await leave(zoe, alice)
    }

    func testADecoderThatFailsWithNoOtherInItsPlaceIsTold() async throws {
        let decoders = FakeHardware(failAfter: 3)
        let (alice, zoe) = try await meeting(
            Codecs(videoEncoders: FakeHardware()), Codecs(videoDecoders: decoders))
        let told = alice.events()
        let camera = try await zoe.camera(width: 320, height: 180, frameRate: 15)
        let player = try Player(camera: camera)
        let target = VideoTarget(width: 320, height: 180)
        let picture = try alice.picture(of: zoe.state.me, source: .camera, target: target)
        let watching = Task { for await _ in picture {} }
        let (codec, fallback) = try await told.expect("no decoder") { event in
            if case .codec(_, _, .noDecoder(let codec, let fallback)) = event { (codec, fallback) } else { nil }
        }
        XCTAssertEqual(codec, FakeHardware.codec)
        guard case .failed(let reason) = fallback else { return XCTFail("\(String(describing: fallback))") }
        XCTAssertTrue(reason.contains("TakenAway"), reason)
        // It is told by the decoder, before whoever takes the picture knows.
        try await eventually("it is among the undecodable") { await picture.undecodable() == [FakeHardware.codec] }
        picture.cancel()
        await watching.value
        await player.stop()
        try await leave(zoe, alice)
        try await eventually("it is released") { decoders.open == 0 }
    }

    func testACodecThatNobodyHereDecodesIsTold() async throws {
        let (alice, zoe) = try await meeting(Codecs(videoEncoders: FakeHardware()))
        let told = alice.events()
        let camera = try await zoe.camera(width: 320, height: 180, frameRate: 15)
        let target = VideoTarget(width: 320, height: 180)
        let picture = try alice.picture(of: zoe.state.me, source: .camera, target: target)
        let waiting = Task { await picture.next() == nil }
        let codec = try await told.expect("no decoder") { event in
            if case .codec(_, "camera/180p", .noDecoder(let codec, fallback: nil)) = event { codec } else { nil }
        }
        XCTAssertEqual(codec, FakeHardware.codec)
        let undecodable = await picture.undecodable()
        XCTAssertEqual(undecodable, [FakeHardware.codec])
        picture.cancel()
        let isOver = try await within("the picture ends") { await waiting.value }
        XCTAssertTrue(isOver)
        try camera.turnOff()
        try await leave(zoe, alice)
    }

    func testFramesThatTheAppEncodedArriveAsTheyAre() async throws {
        let (alice, zoe) = try await meeting()
        let params = VideoParams(
            codec: FakeHardware.codec, width: 320, height: 180, framerate: 15, bitrate: 500_000, config: Data([1, 2]))
        try await arrive(alice, zoe, .camera, try await zoe.cameraEncoded([params]))
        try await arrive(alice, zoe, .screen, try await zoe.screenEncoded([params]))
        try await leave(zoe, alice)
    }

    private func arrive(_ alice: Meeting, _ zoe: Meeting, _ source: Source, _ encoded: EncodedSource) async throws {
        // A question that is given up loses no answer.
        let impatient = Task { await encoded.nextDemand() }
        impatient.cancel()
        _ = await impatient.value
        let target = VideoTarget(width: 320, height: 180)
        let shown = try alice.pictureEncoded(of: zoe.state.me, source: source, target: target)
        let first = Task { await shown.next() }
        try await demanded(encoded, .watched(layer: 0, watched: true))
        let (bytes, captured) = ([UInt8]((0..<5000).map { UInt8(truncatingIfNeeded: $0 * 7) }), MediaTime.now)
        try bytes.withUnsafeBytes { try encoded.push($0, at: captured, key: true) }
        let picture = try await within("the frame") { await first.value }
        XCTAssertEqual(picture?.frame.timestamp, captured)
        XCTAssertEqual(picture?.frame.isKey, true)
        XCTAssertEqual(picture?.frame.withBytes { [UInt8]($0) }, bytes)
        XCTAssertEqual(picture?.begins?.codec, FakeHardware.codec)
        XCTAssertEqual(picture?.begins?.config, Data([1, 2]))
        let next = Task { await shown.next() }
        shown.askKey()
        try await demanded(encoded, .keyFrame(layer: 0))
        let later = MediaTime(microseconds: captured.microseconds + 66_000)
        try bytes.withUnsafeBytes { try encoded.push($0, at: later, key: true) }
        let second = try await within("the next frame") { await next.value }
        XCTAssertEqual(second?.frame.timestamp, later)
        XCTAssertNil(second?.begins)
        await assertFails(.badFrame) {
            try encoded.push(UnsafeRawBufferPointer(start: nil, count: 0), at: later, key: true)
        }
        for none in [-1, 1] {
            await assertFails(.badArgument) {
                try bytes.withUnsafeBytes { try encoded.push($0, layer: none, at: later, key: true) }
            }
        }
        try await encoded.mute()
        try await demanded(encoded, .paused(paused: true))
        try encoded.turnOff()
        await assertFails(.left) { try encoded.turnOff() }
    }

    private func demanded(_ source: EncodedSource, _ wanted: EncodedDemand) async throws {
        try await within("\(wanted)") {
            for await demand in source.demands() where demand == wanted { return }
            throw TookTooLong(what: "\(wanted), and the demands are over")
        }
    }
}

/// Factories that have nothing, for a reason.
private final class NoCodecs: VideoEncoderFactory, VideoDecoderFactory {
    private let why: @Sendable () throws -> Void?

    init(_ why: @escaping @Sendable () throws -> Void?) {
        self.why = why
    }

    func makeEncoder(_ config: VideoEncoderConfig, sink: EncodedSink) throws -> (any VideoEncoder)? {
        _ = try why()
        return nil
    }

    func makeDecoder(_ stream: VideoParams, sink: PictureSink) throws -> (any VideoDecoder)? {
        _ = try why()
        return nil
    }
}

/// Decoders that take a few frames, make nothing of them, and break.
private final class BrokenDecoders: VideoDecoderFactory {
    func makeDecoder(_ stream: VideoParams, sink: PictureSink) -> (any VideoDecoder)? { Broken() }

    private final class Broken: VideoDecoder, @unchecked Sendable {
        let caps = VideoDecoderCaps(name: "Broken", delayFrames: 0)
        private var frames = 0

        func decode(_ frame: EncodedFrame) throws {
            // One thread at a time.
            frames += 1
            if frames == 3 { throw FakeHardware.TakenAway() }
        }

        func reset() {}
        func flush() {}
        func release() {}
    }
}
