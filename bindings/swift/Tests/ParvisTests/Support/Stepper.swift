import Foundation

/// Does what a task does piece by piece, and tells, once, that it is at a certain one of them; from then on it does the rest.
@available(macOS 15, iOS 18, *)
final class Stepper: TaskExecutor, @unchecked Sendable {
    /// What it tells, and when.
    enum Moment {
        /// That the piece was begun so long ago; it goes on meanwhile.
        case meanwhile(microseconds: UInt64 = 0)
        /// That the piece is done, and the task waits for something.
        case afterwards
        /// That there is something to go on with.
        case beforeTheNext
    }

    private let queue = DispatchQueue(label: "steps")
    private let lock = NSLock()
    private let step: Int
    private let moment: Moment
    private var tell: (@Sendable () -> Void)?
    private var begun = 0
    private var told = false
    private var goesOn = false
    private var held: [UnownedJob] = []

    init(_ step: Int, _ moment: Moment) {
        (self.step, self.moment) = (step, moment)
    }

    /// How many pieces there were so far.
    var pieces: Int { lock.withLock { begun } }

    /// Whether it has told.
    var hasTold: Bool { lock.withLock { told } }

    /// Begins; before that it does nothing.
    func begin(_ tell: @escaping @Sendable () -> Void) {
        lock.withLock { self.tell = tell }
        release()
    }

    /// Forgets what it tells to, and does all that there is.
    func goOn() {
        lock.withLock { (goesOn, tell) = (true, nil) }
        release()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        place(UnownedJob(job))
    }

    private func release() {
        let jobs = lock.withLock {
            defer { held = [] }
            return held
        }
        jobs.forEach(place)
    }

    private func place(_ job: UnownedJob) {
        let number = lock.withLock { () -> Int? in
            let begins = goesOn || (tell != nil && begun < step)
            if begins { begun += 1 } else { held.append(job) }
            return begins ? begun : nil
        }
        guard let number else {
            if case .beforeTheNext = moment, pieces == step { tellOnce() }
            return
        }
        queue.async { [self] in
            if number == step, case .meanwhile(let microseconds) = moment { tellOnce(after: microseconds) }
            job.runSynchronously(on: asUnownedTaskExecutor())
            if number == step, case .afterwards = moment { tellOnce() }
        }
    }

    /// From another thread: the library may hold a lock while it wakes the task.
    private func tellOnce(after microseconds: UInt64 = 0) {
        let due = DispatchTime.now().uptimeNanoseconds + 1000 * microseconds
        let first = lock.withLock {
            defer { told = true }
            return !told
        }
        guard first else { return }
        DispatchQueue.global().async { [self] in
            while DispatchTime.now().uptimeNanoseconds < due {}
            lock.withLock { tell }?()
            goOn()
        }
    }
}
