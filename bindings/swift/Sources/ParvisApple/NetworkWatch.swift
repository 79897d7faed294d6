#if canImport(Network)
import Foundation
import Network
import Parvis

/// Watches the device's network and moves meetings along: from Wi-Fi to cellular and back without joining again.
///
/// ```swift
/// let watch = NetworkWatch(meeting)      // as long as the meeting
/// ```
public final class NetworkWatch: @unchecked Sendable {
    private let monitor = NWPathMonitor()
    private let queue = DispatchQueue(label: "parvis.network")
    private weak var meeting: Meeting?
    private var last: [String]?

    /// Watches until it is released.
    public init(_ meeting: Meeting) {
        self.meeting = meeting
        monitor.pathUpdateHandler = { [weak self] path in self?.changed(path) }
        monitor.start(queue: queue)
    }

    deinit {
        monitor.cancel()
    }

    private func changed(_ path: NWPath) {
        guard path.status == .satisfied else { return }
        // What packets leave by: the first interface is the one in use.
        let now = path.availableInterfaces.prefix(1).map(\.name) + path.gateways.map { "\($0)" }
        defer { last = now }
        // The first answer is the network that the meeting was joined by.
        guard let last, last != now else { return }
        meeting?.rebind()
    }
}
#endif
