import ParvisFFI

extension Meeting {
    /// Receives and mixes everybody else's voice, as people come and go. A meeting has one mixer, and no ``voice(of:)`` beside
    /// it: a voice is received once.
    ///
    /// - Parameter channels: 1 or 2.
    public func mixer(channels: Int = 1) throws -> Mixer {
        Mixer(try foreign.mixer(channels: Int32(clamping: channels)))
    }

    /// Plays somebody louder or softer, in the mixer and in ``voice(of:)``: 1 as it came, 0 not at all, 4 at most.
    public func setVolume(_ volume: Float, of participant: ParticipantID) throws {
        try foreign.setVolume(who: participant, volume: volume)
    }

    /// How loud somebody is played, mute aside.
    public func volume(of participant: ParticipantID) throws -> Float {
        try foreign.volume(who: participant)
    }

    /// Mutes somebody for oneself alone, or plays it again. It is received all the same, so that who speaks is still seen.
    public func muteForMe(_ participant: ParticipantID, _ muted: Bool) throws {
        try foreign.muteForMe(who: participant, muted: muted)
    }

    /// Whether one has muted somebody for oneself.
    public func isMutedForMe(_ participant: ParticipantID) throws -> Bool {
        try foreign.isMutedForMe(who: participant)
    }
}

/// The sound of everybody else, mixed, for what plays it to pull. ``cancel()`` or releasing it ends that.
public final class Mixer: Sendable {
    private let foreign: ParvisFFI.Mixer

    init(_ foreign: ParvisFFI.Mixer) {
        self.foreign = foreign
    }

    /// 1 or 2.
    public var channels: Int { Int(foreign.channels()) }

    /// The next stretch of all voices, silence where nobody speaks; never waits for one.
    ///
    /// - Parameter samples: of each channel, 48 kHz.
    public func pull(_ samples: Int = 480) throws -> AudioFrame {
        AudioFrame(try foreign.fill(samples: Int32(clamping: samples)))
    }

    /// Fills the buffer of a device, 48 kHz, channels interleaved.
    public func fill(_ samples: UnsafeMutableBufferPointer<Float>) throws {
        let sound = try pull(samples.count / channels)
        sound.withSamples { _ = samples.update(fromContentsOf: $0) }
    }

    /// Ends it: nothing more is received for it.
    public func cancel() {
        foreign.cancel()
    }
}
