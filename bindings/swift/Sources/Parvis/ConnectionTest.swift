import ParvisFFI

public typealias Capacity = ParvisFFI.Capacity
public typealias ConnectionReport = ParvisFFI.ConnectionReport
public typealias PathReport = ParvisFFI.PathReport
public typealias Transport = ParvisFFI.Transport
public typealias TransportReport = ParvisFFI.TransportReport

extension Meeting {
    /// Tries how well the meeting that a link or a code names is reached, without knocking: nobody there sees it. Takes some
    /// seconds.
    ///
    /// - Throws: ``ParvisError`` of the link and of the meeting service; what is wrong with the relay is in the report.
    public static func testConnection(
        _ linkOrCode: String, options: JoinOptions
    ) async throws -> ConnectionReport {
        try await ParvisFFI.testConnection(
            linkOrCode: linkOrCode, options: options.foreign, tickets: options.tickets.foreign)
    }
}

extension ConnectionReport {
    /// How long the meeting service took to give a ticket.
    public var service: Duration { .milliseconds(serviceMs) }
}

extension PathReport {
    /// How long connecting took.
    public var handshake: Duration { .milliseconds(handshakeMs) }

    /// The round-trip time to the relay.
    public var rtt: Duration { .microseconds(rttUs) }

    /// How long the meeting took to answer a command, the median; `nil`: it did not.
    public var answer: Duration? { answerMs.map { .milliseconds($0) } }
}
