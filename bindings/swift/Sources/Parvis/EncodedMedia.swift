import Foundation
import ParvisFFI

public typealias EncodedDemand = ParvisFFI.EncodedDemand

extension Meeting {
    /// Turns the camera on with frames that the app encodes, in layers of these codecs and sizes; give them by
    /// ``EncodedSource/push(_:layer:at:key:temporalID:)``, and do what ``EncodedSource/demands()`` says. Key frames carry the
    /// parameter sets of their stream.
    public func cameraEncoded(_ layers: [VideoParams]) async throws -> EncodedSource {
        EncodedSource(try await foreign.cameraEncoded(layers: layers))
    }

    /// Shares a screen whose frames the app encodes, as ``cameraEncoded(_:)`` does.
    public func screenEncoded(_ layers: [VideoParams]) async throws -> EncodedSource {
        EncodedSource(try await foreign.screenEncoded(layers: layers))
    }

    /// Receives somebody's camera or screen as it was encoded, for what is shown of it.
    public func pictureEncoded(
        of participant: ParticipantID, source: Source, target: VideoTarget
    ) throws -> RemoteEncodedPicture {
        RemoteEncodedPicture(try foreign.pictureEncoded(who: participant, source: source, target: target))
    }
}

/// A camera or screen that the app encodes, such as by a phone's encoder. ``turnOff()`` or releasing it turns it off.
public final class EncodedSource: Sendable {
    let foreign: ParvisFFI.EncodedSource
    private let asking = Locked(Asking())

    /// A question to the library.
    private struct Asking {
        /// Whether it was asked, and the answer not taken so far.
        var isAsking = false
        var answer: EncodedDemand??
        var waiting: [UUID: AsyncStream<Void>.Continuation] = [:]
    }

    init(_ foreign: ParvisFFI.EncodedSource) {
        self.foreign = foreign
    }

    deinit {
        // A question may hold it.
        try? foreign.turnOff()
    }

    /// Sends a frame of a layer; never waits. It is copied once. Frames of a layer that nobody watches are thrown away.
    ///
    /// - Parameters:
    ///   - layer: in the order in which the layers were given.
    ///   - timestamp: when it was captured.
    ///   - key: whether it needs no earlier frame.
    ///   - temporalID: its temporal layer, 0 the base.
    public func push(
        _ payload: UnsafeRawBufferPointer, layer: Int = 0, at timestamp: MediaTime, key: Bool, temporalID: Int = 0
    ) throws {
        try foreign.push(
            layer: Int32(clamping: layer), payload: Data(lending: payload), timestampUs: timestamp.microseconds,
            key: key,
            temporalId: Int32(clamping: temporalID))
    }

    /// What the encoder is to do next; `nil`: it was turned off, the meeting is over, or the task is cancelled. For one task at
    /// a time. Whoever asks late gets the outcome, nothing piles up.
    public func nextDemand() async -> EncodedDemand? {
        let id = UUID()
        while !Task.isCancelled {
            let (answered, answers) = AsyncStream.makeStream(of: Void.self)
            let demand = asking.with { asking -> EncodedDemand?? in
                if let demand = asking.answer {
                    asking = Asking()
                    return demand
                }
                asking.waiting[id] = answers
                if !asking.isAsking {
                    asking.isAsking = true
                    ask()
                }
                return nil
            }
            if let demand { return demand }
            for await _ in answered {}
            asking.with { $0.waiting[id] = nil }
        }
        // Whoever is cancelled leaves the answer to the next one.
        return nil
    }

    /// Asks the library, once for all who wait.
    private func ask() {
        Task { [foreign, asking] in
            let demand = await foreign.nextDemand()
            let waiting = asking.with { asking in
                asking.answer = .some(demand)
                return asking.waiting.values
            }
            for one in waiting { one.finish() }
        }
    }

    /// What the encoder is to do, as it comes.
    public func demands() -> AsyncStream<EncodedDemand> {
        AsyncStream { [weak self] in await self?.nextDemand() }
    }

    /// Mutes: nothing is captured, and the tracks stay announced.
    public func mute() async throws {
        try await foreign.mute()
    }

    /// Turns it on again.
    public func unmute() async throws {
        try await foreign.unmute()
    }

    /// The tracks, whether they are watched, and what became of their frames.
    public func stats() throws -> [LocalStats] {
        try foreign.stats()
    }

    /// Turns it off: the demands end.
    ///
    /// - Throws: ``ErrorKind/left`` if it was turned off before.
    public func turnOff() throws {
        try foreign.turnOff()
    }
}

/// Somebody's camera or screen as it was encoded, for a decoder of the app: a sequence of frames, in order, in the layer that
/// fits what is shown, which ends when that participant leaves or the meeting is over.
///
/// One task takes it at a time. When the task is cancelled or this is released, nothing of it is received any more.
public final class RemoteEncodedPicture: AsyncSequence, Sendable {
    private let foreign: ParvisFFI.RemoteEncodedPicture

    init(_ foreign: ParvisFFI.RemoteEncodedPicture) {
        self.foreign = foreign
    }

    deinit {
        foreign.cancel()
    }

    /// The next frame; `nil`: it is over.
    public func next() async -> EncodedPicture? {
        let picture = await withTaskCancellationHandler {
            await foreign.next()
        } onCancel: {
            foreign.cancel()
        }
        return picture.map(EncodedPicture.init)
    }

    /// Says what is shown of it from here on.
    public func setTarget(_ target: VideoTarget) {
        foreign.setTarget(target: target)
    }

    /// Asks for a key frame, as a decoder needs one that has lost its references.
    public func askKey() {
        foreign.askKey()
    }

    /// The track that is received, such as `camera/360p`, as of the last frame; `nil`: none.
    public var layer: String? {
        foreign.layer()
    }

    /// Codec, size and configuration of the track that is received, as of the last frame.
    public var params: VideoParams? {
        foreign.params()
    }

    /// What became of the frames of the track that is received, as of the last frame.
    public func stats() -> RemoteStats {
        foreign.stats()
    }

    /// Ends it.
    public func cancel() {
        foreign.cancel()
    }

    /// Takes the frames one after the other.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let picture: RemoteEncodedPicture

        /// The next frame; `nil`: it is over.
        public func next() async -> EncodedPicture? {
            await picture.next()
        }
    }

    /// Takes the frames one after the other.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(picture: self)
    }
}
