import ParvisFFI

public typealias Draft = ParvisFFI.Draft
public typealias MeetingStats = ParvisFFI.MeetingStats
public typealias PathStats = ParvisFFI.PathStats
public typealias Rates = ParvisFFI.Rates
public typealias ReceivedStats = ParvisFFI.ReceivedStats
public typealias StepDown = ParvisFFI.StepDown

extension Meeting {
    /// Goes over to a new UDP socket, as an app asks for when the device has changed networks: media and commands go on, without
    /// ``Phase/reconnecting``. Where the relay is not reached from there, the meeting reconnects by itself.
    public func rebind() async throws {
        try await foreign.rebind()
    }

    /// How the meeting goes at the moment.
    public func stats() async throws -> MeetingStats {
        try await foreign.stats()
    }

    /// Says what is shown of somebody from here on, to all pictures of that source that there are.
    public func setVideoTarget(_ target: VideoTarget, of participant: ParticipantID, source: Source) throws {
        try foreign.setVideoTarget(who: participant, source: source, target: target)
    }

    /// Pins somebody, such as a sign-language interpreter, or no longer: the relay sends their pictures before all others, they
    /// have at least 360 lines, and are not given up when the network is short. What is not visible, or
    /// ``Receive/audioOnly``, still stops them.
    public func setPinned(_ participant: ParticipantID, _ pinned: Bool) throws {
        try foreign.setPinned(who: participant, pinned: pinned)
    }

    /// Who is pinned.
    ///
    /// - Throws: ``ErrorKind/left`` after leaving.
    public func pinned() throws -> [ParticipantID] {
        try foreign.pinned()
    }
}

extension PathStats {
    /// The smoothed round-trip time.
    public var rtt: Duration { .microseconds(rttUs) }

    /// The least round-trip time seen.
    public var minRtt: Duration { .microseconds(minRttUs) }
}
