#if canImport(Network)
import Foundation
import Network

/// Watches the device's network: from Wi-Fi to cellular and back.
///
/// A meeting whose connection is lost by such a change connects again by itself; an app may say so to its user.
public final class NetworkWatch: @unchecked Sendable {
    /// One for each change of the network that packets leave by, until this is released.
    public let changes: AsyncStream<Void>

    private let continuation: AsyncStream<Void>.Continuation
    private let monitor = NWPathMonitor()
    private var last: [String]?

    /// Watches from here on.
    public init() {
        (changes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        monitor.pathUpdateHandler = { [weak self] path in self?.changed(path) }
        monitor.start(queue: DispatchQueue(label: "parvis.network"))
    }

    deinit {
        monitor.cancel()
        continuation.finish()
    }

    private func changed(_ path: NWPath) {
        guard path.status == .satisfied else { return }
        // What packets leave by: the first interface is the one in use.
        let now = path.availableInterfaces.prefix(1).map(\.name) + path.gateways.map { "\($0)" }
        defer { last = now }
        // The first answer is the network that there was.
        guard let last, last != now else { return }
        continuation.yield()
    }
}
#endif
