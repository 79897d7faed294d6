import Foundation

/// A value behind a lock.
final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var held: Value

    init(_ value: Value) {
        held = value
    }

    /// The value as it is now.
    var value: Value { lock.withLock { held } }

    /// Puts another one in its place; returns the one that was there.
    @discardableResult
    func exchange(_ value: Value) -> Value {
        lock.withLock {
            defer { held = value }
            return held
        }
    }
}

extension Locked {
    /// Takes it out.
    func take<Wrapped>() -> Wrapped? where Value == Wrapped? {
        exchange(nil)
    }
}
