import Foundation
import MeetModels
import Parvis
import XCTest

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

final class FormTests: XCTestCase {
    func testAFormIsCompleteWithANameAndALinkOrACodeAndItsSite() {
        var form = JoinForm()
        XCTAssertFalse(form.isComplete)
        (form.name, form.link) = ("  ", "https://meet.example/abc-defg-hij")
        XCTAssertFalse(form.isComplete)
        form.name = "Zoé"
        XCTAssertTrue(form.isComplete)
        form.link = "abc-defg-hij"
        XCTAssertFalse(form.isComplete)
        form.site = "https://meet.example"
        XCTAssertTrue(form.isComplete)
    }

    func testTheAppOpensLinks() {
        func link(_ text: String) -> String? { JoinForm.link(of: URL(string: text)!) }
        XCTAssertEqual(link("https://meet.example/abc-defg-hij"), "https://meet.example/abc-defg-hij")
        XCTAssertEqual(link("parvis://meet.example/abc-defg-hij"), "https://meet.example/abc-defg-hij")
        XCTAssertNil(link("mailto:zoe@example.org"))
    }

    func testThePhoneKeepsItsId() throws {
        let name = UUID().uuidString
        let defaults = try XCTUnwrap(UserDefaults(suiteName: name))
        defer { defaults.removePersistentDomain(forName: name) }
        let id = AppModel.deviceID(in: defaults)
        XCTAssertEqual(AppModel.deviceID(in: defaults), id)
    }

    func testWhoWaitsReadsWhatHappens() {
        XCTAssertTrue(Waiting(.inLobby(lobby: .waiting(sinceMs: 0))).goesOn)
        XCTAssertTrue(Waiting(.inLobby(lobby: .denied(retryAfterMs: 5000))).canKnock)
        XCTAssertFalse(Waiting(.inLobby(lobby: .denied(retryAfterMs: nil))).canKnock)
        XCTAssertFalse(Waiting(.disconnected(reason: .removed)).goesOn)
    }

    func testALevelFillsABar() {
        XCTAssertEqual(Wording.share(ofLevel: 0), 1)
        XCTAssertEqual(Wording.share(ofLevel: -30), 0.5)
        XCTAssertEqual(Wording.share(ofLevel: LevelMeter.silence), 0)
    }

    func testAnAccountIsAtHomeOnItsSiteAlone() {
        let account = Account(site: "https://meet.example", email: "zoe@example.org", token: "t")
        XCTAssertTrue(account.isAtHome(in: "https://meet.example/abc-defg-hij"))
        for other in ["https://meet.example:8443/abc-defg-hij", "http://meet.example/abc-defg-hij", "abc-defg-hij"] {
            XCTAssertFalse(account.isAtHome(in: other), other)
        }
    }

    /// What a site answers; URLSession on Linux ends the process at a refusal that asks for a bearer.
    func testWhatASiteRefusesIsSaid() async throws {
        func answering(_ status: Int, _ body: String) -> Account.Transport {
            { request in
                let answer = HTTPURLResponse(
                    url: request.url!, statusCode: status, httpVersion: nil,
                    headerFields: ["WWW-Authenticate": "Bearer"])
                return (Data(body.utf8), answer!)
            }
        }
        func refusal(
            _ status: Int, _ body: String, _ ask: (Account.Transport) async throws -> Void
        ) async -> SiteError? {
            do {
                try await ask(answering(status, body))
                return nil
            } catch {
                return error as? SiteError
            }
        }
        func signIn(_ transport: Account.Transport) async throws {
            _ = try await Account.signIn(
                site: "https://meet.example", email: "zoe@example.org", passphrase: "?", by: transport)
        }
        func makeRoom(_ transport: Account.Transport) async throws {
            let account = Account(site: "https://meet.example", email: "zoe@example.org", token: "t")
            _ = try await account.makeRoom(by: transport)
        }
        let wrong = await refusal(401, #"{"error":"NotSignedIn"}"#, signIn)
        XCTAssertEqual(wrong, .wrongPassphrase)
        let over = await refusal(401, "", makeRoom)
        XCTAssertEqual(over, .signedOut)
        let often = await refusal(429, #"{"message":"too often"}"#, signIn)
        XCTAssertEqual(often, .refused("too often"))
        let other = await refusal(200, "<html>", signIn)
        XCTAssertEqual(other, .notUnderstood)
        let made = await refusal(201, #"{"url":"https://meet.example/abc-defg-hij"}"#, makeRoom)
        XCTAssertNil(made)
    }

    func testWordsForUsers() {
        XCTAssertEqual(Wording.initials(of: "Zoé de la Tour"), "ZT")
        XCTAssertEqual(Wording.initials(of: "émile"), "É")
        XCTAssertEqual(Wording.initials(of: ""), "")
        XCTAssertEqual(Wording.text(of: ParvisError(.forbidden, "x")), "Only a host may do that.")
        XCTAssertEqual(Wording.text(of: ParvisError(.codec, "the encoder broke")), "the encoder broke")
    }

    @MainActor
    func testALinkThatIsNoneIsSaidInTheForm() async {
        let app = AppModel(devices: NoDevices(), accounts: ShortMemory(), device: "device")
        (app.form.name, app.form.link) = ("Zoé", "https://meet.example/")
        await app.join()
        XCTAssertEqual(app.problem, "This is no link to a meeting, and no code.")
        guard case .form = app.place else { return XCTFail("it is somewhere else") }
        app.open(URL(string: "parvis://meet.example/abc-defg-hij")!)
        XCTAssertEqual(app.form.link, "https://meet.example/abc-defg-hij")
    }
}
