import XCTest

@testable import ParvisApple

/// Whoever listens to a device hears it, however many listened before.
final class ListenersTests: XCTestCase {
    func testEachHasAStreamOfItsOwn() async throws {
        let listeners = Listeners<Int>()
        let (first, second) = (listeners.stream(), listeners.stream())
        listeners.yield(1)
        listeners.finish()
        for stream in [first, second, listeners.stream()].enumerated() {
            var heard: [Int] = []
            for await event in stream.element { heard.append(event) }
            XCTAssertEqual(heard, stream.offset < 2 ? [1] : [])
        }
    }

    func testOneThatIsCancelledEndsForItselfAlone() async throws {
        let listeners = Listeners<Int>()
        var other = listeners.stream().makeAsyncIterator()
        let meeting = Task { [stream = listeners.stream()] in
            for await _ in stream {}
        }
        meeting.cancel()
        try await within("it ends") { await meeting.value }
        // As the next meeting does.
        var next = listeners.stream().makeAsyncIterator()
        listeners.yield(2)
        let heard = await [other.next(), next.next()]
        XCTAssertEqual(heard, [2, 2])
    }

    func testOneThatIsForgottenIsKeptNoLonger() async throws {
        var listeners: Listeners<Int>? = Listeners(waiting: 2)
        let stream = listeners!.stream()
        for event in 1...4 { listeners!.yield(event) }
        weak var gone = listeners
        listeners = nil
        XCTAssertNil(gone)
        var heard: [Int] = []
        for await event in stream { heard.append(event) }
        XCTAssertEqual(heard, [3, 4], "the newest wait, and its end ends them")
    }
}
