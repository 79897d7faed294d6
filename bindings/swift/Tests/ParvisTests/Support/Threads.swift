import Foundation

/// The threads of this process.
struct Threads: CustomStringConvertible {
    /// All of them.
    let count: Int
    /// Those of encoders and decoders, by the name of their track. The runtime's are not told from Swift's by their
    /// name: a thread that Swift starts in a callback inherits it.
    let codecs: [String]

    static func now() -> Threads {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        let names = tasks.compactMap { task in
            (try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8))?
                .trimmingCharacters(in: .newlines)
        }
        let tracks = ["microphone", "camera/", "screen/"]
        return Threads(
            count: tasks.count,
            codecs: names.filter { name in tracks.contains { name.hasPrefix($0) } }.sorted()
        )
    }

    /// Waits until there are at most so many, as threads that asked for tickets end by themselves after some seconds.
    static func settled(to most: Int) async -> Threads {
        let deadline = ContinuousClock.now + .seconds(30)
        var threads = now()
        while threads.count > most, .now < deadline {
            try? await Task.sleep(for: .milliseconds(100))
            threads = now()
        }
        return threads
    }

    var description: String { "\(count) threads, codecs of \(codecs)" }
}
