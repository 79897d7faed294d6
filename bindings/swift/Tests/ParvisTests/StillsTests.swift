import XCTest

@testable import ParvisApple

/// A screen on which nothing changes is seen by those who come later.
final class StillsTests: XCTestCase {
    func testTheLastPictureIsGivenAgainUntilItEnds() async throws {
        let stills = Stills(every: .milliseconds(10))
        let (given, give) = AsyncStream.makeStream(of: String.self)
        var pictures = given.makeAsyncIterator()
        stills.give { give.yield("slide 1") }
        for _ in 0..<3 {
            let picture = await pictures.next()
            XCTAssertEqual(picture, "slide 1")
        }
        stills.give { give.yield("slide 2") }
        stills.end()
        give.finish()
        var rest: [String] = []
        while let picture = await pictures.next() { rest.append(picture) }
        XCTAssertEqual(rest.last, "slide 2")
        XCTAssertEqual(rest.filter { $0 == "slide 2" }.count, 1, "nothing is given after the end")
    }
}
