import Foundation
import Parvis
import XCTest

/// A service, a relay or a ticket that is not as it should be is a typed error of the join.
final class BadTicketTests: XCTestCase {
    nonisolated(unsafe) private static var site: Site?

    override class func tearDown() {
        site?.stop()
        site = nil
    }

    /// A site, and the code of a room there.
    private func room() throws -> (Site, String) {
        let site = try Self.site ?? Site()
        Self.site = site
        return (site, try site.room().components(separatedBy: "/").last!)
    }

    private func options(_ ticket: Ticket) -> JoinOptions {
        var options = JoinOptions(name: "Zoé", device: "device")
        options.tickets = .source(FixedTickets { _ in ticket })
        return options
    }

    func testAServiceThatDoesNotAnswer() async throws {
        let error = await assertFails(.serviceUnavailable) {
            _ = try await Meeting.join(
                "http://127.0.0.1:9/abc-defg-hij", options: JoinOptions(name: "Zoé", device: "device"))
        }
        XCTAssertEqual(error?.isRetryable, true)
    }

    func testARelayThatDoesNotAnswer() async throws {
        let (site, code) = try room()
        var options = options(try await site.ticket(code: code, relay: "moqt://127.0.0.1:9"))
        options.connectTimeout = .milliseconds(300)
        let error = await assertFails(.unreachable) { [options] in _ = try await Meeting.join(code, options: options) }
        XCTAssertEqual(error?.isRetryable, true)
    }

    func testARelayThatIsAnotherOne() async throws {
        let (site, code) = try room()
        var options = options(try await site.ticket(code: code))
        let cases: [(Trust, ErrorKind)] = [
            (.fingerprint(sha256: String(repeating: "00", count: 32)), .certificateRejected),
            (.fingerprint(sha256: "no digits"), .badTrust),
            (.authorityFile(path: "/no/such/file.pem"), .badTrust),
        ]
        for (trust, kind) in cases {
            options.trust = trust
            await assertFails(kind) { [options] in _ = try await Meeting.join(code, options: options) }
        }
    }

    func testAnExpiredToken() async throws {
        let (site, code) = try room()
        let good = options(try await site.ticket(code: code, valid: "1h"))
        try await Meeting.join(code, options: good).leave()
        let expired = options(try await site.ticket(code: code, valid: "0s"))
        try await within("the token expires") {
            // A relay's clock may be a few seconds behind: for so long it lets one in.
            while try await Self.refusal(code, expired) == nil {}
        }
    }

    func testATokenThatIsNone() async throws {
        let (site, code) = try room()
        let options = options(try await site.ticket(code: code, token: "nonsense"))
        let kind = try await within("it is refused") { try await Self.refusal(code, options) }
        XCTAssertEqual(kind, .notLetIn)
    }

    /// How the relay refuses the token: at once, or once it has looked at it; `nil`: it does not.
    private static func refusal(_ code: String, _ options: JoinOptions) async throws -> ErrorKind? {
        let meeting: Meeting
        do {
            meeting = try await Meeting.join(code, options: options)
        } catch let error as ParvisError {
            XCTAssertEqual(error.kind, .notLetIn, error.reason)
            XCTAssertTrue(error.isAuth)
            XCTAssertFalse(error.isRetryable)
            return error.kind
        }
        let state = try await meeting.wait { $0.phase != .connecting && $0.phase != .reconnecting }
        guard case .lost(let kind, let reason) = state.ended else {
            XCTAssertNil(state.ended)
            try await meeting.leave()
            return nil
        }
        XCTAssertEqual(kind, .notLetIn, reason)
        return kind
    }

    func testATicketOfNobody() async throws {
        let (site, code) = try room()
        let options = options(try await site.ticket(code: code, participant: "No Body"))
        await assertFails(.badArgument) { _ = try await Meeting.join(code, options: options) }
    }

    func testATicketSourceThatFails() async throws {
        struct Bug: Error {}
        var options = JoinOptions(name: "Zoé", device: "device")
        options.tickets = .source(FixedTickets { _ in throw ParvisError(.forbidden, "no meetings for this account") })
        let error = await assertFails(.forbidden) { [options] in
            _ = try await Meeting.join("abc-defg-hij", options: options)
        }
        XCTAssertEqual(error?.reason, "no meetings for this account")
        options.tickets = .source(FixedTickets { _ in throw ParvisError(.notSignedIn, "sign in again") })
        let signedOut = await assertFails(.notSignedIn) { [options] in
            _ = try await Meeting.join("abc-defg-hij", options: options)
        }
        XCTAssertEqual(signedOut?.isAuth, true)
        options.tickets = .source(FixedTickets { _ in throw Bug() })
        let bug = await assertFails(.callback) { [options] in
            _ = try await Meeting.join("abc-defg-hij", options: options)
        }
        XCTAssertTrue(bug?.reason.contains("Bug") ?? false, bug?.reason ?? "")
    }
}
