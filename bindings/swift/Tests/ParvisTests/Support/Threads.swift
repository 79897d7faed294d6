import Foundation

/// The threads of this process that the library has.
struct Threads: CustomStringConvertible {
    /// How many the runtime has that serves all meetings, without those that block for a while.
    static let runtime = 2

    /// Threads of the runtime.
    let runtime: Int
    /// Threads of encoders and decoders, by the name of their track.
    let codecs: [String]

    static func now() -> Threads {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        let names = tasks.compactMap { task in
            (try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8))?
                .trimmingCharacters(in: .newlines)
        }
        let tracks = ["microphone", "camera/", "screen/"]
        return Threads(
            runtime: names.filter { $0 == "parvis" }.count,
            codecs: names.filter { name in tracks.contains { name.hasPrefix($0) } }.sorted()
        )
    }

    /// Waits until there are no more than those of the runtime; returns what there is then.
    static func settled() async -> Threads {
        let deadline = ContinuousClock.now + .seconds(20)
        var threads = now()
        while threads.runtime > runtime || !threads.codecs.isEmpty, .now < deadline {
            try? await Task.sleep(for: .milliseconds(100))
            threads = now()
        }
        return threads
    }

    var description: String { "\(runtime) of the runtime, codecs of \(codecs)" }
}
