import Foundation
import Parvis
import XCTest

/// bindings/SCENARIO.md, step by step.
final class ScenarioTests: XCTestCase {
    func testOneMeeting() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room()
        // The runtime of the library begins with the first meeting of the process.
        try await site.join(link, "Zoé").leave()
        let before = await Threads.settled(to: Threads.now().count)

        // 1. Waiting.
        let chloe = try await site.join(link, "Chloé")
        try await chloe.expect("Chloé waits for the host") { $0.phase == .inLobby(lobby: .waitingForHost) }

        // 2. Lobby.
        let alice = try await site.join(link, "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        try await chloe.expect("Chloé waits") { state in
            if case .inLobby(.waiting) = state.phase { true } else { false }
        }
        let lobby = try await alice.expect("Alice sees Chloé") { !$0.lobby.isEmpty }
        XCTAssertEqual(lobby.lobby.map(\.name), ["Chloé"])

        // 3. Admission.
        let admitted = try await alice.admit(.one(participant: chloe.state.me))
        XCTAssertEqual([admitted.admitted, admitted.waiting], [1, 0])
        for meeting in [alice, chloe] {
            let state = try await meeting.expect("two are in") { $0.isConnected && $0.participants.count == 2 }
            XCTAssertEqual(state.participant(alice.state.me)?.role, .owner)
            XCTAssertEqual(state.participant(chloe.state.me)?.role, .guest)
        }

        // 4. An account.
        let session = try site.account("Bruno", email: "bruno@example.org")
        let bruno = try await site.join(link, "Bruno", as: session)
        let all = [alice, bruno, chloe]
        for meeting in all {
            try await meeting.expect("three are in") { $0.isConnected && $0.participants.count == 3 }
        }

        // 5. Camera and microphone.
        let camera = try await chloe.camera(width: 320, height: 180, frameRate: 15)
        let microphone = try await chloe.microphone()
        let pictures = try Player(camera: camera)
        let sound = try Player(microphone: microphone)
        let (picture, voice) = (try picture(alice, of: chloe.state.me, .camera), try alice.voice(of: chloe.state.me))
        try await seesNumbers(picture, 20)
        try await hearsTone(voice)

        try await chats(alice, bruno, chloe)
        try await raisesHands(alice, bruno, chloe)

        // 8. Reaction.
        let (seen, alsoSeen) = (alice.events(), chloe.events())
        try await bruno.react(.clappingHands)
        for events in [seen, alsoSeen] {
            let who = try await events.expect("Bruno claps") { event in
                if case .reaction(let who, .clappingHands) = event { who } else { nil }
            }
            XCTAssertEqual(who, bruno.state.me)
        }

        // 9. Screen.
        let screen = try await bruno.screen(width: 320, height: 180)
        let shared = try Player(screen: screen)
        let shown = try self.picture(chloe, of: bruno.state.me, .screen)
        try await seesNumbers(shown, 3)
        shown.cancel()
        await shared.stop()
        try screen.turnOff()
        for meeting in all {
            try await meeting.expect("the screen is off") { $0.participant(bruno.state.me)?.media.screen == .off }
        }

        // 10. Mute.
        let told = chloe.events()
        try await alice.mute(.one(participant: chloe.state.me))
        let by = try await told.expect("Chloé is told") { event in
            if case .muted(.microphone, let by) = event { by } else { nil }
        }
        XCTAssertEqual(by, alice.state.me)
        for meeting in all {
            try await meeting.expect("Chloé is muted") { $0.participant(chloe.state.me)?.media.microphone == .muted }
        }
        try await microphone.unmute()
        try await hearsTone(voice)

        // 11. Refused.
        await assertFails(.forbidden) { try await chloe.mute(.all) }

        try await survivesTheRelay(site, alice, bruno, chloe)
        try await seesNumbers(picture, 3)
        try await hearsTone(voice)

        // 13. Leaving.
        let left = bruno.state.me
        let goings = [alice, chloe].map { $0.events() }
        try await bruno.leave()
        for (meeting, events) in zip([alice, chloe], goings) {
            let reason = try await events.expect("Bruno's going is told") { event in
                if case .left(left, let reason) = event { reason } else { nil }
            }
            XCTAssertEqual(reason, .left)
            try await meeting.expect("Bruno is gone") { $0.participant(left) == nil }
        }
        await pictures.stop()
        await sound.stop()
        try await chloe.leave()
        try await alice.leave()
        for meeting in all {
            XCTAssertEqual(meeting.state.ended, .left)
            await assertFails(.left) { try await meeting.chat("Encore ?") }
            await assertFails(.left) { try await meeting.leave() }
        }
        await assertFails(.left) { try await camera.mute() }

