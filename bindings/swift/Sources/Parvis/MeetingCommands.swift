import ParvisFFI

/// What everybody may ask for. A command returns when the meeting has acknowledged it, which is after it was stored.
///
/// Each throws a ``ParvisError``, or `CancellationError` if the task is cancelled; a command that was said may be done still.
extension Meeting {
    /// Knocks again, after a denial or when nobody answered.
    public func knock() async throws {
        try await foreign.knock()
    }

    /// Writes to everybody; returns when the message is stored. It comes as an event too.
    @discardableResult
    public func chat(_ text: String) async throws -> Done {
        try await foreign.chat(text: text)
    }

    /// Writes to one participant.
    @discardableResult
    public func chat(_ text: String, to participant: ParticipantID) async throws -> Done {
        try await foreign.chatPrivately(to: participant, text: text)
    }

    /// Writes to everybody and returns at once what an app shows until the message is there: the event that brings it has the
    /// same id, or says that it failed. ``Pending/state`` says the same, and ``Pending/retry()`` sends it again.
    public func chatPending(_ text: String) async throws -> Pending {
        Pending(try await foreign.chatPending(text: text))
    }

    /// Messages of the chat's past, newest first page by page: at most `count` before `before`, or the newest.
    ///
    /// What is gone is said, and not left out in silence.
    public func history(before: Int64? = nil, count: Int = 50) async throws -> HistoryPage {
        try await foreign.history(before: before, count: Int32(clamping: count))
    }

    /// Raises the hand; a raised one keeps its place.
    @discardableResult
    public func raiseHand() async throws -> Done {
        try await foreign.raiseHand()
    }

    /// Lowers the own hand.
    public func lowerHand() async throws {
        try await foreign.lowerHand()
    }

    /// Shows a reaction.
    public func react(_ emoji: Emoji) async throws {
        try await foreign.react(emoji: emoji)
    }

    /// Changes the own name.
    public func rename(_ name: String) async throws {
        try await foreign.rename(name: name)
    }

    /// Asks the hosts to record.
    public func requestRecording() async throws {
        try await foreign.requestRecording()
    }

    /// Asks the hosts to transcribe.
    public func requestTranscription() async throws {
        try await foreign.requestTranscription()
    }
}

/// What hosts may ask for: owners and administrators. Others get ``ErrorKind/forbidden``.
extension Meeting {
    /// Lets people in who wait, as many as there are places, in the order in which they came; says how many are in by that,
    /// ``Done/admitted``, and how many wait still, ``Done/waiting``.
    ///
    /// - Throws: ``ErrorKind/roomFull`` if there is no place.
    @discardableResult
    public func admit(_ who: Target) async throws -> Done {
        try await foreign.admit(who: who)
    }

    /// Sends people away who wait.
    public func deny(_ who: Target) async throws {
        try await foreign.deny(who: who)
    }

    /// Stops microphones; only their owners turn them on again.
    public func mute(_ who: Target) async throws {
        try await foreign.mute(who: who)
    }

    /// Forbids a source to everybody but hosts, or allows it again.
    public func forbid(_ source: Source, _ forbidden: Bool) async throws {
        try await foreign.forbid(source: source, forbidden: forbidden)
    }

    /// Lowers somebody's hand.
    public func lowerHand(of participant: ParticipantID) async throws {
        try await foreign.lowerHandOf(who: participant)
    }

    /// Lowers all hands.
    public func lowerAllHands() async throws {
        try await foreign.lowerAllHands()
    }

    /// Changes somebody's name.
    public func rename(_ participant: ParticipantID, to name: String) async throws {
        try await foreign.renameOther(who: participant, name: name)
    }

    /// Promotes or demotes somebody who is in and signed in.
    public func setRole(of participant: ParticipantID, to role: Role) async throws {
        try await foreign.setRole(who: participant, role: role)
    }

    /// Changes who enters without knocking; with an organisation, agents of it only.
    public func setAccess(_ level: AccessLevel, organisation: String? = nil) async throws {
        try await foreign.setAccess(level: level, organisation: organisation)
    }

    /// Whether guests wait until an agent is in.
    public func setHostGate(_ on: Bool) async throws {
        try await foreign.setHostGate(on: on)
    }

    /// Which chat messages late joiners get.
    public func setHistory(_ history: HistoryPolicy) async throws {
        try await foreign.setHistory(history: history)
    }

    /// Locks or unlocks the room.
    public func lock(_ locked: Bool) async throws {
        try await foreign.lock(locked: locked)
    }

    /// Removes somebody: it has to knock again.
    public func remove(_ participant: ParticipantID) async throws {
        try await foreign.remove(who: participant)
    }

    /// Starts a recording, ``Done/capture``; how far it is comes as ``MeetingEvent/capture(capture:)``.
    ///
    /// - Throws: ``ErrorKind/alreadyRecording``; ``ErrorKind/needsKey`` in an encrypted room.
    @discardableResult
    public func startRecording() async throws -> Done {
        try await foreign.startRecording()
    }

    /// Stops the recording.
    ///
    /// - Throws: ``ErrorKind/notRecording`` if there is none.
    public func stopRecording() async throws {
        try await foreign.stopRecording()
    }

    /// Starts writing down what is spoken, ``Done/capture``.
    ///
    /// - Parameter record: whether a recording is started with it.
    @discardableResult
    public func startTranscription(_ language: Language, record: Bool = false) async throws -> Done {
        try await foreign.startTranscription(language: language, record: record)
    }

    /// Stops the transcription.
    ///
    /// - Throws: ``ErrorKind/notRecording`` if there is none.
    public func stopTranscription() async throws {
        try await foreign.stopTranscription()
    }

    /// Ends the meeting for everybody.
    public func endForAll() async throws {
        try await foreign.endForAll()
    }
}
