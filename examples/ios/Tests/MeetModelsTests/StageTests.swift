import MeetModels
import Parvis
import XCTest

final class StageTests: XCTestCase {
    private func person(_ id: String, screen: MediaState = .off) -> Participant {
        Participant(
            id: id, name: id, verified: false, signedIn: false, role: .guest, service: nil, joinedMs: 0, hand: nil,
            media: MediaStates(microphone: .on, camera: .on, screen: screen), quality: .good)
    }

    private func people(_ ids: String...) -> [Participant] { ids.map { person($0) } }

    func testEverybodyHasATileWhileThereAreEnough() {
        var stage = Stage(most: 3)
        stage.update(people: people("a", "b"), speakers: [])
        XCTAssertEqual(stage.grid.map(\.participant), ["a", "b"])
        XCTAssertEqual(stage.hidden, 0)
        XCTAssertNil(stage.large)
    }

    func testWhoHasATileKeepsItsPlaceWhenTheListChanges() {
        var stage = Stage(most: 3)
        stage.update(people: people("a", "b", "c"), speakers: [])
        stage.update(people: people("c", "a", "b", "d"), speakers: [])
        XCTAssertEqual(stage.grid.map(\.participant), ["a", "b", "c"])
        XCTAssertEqual(stage.hidden, 1)
    }

    func testWhoSpeaksTakesTheTileOfWhoWasSilentLongest() {
        var stage = Stage(most: 2)
        let all = people("a", "b", "c")
        stage.update(people: all, speakers: ["a"])
        stage.update(people: all, speakers: ["b"])
        stage.update(people: all, speakers: ["c", "b"])
        XCTAssertEqual(stage.grid.map(\.participant), ["c", "b"])
        stage.update(people: all, speakers: ["b", "c", "a"])
        XCTAssertEqual(stage.grid.map(\.participant), ["c", "b"], "nobody who speaks loses a tile")
    }

    func testASharedScreenIsLargeAndItsOwnersCameraStays() {
        var stage = Stage()
        stage.update(people: [person("a"), person("b", screen: .on)], speakers: [])
        XCTAssertEqual(stage.large, Stage.Tile("b", .screen))
        XCTAssertEqual(stage.grid.map(\.participant), ["a", "b"])
        stage.update(people: [person("a", screen: .on), person("b", screen: .on)], speakers: [])
        XCTAssertEqual(stage.large?.participant, "b", "who shares first stays large")
        stage.update(people: [person("a", screen: .on), person("b")], speakers: [])
        XCTAssertEqual(stage.large?.participant, "a")
    }

    func testSomebodyPinnedIsLargeUntilGone() {
        var stage = Stage()
        stage.pinned = "a"
        stage.update(people: [person("a"), person("b", screen: .on)], speakers: ["b"])
        XCTAssertEqual(stage.large, Stage.Tile("a", .camera))
        XCTAssertEqual(stage.grid.map(\.participant), ["b"])
        stage.update(people: [person("b", screen: .on)], speakers: [])
        XCTAssertNil(stage.pinned)
        XCTAssertEqual(stage.large, Stage.Tile("b", .screen))
    }

    func testTilesAreAsLargeAsTheyCanBe() {
        let phone = GridLayout(count: 2, width: 390, height: 700)
        XCTAssertEqual([phone.columns, phone.rows], [1, 2])
        let tablet = GridLayout(count: 9, width: 1180, height: 820)
        XCTAssertEqual([tablet.columns, tablet.rows], [3, 3])
        XCTAssertLessThanOrEqual(Double(tablet.columns) * tablet.tileWidth + 16, 1180.001)
        XCTAssertLessThanOrEqual(Double(tablet.rows) * tablet.tileHeight + 16, 820.001)
        XCTAssertEqual(GridLayout(count: 0, width: 100, height: 100).capacity, 0)
        XCTAssertEqual(GridLayout(count: 5, width: 0, height: 0).tileWidth, 0)
    }
}