        // 14. Nothing is left.
        let after = await Threads.settled(to: before.count)
        XCTAssertLessThanOrEqual(after.count, before.count, "\(before), then \(after)")
        XCTAssertEqual(after.codecs, [])
    }

    /// 6. Chat.
    private func chats(_ alice: Meeting, _ bruno: Meeting, _ chloe: Meeting) async throws {
        var (read, alsoRead) = (bruno.events(), chloe.events())
        try await alice.chat("Bonjour !")
        for events in [read, alsoRead] {
            let message = try await events.message("Bonjour !")
            XCTAssertEqual(message.name, alice.state.myself?.name)
            XCTAssertEqual(message.from, alice.state.me)
        }
        (read, alsoRead) = (bruno.events(), chloe.events())
        let pending = try await bruno.chatPending("À tous")
        let stored = try await alsoRead.message("À tous")
        XCTAssertEqual(stored.clientId, pending.clientId)
        try await alice.chat("Entre nous", to: bruno.state.me)
        let confidential = try await read.expect("the private message") { event in
            if case .privateMessage(let message) = event { message } else { nil }
        }
        XCTAssertEqual(confidential.text, "Entre nous")
        let page = try await chloe.history()
        XCTAssertEqual(page.messages.map(\.text), ["Bonjour !", "À tous"])
        XCTAssertEqual(page.gaps, [])
        XCTAssertNil(page.before)
    }

    /// 7. Hands.
    private func raisesHands(_ alice: Meeting, _ bruno: Meeting, _ chloe: Meeting) async throws {
        try await chloe.raiseHand()
        try await bruno.raiseHand()
        let (first, second) = (chloe.state.me, bruno.state.me)
        for meeting in [alice, bruno, chloe] {
            try await meeting.expect("two hands are up") { $0.hands == [first, second] }
        }
        try await alice.lowerHand(of: first)
        for meeting in [alice, bruno, chloe] {
            try await meeting.expect("Bruno is first") { $0.hands == [second] }
        }
    }

    /// 12. The relay dies.
    private func survivesTheRelay(_ site: Site, _ alice: Meeting, _ bruno: Meeting, _ chloe: Meeting) async throws {
        let all = [alice, bruno, chloe]
        let people = Set(all.map(\.state.me))
        let reconnecting = all.map { $0.events() }
        try site.crashAndRestart()
        for (meeting, events) in zip(all, reconnecting) {
            try await events.expect("it is connecting again") { $0 == .phase(phase: .reconnecting) ? true : nil }
            try await meeting.expect("it is in again") { $0.isConnected && Set($0.participants.map(\.id)) == people }
        }
        let read = all.map { $0.events() }
        try await bruno.chat("encore")
        for events in read {
            let message = try await events.message("encore")
            XCTAssertEqual(message.from, bruno.state.me)
        }
    }

    private func picture(_ meeting: Meeting, of who: ParticipantID, _ source: Source) throws -> RemotePicture {
        try meeting.picture(of: who, source: source, target: VideoTarget(width: 320, height: 180))
    }

    /// Takes so many pictures of a sequence that goes on, captured from now on: others may wait there.
    private func seesNumbers(_ picture: RemotePicture, _ count: Int) async throws {
        let numbers = try await within("\(count) pictures") {
            let start = MediaTime.now
            var numbers: [Int] = []
            for await frame in picture where frame.timestamp >= start {
                XCTAssertEqual([frame.width, frame.height], [320, 180])
                guard let number = frame.number else { throw TookTooLong(what: "a number in a picture") }
                numbers.append(number)
                if numbers.count == count { break }
            }
            return numbers
        }
        XCTAssertEqual(numbers.count, count)
        let clip = try VideoClip()
        XCTAssertTrue(numbers.allSatisfy { $0 < clip.count }, "\(numbers)")
        let falls = zip(numbers, numbers.dropFirst()).filter { $1 <= $0 }
        XCTAssertTrue(falls.allSatisfy { $1 < clip.count / 3 } && falls.count <= 1 + count / clip.count, "\(numbers)")
    }

    /// Hears 50 frames of the tone in a sequence that goes on, captured from now on: others may wait there.
    private func hearsTone(_ voice: RemoteVoice) async throws {
        try await within("a second of the tone") {
            let start = MediaTime.now
            var heard: [Float] = []
            for await sound in voice where sound.timestamp >= start {
                XCTAssertEqual(sound.channels, 1)
                sound.withSamples { heard.append(contentsOf: $0) }
                guard heard.count >= 50 * AudioClip.frame else { continue }
                if decibels(of: 220, over: 3000, in: heard) > 20 { return }
                heard = []
            }
            throw TookTooLong(what: "the tone, and the voice is over")
        }
    }
}
