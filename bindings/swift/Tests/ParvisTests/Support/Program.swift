import Foundation

/// A program that runs beside the tests, and the lines it says.
final class Program: @unchecked Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let process = Process()
    private let output: Lines
    private let errors: Lines

    /// Starts it; of the environment only what it needs.
    init(_ arguments: [String], input: String = "") throws {
        guard let binary = ProcessInfo.processInfo.environment["PARVIS_BINARY"] else {
            throw Failure(description: "PARVIS_BINARY names no parvis: run the tests by scripts/test-swift.sh")
        }
        let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: binary)
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin", "HOME": NSTemporaryDirectory()]
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stderr
        output = Lines(stdout.fileHandleForReading)
        errors = Lines(stderr.fileHandleForReading)
        try process.run()
        stdin.fileHandleForWriting.write(Data(input.utf8))
        try stdin.fileHandleForWriting.close()
    }

    /// Runs one to its end, which must be good; returns the JSON objects it said.
    @discardableResult
    static func run(_ arguments: [String], input: String = "") throws -> [[String: Any]] {
        let program = try Program(arguments + ["--json"], input: input)
        program.process.waitUntilExit()
        let errors = program.errors.all()
        guard program.process.terminationStatus == 0 else {
            throw Failure(description: "\(arguments): \(errors.joined(separator: "\n"))")
        }
        return program.output.all().compactMap(json)
    }

    /// Reads on to the event of that name.
    func event(_ name: String) throws -> [String: Any] {
        try next(output, name) { line in
            let event = json(line)
            return event?["event"] as? String == name ? event : nil
        }
    }

    /// Reads on to the line of the errors that holds this; returns what follows it.
    func error(after text: String) throws -> String {
        try next(errors, text) { line in
            line.range(of: text).map { String(line[$0.upperBound...]) }
        }
    }

    private func next<T>(_ lines: Lines, _ what: String, _ found: (String) -> T?) throws -> T {
        while let line = lines.next(within: 60) {
            if let found = found(line) { return found }
        }
        throw Failure(description: "no \(what) came")
    }

    /// Sends it a signal.
    func signal(_ signal: Int32) {
        kill(process.processIdentifier, signal)
    }

    /// Ends it without a word, as a crash does; others it would not hear, since Foundation starts it with them blocked.
    func crash() {
        signal(SIGKILL)
        process.waitUntilExit()
    }
}

private func json(_ line: String) -> [String: Any]? {
    (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
}

/// The lines of a pipe, read by a thread of their own so that the program never waits for a reader.
private final class Lines: @unchecked Sendable {
    private let condition = NSCondition()
    private var waiting: [String] = []
    private var isOver = false

    init(_ handle: FileHandle) {
        Thread.detachNewThread { [self] in
            var rest = Data()
            while case let data = handle.availableData, !data.isEmpty {
                rest.append(data)
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    add(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
                    rest = rest[rest.index(after: end)...]
                }
            }
            if !rest.isEmpty { add(String(decoding: rest, as: UTF8.self)) }
            condition.withLock {
                isOver = true
                condition.broadcast()
            }
        }
    }

    private func add(_ line: String) {
        condition.withLock {
            waiting.append(line)
            condition.broadcast()
        }
    }

    /// The next one; `nil`: it is over, or none came in time.
    func next(within seconds: Double) -> String? {
        condition.withLock {
            let deadline = Date(timeIntervalSinceNow: seconds)
            while waiting.isEmpty, !isOver {
                guard condition.wait(until: deadline) else { return nil }
            }
            return waiting.isEmpty ? nil : waiting.removeFirst()
        }
    }

    /// All of them, once the program is over.
    func all() -> [String] {
        condition.withLock {
            while !isOver { condition.wait() }
            return waiting
        }
    }
}
