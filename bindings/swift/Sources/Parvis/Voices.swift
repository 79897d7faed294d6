extension Meeting {
    /// Receives everybody's voice until the meeting is over or the task is cancelled: of whoever comes, until it goes.
    ///
    /// - Parameter heard: called with each stretch of sound; the calls for one participant come one after the other.
    public func hearEverybody(_ heard: @escaping @Sendable (ParticipantID, Sound) async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            var known: Set<ParticipantID> = []
            for await state in states() {
                let others = Set(state.participants.map(\.id)).subtracting([state.me])
                for participant in others.subtracting(known) {
                    // A voice ends by itself when its participant goes.
                    guard let voice = try? voice(of: participant) else { continue }
                    group.addTask {
                        for await sound in voice {
                            await heard(participant, sound)
                        }
                    }
                }
                known = others
            }
            group.cancelAll()
        }
    }
}
