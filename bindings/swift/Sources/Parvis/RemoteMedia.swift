import ParvisFFI

extension Meeting {
    /// Receives somebody's voice, across mutes and reconnections. What is heard through it tells who speaks.
    ///
    /// - Throws: ``ErrorKind/left`` after leaving.
    public func voice(of participant: ParticipantID) throws -> RemoteVoice {
        RemoteVoice(try foreign.voice(who: participant))
    }

    /// Receives the sound of a screen that somebody shares; a mixer plays it too.
    ///
    /// - Throws: ``ErrorKind/left`` after leaving.
    public func screenSound(of participant: ParticipantID) throws -> RemoteVoice {
        RemoteVoice(try foreign.screenSound(who: participant))
    }

    /// Receives somebody's camera or screen, for what is shown of it.
    ///
    /// - Throws: ``ErrorKind/left`` after leaving.
    public func picture(of participant: ParticipantID, source: Source, target: VideoTarget) throws -> RemotePicture {
        RemotePicture(try foreign.picture(who: participant, source: source, target: target))
    }

    /// Receives all pictures, their smallest layers, or sound only.
    public func setReceive(_ receive: Receive) throws {
        try foreign.setReceive(receive: receive)
    }
}

/// Somebody's voice, or the sound of a screen: a sequence of stretches of sound of 20 ms, which ends when that participant leaves or the meeting is over.
///
/// One task takes it at a time. When the task is cancelled or this is released, nothing of it is received any more.
public final class RemoteVoice: AsyncSequence, Sendable {
    private let foreign: ParvisFFI.RemoteVoice

    init(_ foreign: ParvisFFI.RemoteVoice) {
        self.foreign = foreign
    }

    deinit {
        foreign.cancel()
    }

    /// The next sound; `nil`: it is over.
    public func next() async -> AudioFrame? {
        let sound = await withTaskCancellationHandler {
            await foreign.next()
        } onCancel: {
            foreign.cancel()
        }
        return sound.map(AudioFrame.init)
    }

    /// Ends it.
    public func cancel() {
        foreign.cancel()
    }

    /// Takes the sounds one after the other.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let voice: RemoteVoice

        /// The next sound; `nil`: it is over.
        public func next() async -> AudioFrame? {
            await voice.next()
        }
    }

    /// Takes the sounds one after the other.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(voice: self)
    }
}

/// Somebody's camera or screen: a sequence of pictures in the layer that fits what is shown, which ends when that participant
/// leaves or the meeting is over.
///
/// One task takes it at a time. When the task is cancelled or this is released, nothing of it is received any more.
public final class RemotePicture: AsyncSequence, Sendable {
    private let foreign: ParvisFFI.RemotePicture

    init(_ foreign: ParvisFFI.RemotePicture) {
        self.foreign = foreign
    }

    deinit {
        foreign.cancel()
    }

    /// The next picture; `nil`: it is over.
    public func next() async -> VideoFrame? {
        let frame = await withTaskCancellationHandler {
            await foreign.next()
        } onCancel: {
            foreign.cancel()
        }
        return frame.map(VideoFrame.init)
    }

    /// Says what is shown of it from here on.
    public func setTarget(_ target: VideoTarget) {
        foreign.setTarget(target: target)
    }

    /// What became of the frames of the track that is received, as of the last picture.
    public func stats() -> RemoteStats {
        foreign.stats()
    }

    /// The track that is received, such as `camera/360p`, as of the last picture; `nil`: none.
    public var layer: String? {
        foreign.layer()
    }

    /// The decoder at work, as of the last picture; `nil`: nothing was received.
    public var codec: CodecInUse? {
        foreign.codec()
    }

    /// Codec strings of layers that nobody here decodes: why there is no picture, or not the one that would fit.
    public func undecodable() async -> [String] {
        await foreign.undecodable()
    }

    /// Ends it.
    public func cancel() {
        foreign.cancel()
    }

    /// Takes the pictures one after the other.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let picture: RemotePicture

        /// The next picture; `nil`: it is over.
        public func next() async -> VideoFrame? {
            await picture.next()
        }
    }

    /// Takes the pictures one after the other.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(picture: self)
    }
}
