// What calls over the boundary cost on this machine, against what is wanted: `ok|short ROW FIGURE TARGET`, nanoseconds.
// It is compiled together with what is generated of a library with the feature `bench`: scripts/bench-swift.sh.

import Foundation

final class Taking: BenchSink {
    func take(frame: VideoFrame) {}
}

let calls = 20_000
let bytes = Data(count: 100_000)
var sum: Int64 = 0

/// A figure may be a fifth above its target: machines differ.
func row(_ name: String, _ target: Double, _ figure: Double) {
    let word = figure <= target * 1.2 ? "ok" : "short"
    func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
    let (shown, wanted) = (String(format: "%.1f", figure), String(format: "%.1f", target))
    print(
        word.padding(toLength: 5, withPad: " ", startingAt: 0), name.padding(toLength: 33, withPad: " ", startingAt: 0),
        padded(shown, 9), padded(wanted, 9))
}

/// The best of five rounds, after one to get warm.
func best(_ round: () throws -> Double) rethrows -> Double {
    _ = try round()
    return try (1...5).map { _ in try round() }.min()!
}

/// Nanoseconds a call.
func time(_ call: () -> Void) -> Double {
    let started = DispatchTime.now().uptimeNanoseconds
    for _ in 0..<calls { call() }
    return Double(DispatchTime.now().uptimeNanoseconds - started) / Double(calls)
}

row("swift-call-without-payload-ns", 25, best { time { sum &+= benchCall(number: 3) } })
row("swift-100-KB-in-as-a-slice-ns", 70, best { time { sum &+= benchBytes(bytes: bytes) } })
let handing = try best { Double(try benchCallback(sink: Taking(), calls: Int32(calls))) }
row("swift-callback-with-a-handle-ns", 2000, handing)
// What the calls gave is looked at, so that none is left out.
if sum == .min { print(sum) }
