#if canImport(os)
import os

// Whoever holds it has the priority of those who wait, such as a thread of the sound.
private typealias Lock = OSAllocatedUnfairLock<Void>
#else
import Foundation

private typealias Lock = NSLock
#endif

/// A value behind a lock.
final class Locked<Value>: @unchecked Sendable {
    private let lock = Lock()
    private var held: Value

    init(_ value: Value) {
        held = value
    }

    /// The value as it is now.
    var value: Value { with { $0 } }

    /// Lends it.
    func with<Result>(_ use: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try use(&held)
    }

    /// Puts another one in its place; returns the one that was there.
    @discardableResult
    func exchange(_ value: Value) -> Value {
        with { held in
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
