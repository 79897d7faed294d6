import Foundation

/// Gives the last picture of a screen again each second in which nothing changes, since a system gives none then: for those who come
/// later, and see nothing before.
final class Stills: @unchecked Sendable {
    private let queue = DispatchQueue(label: "parvis.stills")
    private let timer: any DispatchSourceTimer
    /// The rest is of the queue alone.
    private var newest: (() -> Void)?
    private var isStill = false

    init(every: DispatchTimeInterval = .seconds(1)) {
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler { [weak self] in self?.tick() }
        timer.schedule(deadline: .now() + every, repeating: every)
        timer.activate()
    }

    deinit {
        timer.cancel()
    }

    /// Gives a picture, and again until there is another or ``end()``: one at a time, in their order.
    func give(_ push: @escaping @Sendable () -> Void) {
        queue.sync {
            push()
            (newest, isStill) = (push, false)
        }
    }

    /// Nothing is given again.
    func end() {
        queue.sync { newest = nil }
    }

    private func tick() {
        if isStill { newest?() }
        isStill = true
    }
}
