import Parvis
import XCTest

/// What a host asks for is done, and told to others.
final class HostsTests: XCTestCase {
    func testWhatAHostSetsIsToldToEverybody() async throws {
        let site = try Site()
        defer { site.stop() }
        let (alice, bruno) = try await Self.two(site)

        for forbidden in [true, false] {
            let events = bruno.events()
            try await alice.forbid(.screen, forbidden)
            let sources = try await events.expect("screens: \(forbidden)") { event in
                if case .forbidden(let sources) = event { sources } else { nil }
            }
            XCTAssertEqual(sources, ForbiddenSources(microphone: false, camera: false, screen: forbidden))
            XCTAssertEqual(bruno.state.view?.forbidden, sources)
            if forbidden {
                await assertFails(.forbidden) { _ = try await bruno.screen(width: 320, height: 180) }
            }
        }

        for level in [AccessLevel.restricted, .public, .trusted] {
            let policy = try await Self.policy(bruno) { try await alice.setAccess(level) }
            XCTAssertEqual(policy.access, level)
        }
        await assertFails(.forbidden) { try await alice.setAccess(.trusted, organisation: "somebody-elses") }
        await assertFails(.malformed) { try await alice.setAccess(.public, organisation: "somebody-elses") }
        for gate in [false, true] {
            let policy = try await Self.policy(bruno) { try await alice.setHostGate(gate) }
            XCTAssertEqual(policy.hostGate, gate)
        }
        XCTAssertGreaterThan(bruno.state.retention ?? .zero, .zero)
        for history in [HistoryPolicy.fromJoin, .none] {
            let policy = try await Self.policy(bruno) { try await alice.setHistory(history) }
            XCTAssertEqual(policy.history, history)
        }
        XCTAssertEqual(bruno.state.retention, .zero)

        for locked in [true, false] {
            let events = bruno.events()
            try await alice.lock(locked)
            let told = try await events.expect("locked: \(locked)") { event in
                if case .locked(let locked) = event { locked } else { nil }
            }
            XCTAssertEqual(told, locked)
        }
        try await bruno.leave()
        try await alice.leave()
    }

    func testWhatAHostDoesToOthersIsToldToThem() async throws {
        let site = try Site()
        defer { site.stop() }
        let (alice, bruno) = try await Self.two(site)
        let (host, other) = (alice.state.me, bruno.state.me)

        try await Self.changes(alice, other, { $0.name == "Bruno B." }, by: { try await bruno.rename("Bruno B.") })
        try await Self.changes(
            bruno, other, { $0.name == "Bruno C." }, by: { try await alice.rename(other, to: "Bruno C.") })
        await assertFails(.forbidden) { try await bruno.rename(host, to: "Anna") }
        await assertFails(.badName) { try await alice.rename(other, to: " ") }

        for role in [Role.administrator, .member] {
            try await Self.changes(
                bruno, other, { $0.role == role }, by: { try await alice.setRole(of: other, to: role) })
        }
        await assertFails(.lastOwner) { try await alice.setRole(of: host, to: .member) }

        try await bruno.raiseHand()
        try await alice.raiseHand()
        let raised = try await bruno.expect("two hands are up") { $0.hands == [other, host] }
        XCTAssertEqual([other, host, "psomebody"].map(raised.handPosition(of:)), [1, 2, nil])
        let events = bruno.events()
        try await alice.lowerAllHands()
        try await events.expect("the hands are down") { $0 == .hands(participants: []) ? true : nil }

        try await Self.asks(alice, .recording, other) { try await bruno.requestRecording() }
        try await Self.asks(alice, .transcription, other) { try await bruno.requestTranscription() }

        // Nobody runs a service that would take them on.
        let captures = bruno.events()
        let started = try await alice.startTranscription(.auto, record: true)
        XCTAssertNotNil(started.capture)
        var failed: Set<Language?> = []
        while failed.count < 2 {
            let capture = try await captures.expect("it fails") { event in
                if case .capture(let capture) = event, capture.status == .failedToStart { capture } else { nil }
            }
            XCTAssertEqual(capture.failure, .serviceUnavailable)
            failed.insert(capture.language)
        }
        XCTAssertEqual(failed, [.auto, nil])
        let recording = try await alice.startRecording()
        XCTAssertNotNil(recording.capture)
        await assertFails(.forbidden) { try await bruno.startRecording() }
        await assertFails(.forbidden) { try await bruno.stopRecording() }
        await assertFails(.notRecording) { try await alice.stopTranscription() }

        let left = alice.events()
        try await alice.remove(other)
        try await bruno.expect("Bruno is removed") { $0.ended == .removed }
        let reason = try await left.expect("Bruno is gone") { event in
            if case .left(other, let reason) = event { reason } else { nil }
        }
        XCTAssertEqual(reason, .removed)
        await assertFails(.left) { try await bruno.raiseHand() }
        try await alice.leave()
    }

