#if canImport(Network)
import Foundation
import Network
import Parvis

/// Watches the device's network: from Wi-Fi to cellular and back.
///
/// ```swift
/// let watch = NetworkWatch()
/// Task { await watch.move(meeting) }
/// ```
public final class NetworkWatch: @unchecked Sendable {
    private let listeners = Listeners<Void>(waiting: 1)
    private let monitor = NWPathMonitor()
    private var last: [String]?

    /// Watches from here on.
    public init() {
        monitor.pathUpdateHandler = { [weak self] path in self?.changed(path) }
        monitor.start(queue: DispatchQueue(label: "parvis.network"))
    }

    /// One for each change of the network that packets leave by from here on, until this is released.
    public func changes() -> AsyncStream<Void> {
        listeners.stream()
    }

    /// Moves a meeting along at each change, before its connection is lost, until it is over or the task is cancelled.
    public func move(_ meeting: Meeting) async {
        await meeting.move(at: changes())
    }

    deinit {
        monitor.cancel()
    }

    private func changed(_ path: NWPath) {
        guard path.status == .satisfied else { return }
        // What packets leave by: the first interface is the one in use.
        let now = path.availableInterfaces.prefix(1).map(\.name) + path.gateways.map { "\($0)" }
        defer { last = now }
        // The first answer is the network that there was.
        guard let last, last != now else { return }
        listeners.yield(())
    }
}
#endif
