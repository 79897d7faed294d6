import Parvis

/// What the user does in a meeting; what does not work is its ``CallModel/problem``.
extension CallModel {
    /// Turns the microphone on, or mutes it.
    public func setMicrophone(on: Bool) async {
        await attempt { try await self.own.setMicrophone(on: on) }
    }

    /// Turns the camera on, or mutes it.
    public func setCamera(on: Bool) async {
        await attempt { try await self.own.setCamera(on: on) }
    }

    /// Shares the screen, or ends that.
    public func setScreen(on: Bool) async {
        await attempt { try await self.own.setScreen(on: on) }
    }

    /// Changes between the front and the back camera.
    public func flipCamera() async {
        await attempt { try await self.own.flipCamera() }
    }

    /// Has the meeting heard in the room, or at the ear.
    public func setLoudspeaker(on: Bool) async {
        await attempt { try await self.own.setLoudspeaker(on: on) }
    }

    /// Raises the hand, or lowers it.
    public func toggleHand() async {
        let raised = meeting.handPosition(of: meeting.state.me) != nil
        await attempt {
            if raised {
                try await self.meeting.meeting.lowerHand()
            } else {
                try await self.meeting.meeting.raiseHand()
            }
        }
    }

    /// Shows a reaction.
    public func react(_ emoji: Emoji) async {
        await attempt { try await self.meeting.meeting.react(emoji) }
    }

    /// Writes to everybody.
    public func send(_ text: String) async {
        await attempt { try await self.meeting.send(text) }
    }

    /// Sends a line of the chat again that has failed.
    public func retry(_ line: ChatLog.Line.ID) async {
        await attempt { try await self.meeting.retry(line) }
    }

    /// Brings a page of the chat's past.
    public func loadOlderMessages() async {
        await attempt { try await self.meeting.loadOlderMessages() }
    }

    /// Knocks again, after a denial or when nobody answered.
    public func knock() async {
        await attempt { try await self.meeting.meeting.knock() }
    }
}

/// What hosts do.
extension CallModel {
    /// Lets somebody in who waits, or everybody.
    public func admit(_ who: Target) async {
        await attempt { try await self.meeting.meeting.admit(who) }
    }

    /// Sends somebody away who waits, or everybody.
    public func deny(_ who: Target) async {
        await attempt { try await self.meeting.meeting.deny(who) }
    }

    /// Stops somebody's microphone, or everybody's.
    public func mute(_ who: Target) async {
        await attempt { try await self.meeting.meeting.mute(who) }
    }

    /// Lowers somebody's hand.
    public func lowerHand(of who: ParticipantID) async {
        await attempt { try await self.meeting.meeting.lowerHand(of: who) }
    }

    /// Removes somebody.
    public func remove(_ who: ParticipantID) async {
        await attempt { try await self.meeting.meeting.remove(who) }
    }

    /// Locks or unlocks the room.
    public func lock(_ locked: Bool) async {
        await attempt { try await self.meeting.meeting.lock(locked) }
    }

    /// Ends the meeting for everybody.
    public func endForAll() async {
        await attempt { try await self.meeting.meeting.endForAll() }
    }
}
