import Foundation
import Observation
import Parvis

/// A meeting on the screen: who is large, what of this phone is on, what the user does.
@MainActor
@Observable
public final class CallModel {
    /// The meeting, as it is known.
    public let meeting: MeetingModel
    /// Who is on the screen.
    public private(set) var stage = Stage()
    /// Whether one's own microphone is on, camera too, and the screen shared.
    public private(set) var microphoneOn = false
    public private(set) var cameraOn = false
    public private(set) var screenOn = false
    /// What did not work last, in words for the user.
    public var problem: String?

    private let devices: any CaptureDevices
    private let wants: JoinForm
    private var microphone: Microphone?
    private var camera: Camera?
    private var screen: Screen?
    private var arrival: Task<Void, Never>?

    /// A meeting that was joined; ``run()`` makes it live.
    public init(meeting: Meeting, devices: any CaptureDevices, form: JoinForm) {
        self.meeting = MeetingModel(meeting)
        self.devices = devices
        wants = form
    }

    /// Follows the meeting until it is over; returns why. A cancelled task leaves it.
    public func run() async -> DisconnectReason {
        devices.watchNetwork(meeting.meeting)
        let reason = await meeting.run { [weak self] in self?.changed() }
        await arrival?.value
        await stopEverything()
        return reason
    }

    /// Leaves.
    public func leave() async {
        // A meeting that is over needs no leaving.
        try? await meeting.meeting.leave()
    }

    private func changed() {
        let state = meeting.state
        stage.update(people: others, speakers: state.speakers)
        guard state.phase == .connected, let media = meeting.myself?.media else { return }
        if arrival == nil {
            arrival = Task { await self.comeIn() }
        }
        // A host can stop one's own sources: the meeting says what is on.
        microphoneOn = microphone != nil && media.microphone == .on
        cameraOn = camera != nil && media.camera == .on
        let shared = screenOn
        screenOn = screen != nil && media.screen == .on
        if shared, !screenOn {
            Task { await self.setScreen(on: false) }
        }
    }

    private func comeIn() async {
        await attempt { try await self.devices.startSpeaker(self.meeting.meeting) }
        if wants.microphoneOn { await setMicrophone(on: true) }
        if wants.cameraOn { await setCamera(on: true) }
    }

    private var others: [Participant] {
        meeting.participants.filter { $0.id != meeting.state.me }
    }

    /// Turns the microphone on, or mutes it.
    public func setMicrophone(on: Bool) async {
        await attempt {
            if let microphone = self.microphone {
                try await on ? microphone.unmute() : microphone.mute()
            } else if on {
                let microphone = try await self.meeting.meeting.microphone()
                try await self.devices.startMicrophone(microphone)
                self.microphone = microphone
            }
        }
    }

    /// Turns the camera on, or mutes it.
    public func setCamera(on: Bool) async {
        await attempt {
            if on {
                try await self.devices.startCamera()
            } else {
                await self.devices.stopCamera()
            }
            if let camera = self.camera {
                try await on ? camera.unmute() : camera.mute()
            } else if on {
                let camera = try await self.meeting.meeting.camera(width: 1280, height: 720)
                self.devices.feed(camera)
                self.camera = camera
            }
        }
    }

    /// Shares the screen, or ends that.
    public func setScreen(on: Bool) async {
        await attempt {
            if on {
                let screen = try await self.meeting.meeting.screen(width: 1280, height: 720)
                try await self.devices.startScreen(screen)
                self.screen = screen
            } else {
                await self.devices.stopScreen()
                self.screen = nil
                self.screenOn = false
            }
        }
    }

    /// Changes between the front and the back camera.
    public func flipCamera() async {
        await attempt { try await self.devices.flipCamera() }
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

    /// Brings a page of the chat's past.
    public func loadOlderMessages() async {
        await attempt { try await self.meeting.loadOlderMessages() }
    }

    /// Lets somebody in who waits, or everybody.
    public func admit(_ who: Target) async {
        await attempt { try await self.meeting.meeting.admit(who) }
    }

    /// Sends somebody away who waits, or everybody.
    public func deny(_ who: Target) async {
        await attempt { try await self.meeting.meeting.deny(who) }
    }

    /// Stops somebody's microphone.
    public func mute(_ who: ParticipantID) async {
        await attempt { try await self.meeting.meeting.mute(.one(participant: who)) }
    }

    /// Removes somebody.
    public func remove(_ who: ParticipantID) async {
        await attempt { try await self.meeting.meeting.remove(who) }
    }

    /// Knocks again, after a denial or when nobody answered.
    public func knock() async {
        await attempt { try await self.meeting.meeting.knock() }
    }

    /// Shows somebody large whatever happens; `nil`: nobody.
    public func pin(_ who: ParticipantID?) {
        stage.pinned = who
        stage.update(people: others, speakers: meeting.state.speakers)
    }

    private func attempt(_ action: () async throws -> Void) async {
        do {
            try await action()
            problem = nil
        } catch is CancellationError {
            // The screen that asked is gone.
        } catch {
            problem = Wording.text(of: error)
        }
    }

    private func stopEverything() async {
        devices.feed(nil)
        await devices.stopCamera()
        await devices.stopMicrophone()
        await devices.stopSpeaker()
        await devices.stopScreen()
        (microphone, camera, screen) = (nil, nil, nil)
        (microphoneOn, cameraOn, screenOn) = (false, false, false)
    }
}
