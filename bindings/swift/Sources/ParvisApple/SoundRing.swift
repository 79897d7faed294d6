/// Sound on its way between a thread of the system's sound, which may not wait or allocate, and one that may: the lock is held
/// while samples are copied, and no longer.
final class SoundRing: Sendable {
    private struct State {
        var samples: [Float]
        var first = 0
        var count = 0
    }

    private let state: Locked<State>

    /// - Parameter capacity: samples; of more the oldest are lost.
    init(capacity: Int) {
        state = Locked(State(samples: [Float](repeating: 0, count: capacity)))
    }

    /// How many samples wait.
    var count: Int { state.with { $0.count } }

    /// Puts samples behind those that wait.
    func write(_ samples: UnsafeBufferPointer<Float>) {
        state.with { state in
            let capacity = state.samples.count
            for sample in samples.suffix(capacity) {
                state.samples[(state.first + state.count) % capacity] = sample
                if state.count < capacity {
                    state.count += 1
                } else {
                    state.first = (state.first + 1) % capacity
                }
            }
        }
    }

    /// Takes as many as there are, up to what fits; returns how many.
    func read(into samples: UnsafeMutableBufferPointer<Float>) -> Int {
        state.with { state in
            let capacity = state.samples.count
            let taken = min(state.count, samples.count)
            for index in 0..<taken { samples[index] = state.samples[(state.first + index) % capacity] }
            state.first = (state.first + taken) % capacity
            state.count -= taken
            return taken
        }
    }

    /// Has it filled until so many samples wait, a stretch of sound at a time; by one thread at a time.
    func fill(to count: Int, by stretch: Int, _ fill: (UnsafeMutableBufferPointer<Float>) throws -> Void) rethrows {
        try withUnsafeTemporaryAllocation(of: Float.self, capacity: stretch) { samples in
            samples.initialize(repeating: 0)
            while self.count < count {
                try fill(samples)
                write(UnsafeBufferPointer(samples))
            }
        }
    }
}
