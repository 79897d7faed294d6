import Foundation
import MeetModels
import Parvis
import XCTest

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

    func testWordsForUsers() {
        XCTAssertEqual(Wording.initials(of: "Zoé de la Tour"), "ZT")
        XCTAssertEqual(Wording.initials(of: "émile"), "É")
        XCTAssertEqual(Wording.initials(of: ""), "")
        XCTAssertEqual(Wording.text(of: ParvisError(.forbidden, "x")), "Only a host may do that.")
        XCTAssertEqual(Wording.text(of: ParvisError(.codec, "the encoder broke")), "the encoder broke")
    }

    @MainActor
    func testALinkThatIsNoneIsSaidInTheForm() async {
        let app = AppModel(devices: NoDevices(), device: "device")
        (app.form.name, app.form.link) = ("Zoé", "https://meet.example/")
        await app.join()
        XCTAssertEqual(app.problem, "This is no link to a meeting, and no code.")
        guard case .form = app.place else { return XCTFail("it is somewhere else") }
        app.open(URL(string: "parvis://meet.example/abc-defg-hij")!)
        XCTAssertEqual(app.form.link, "https://meet.example/abc-defg-hij")
    }
}