    func testAMeetingThatAHostEndsIsOverForEverybody() async throws {
        let site = try Site()
        defer { site.stop() }
        let (alice, bruno) = try await Self.two(site)
        await assertFails(.forbidden) { try await bruno.endForAll() }
        try await alice.endForAll()
        for meeting in [alice, bruno] {
            try await meeting.expect("it is over") { $0.ended == .roomEnded }
        }
    }

    func testAdmittingSaysHowManyAreIn() async throws {
        let site = try Site()
        defer { site.stop() }
        let link = try site.room()
        let alice = try await site.join(link, "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        var guests: [Meeting] = []
        for name in ["Chloé", "Diane", "Émile"] {
            guests.append(try await site.join(link, name))
            try await alice.expect("\(name) waits") { [count = guests.count] in $0.lobby.count == count }
        }
        let one = try await alice.admit(.one(participant: guests[1].state.me))
        XCTAssertEqual([one.admitted, one.waiting], [1, 2])
        let all = try await alice.admit(.all)
        XCTAssertEqual([all.admitted, all.waiting], [2, 0])
        for meeting in guests + [alice] {
            try await meeting.expect("four are in") { $0.isConnected && $0.participants.count == 4 }
        }
        for meeting in guests + [alice] { try await meeting.leave() }
    }

    /// Alice, the owner, and Bruno, who has an account.
    private static func two(_ site: Site) async throws -> (Meeting, Meeting) {
        let link = try site.room()
        let session = try site.account("Bruno", email: "bruno@example.org")
        let alice = try await site.join(link, "Alice", as: site.administrator)
        try await alice.expect("Alice is in", \.isConnected)
        let bruno = try await site.join(link, "Bruno", as: session)
        for meeting in [alice, bruno] {
            try await meeting.expect("two are in") { $0.isConnected && $0.participants.count == 2 }
        }
        return (alice, bruno)
    }

    /// What somebody is told of the room's policy when that is done.
    private static func policy(_ meeting: Meeting, _ act: () async throws -> Void) async throws -> Policy {
        let events = meeting.events()
        try await act()
        return try await events.expect("the policy") { event in
            if case .policy(let policy) = event { policy } else { nil }
        }
    }

    /// That somebody is told of a participant what is so when that is done.
    private static func changes(
        _ meeting: Meeting, _ who: ParticipantID, _ holds: @escaping @Sendable (Participant) -> Bool,
        by act: () async throws -> Void
    ) async throws {
        let events = meeting.events()
        try await act()
        try await events.expect("the change") { event -> Participant? in
            if case .changed(let one) = event, one.id == who, holds(one) { one } else { nil }
        }
    }

    /// That a host is asked for something when that is done.
    private static func asks(
        _ host: Meeting, _ kind: CaptureKind, _ who: ParticipantID, _ act: () async throws -> Void
    ) async throws {
        let events = host.events()
        try await act()
        let by = try await events.expect("\(kind)") { event in
            if case .captureRequested(kind, let by) = event { by } else { nil }
        }
        XCTAssertEqual(by, who)
    }
}
