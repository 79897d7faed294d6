import Foundation
import Parvis

/// Plays the scenario's files to cameras, microphones and screens until it is stopped.
final class Player: Sendable {
    private let task: Task<Void, Never>

    init(camera: Camera) throws {
        let clip = try VideoClip()
        task = Self.every(.milliseconds(66)) { number in
            try clip.with(number % clip.count) { try camera.push($0) }
        }
    }

    init(screen: Screen) throws {
        let clip = try VideoClip()
        task = Self.every(.milliseconds(66)) { number in
            try clip.with(number % clip.count) { try screen.push($0) }
        }
    }

    init(microphone: Microphone) throws {
        let clip = try AudioClip()
        task = Self.every(.milliseconds(20)) { number in
            try clip.with(number) { try microphone.push($0) }
        }
    }

    init(soundOf screen: Screen) throws {
        let clip = try AudioClip()
        task = Self.every(.milliseconds(20)) { number in
            try clip.with(number) { try screen.pushSound($0) }
        }
    }

    init(soundOf screen: EncodedSource) throws {
        let clip = try AudioClip()
        task = Self.every(.milliseconds(20)) { number in
            try clip.with(number) { try screen.pushSound($0) }
        }
    }

    /// As a device does: at its own pace, until what it gives is not taken any more.
    private static func every(
        _ period: Duration, _ push: @escaping @Sendable (Int) throws -> Void
    ) -> Task<Void, Never> {
        Task.detached {
            var (number, next) = (0, ContinuousClock.now)
            while !Task.isCancelled, (try? push(number)) != nil {
                number += 1
                next += period
                try? await Task.sleep(until: next, clock: .continuous)
            }
        }
    }

    func stop() async {
        task.cancel()
        await task.value
    }
}
