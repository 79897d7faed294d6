import Foundation

/// Mixes everybody's sound for a speaker that asks for it at its own pace.
///
/// A voice begins when 60 ms of it are there, and is never more than 200 ms behind: what is older is dropped, since late
/// sound is worse than lost sound.
public final class SoundMixer: Sendable {
    /// Samples that a voice has to have before it begins.
    static let cushion = 2880
    /// Samples that a voice has at most.
    static let most = 9600

    private struct Voice {
        var waiting: [Float] = []
        var plays = false
    }

    private let voices = Locked<[ParticipantID: Voice]>([:])

    /// Silence.
    public init() {}

    /// Takes a stretch of somebody's sound; two channels become one.
    public func add(_ sound: Sound, of participant: ParticipantID) {
        sound.withSamples { add($0, channels: sound.channels, of: participant) }
    }

    func add(_ samples: UnsafeBufferPointer<Float>, channels: Int, of participant: ParticipantID) {
        voices.with { voices in
            if channels == 1 {
                voices[participant, default: Voice()].waiting.append(contentsOf: samples)
            } else {
                let pairs = stride(from: 0, to: samples.count - 1, by: 2)
                let mono = pairs.map { (samples[$0] + samples[$0 + 1]) / 2 }
                voices[participant, default: Voice()].waiting.append(contentsOf: mono)
            }
            let late = voices[participant]!.waiting.count - Self.most
            if late > 0 {
                voices[participant]!.waiting.removeFirst(late)
            }
        }
    }

    /// Fills a stretch of 48 kHz, one channel; returns whether there is anything but silence in it.
    public func fill(_ samples: UnsafeMutableBufferPointer<Float>) -> Bool {
        samples.update(repeating: 0)
        return voices.with { voices in
            var sounds = false
            for participant in voices.keys {
                guard var voice = voices[participant] else { continue }
                if voice.waiting.count >= Self.cushion { voice.plays = true }
                guard voice.plays else { continue }
                let count = min(voice.waiting.count, samples.count)
                for index in 0..<count { samples[index] += voice.waiting[index] }
                voice.waiting.removeFirst(count)
                // It ran dry: it begins again with a cushion.
                if voice.waiting.isEmpty { voice.plays = false }
                voices[participant] = voice.waiting.isEmpty ? nil : voice
                sounds = sounds || count > 0
            }
            for index in samples.indices { samples[index] = min(max(samples[index], -1), 1) }
            return sounds
        }
    }
}
