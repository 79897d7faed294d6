/// Lets one act at a time through, in the order in which they came. An act goes to its end, whoever still waits for it: what
/// was turned on is known, and is turned off again.
@MainActor
final class Turns {
    private var last: Task<Void, Never>?

    func take(_ act: @escaping @MainActor () async throws -> Void) async throws {
        let before = last
        let acting = Task {
            await before?.value
            try await act()
        }
        last = Task { _ = await acting.result }
        try await acting.value
    }
}
