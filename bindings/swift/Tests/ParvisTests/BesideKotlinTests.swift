import Foundation
import Parvis
import XCTest

/// This side of a meeting with bindings/across/kotlin, which runs it.
final class BesideKotlinTests: XCTestCase {
    func testAKotlinClientAndThisOneSeeAndHearEachOtherAndChat() async throws {
        guard let link = ProcessInfo.processInfo.environment["PARVIS_LINK"] else {
            throw XCTSkip("the Kotlin client runs this")
        }
        var options = JoinOptions(name: "Swift", device: "device-of-swift")
        options.trust = .anyone
        let meeting = try await Meeting.join(link, options: options)
        let state = try await meeting.expect("Kotlin lets this one in") {
            $0.isConnected && $0.participants.contains { $0.name == "Kotlin" }
        }
        let other = state.participants.first { $0.name == "Kotlin" }!.id
        let events = meeting.events()
        let (camera, microphone) = (
            try await meeting.camera(width: 320, height: 180, frameRate: 15), try await meeting.microphone()
        )
        let players = [try Player(camera: camera), try Player(microphone: microphone)]

        let target = VideoTarget(width: 320, height: 180)
        let picture = try meeting.picture(of: other, source: .camera, target: target)
        let numbers = try await within("ten pictures", seconds: 60) {
            var numbers: [Int?] = []
            for await frame in picture {
                numbers.append(frame.number)
                if numbers.count == 10 { break }
            }
            return numbers
        }
        XCTAssertTrue(numbers.allSatisfy { (0..<45).contains($0 ?? -1) }, "\(numbers)")
        XCTAssertGreaterThan(Set(numbers).count, 5, "\(numbers)")
        let voice = try meeting.voice(of: other)
        try await within("the tone", seconds: 60) {
            for await sound in voice {
                if sound.withSamples({ decibels(of: 220, over: 3000, in: Array($0)) }) > 20 { return }
            }
            throw TookTooLong(what: "the tone, and the voice is over")
        }
        try await meeting.chat("Bonjour de Swift")
        // Kotlin answers once it has seen and heard.
        let answer = try await within("the answer", seconds: 60) { try await events.message("Bonjour de Kotlin") }
        XCTAssertEqual(answer.from, other)
        for player in players { await player.stop() }
        try await meeting.leave()
    }
}
