import Foundation
import Parvis
import XCTest

struct TookTooLong: Error, CustomStringConvertible {
    let what: String
    var description: String { "\(what): not in time" }
}

/// What the work gives; an error if it takes longer.
func within<T: Sendable>(
    _ what: String, seconds: Double = 30, _ work: @escaping @Sendable () async throws -> T
) async throws -> T {
    try await withThrowingTaskGroup(of: T.self) { group in
        group.addTask { try await work() }
        group.addTask {
            try await Task.sleep(for: .seconds(seconds))
            throw TookTooLong(what: what)
        }
        defer { group.cancelAll() }
        return try await group.next()!
    }
}

/// Waits until it is so; nobody tells when.
func eventually(_ what: String, _ holds: @escaping @Sendable () async throws -> Bool) async throws {
    try await within(what) {
        while try await !holds() { try await Task.sleep(for: .milliseconds(5)) }
    }
}

extension Meeting {
    /// Waits until what is known is so, and not much longer.
    @discardableResult
    func expect(_ what: String, _ holds: @escaping @Sendable (MeetingState) -> Bool) async throws -> MeetingState {
        let state = try await within(what) { try await self.wait(until: holds) }
        XCTAssertTrue(holds(state), "\(what): \(state.phase)")
        return state
    }
}

extension AsyncStream where Element == MeetingEvent {
    /// The first event in which there is what is looked for.
    @discardableResult
    func expect<T: Sendable>(_ what: String, _ look: @escaping @Sendable (MeetingEvent) -> T?) async throws -> T {
        try await within(what) {
            for await event in self {
                if let found = look(event) { return found }
            }
            throw TookTooLong(what: "\(what), and the events are over")
        }
    }

    /// The next message to everybody.
    @discardableResult
    func message(_ text: String) async throws -> ChatMessage {
        try await expect("the message \(text)") { event in
            if case .chat(let message) = event, message.text == text { message } else { nil }
        }
    }
}

/// Asserts that the work fails with an error of that kind; returns the error.
@discardableResult
func assertFails(
    _ kind: ErrorKind, file: StaticString = #filePath, line: UInt = #line, _ work: () async throws -> Void
) async -> ParvisError? {
    do {
        try await work()
        XCTFail("it did not fail", file: file, line: line)
    } catch let error as ParvisError {
        XCTAssertEqual(error.kind, kind, error.reason, file: file, line: line)
        return error
    } catch {
        XCTFail("another error: \(error)", file: file, line: line)
    }
    return nil
}
