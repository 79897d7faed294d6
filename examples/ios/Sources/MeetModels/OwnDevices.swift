import Observation
import Parvis
import ParvisApple

/// One's own microphone, camera and screen in a meeting: what is on, what the user wants, what the phone allows.
@MainActor
@Observable
public final class OwnDevices {
    /// Whether others hear the microphone.
    public private(set) var microphoneOn = false
    /// Whether others see the camera.
    public private(set) var cameraOn = false
    /// Whether others see the screen.
    public private(set) var screenOn = false
    /// Whether it is heard in the room, not at the ear.
    public private(set) var loudspeakerOn = true
    /// Whether the phone has taken the microphone or the camera away.
    public private(set) var isInterrupted = false

    private let meeting: Meeting
    private let devices: any CaptureDevices
    private let turns = Turns()
    private var microphone: Microphone?
    private var camera: Camera?
    private var screen: Screen?
    /// Whether the user wants to be seen, and the meeting has not said otherwise since.
    private var wantsCamera = false
    /// What is turned on again after an interruption.
    private var resumes: Set<Source> = []
    private var interrupted: Set<Source> = []

    init(meeting: Meeting, devices: any CaptureDevices) {
        (self.meeting, self.devices) = (meeting, devices)
    }

    /// Plays the meeting.
    func startSpeaker() async throws {
        try await turns.take { try await self.devices.startSpeaker(self.meeting) }
    }

    /// Turns the microphone on, or mutes it.
    public func setMicrophone(on: Bool) async throws {
        try await turns.take {
            self.resumes.remove(.microphone)
            try await self.switchMicrophone(on)
            await self.devices.callMuted(!on)
        }
    }

    /// Turns the camera on, or mutes it.
    public func setCamera(on: Bool) async throws {
        try await turns.take {
            self.resumes.remove(.camera)
            self.wantsCamera = on
            if on { try await self.devices.startCamera() } else { await self.devices.stopCamera() }
            try await self.switchCamera(on)
        }
    }

    /// Shares the screen, or ends that.
    public func setScreen(on: Bool) async throws {
        try await turns.take {
            guard on else { return await self.endScreen() }
            if self.screen == nil { try await self.shareScreen() }
        }
    }

    /// Changes between the front and the back camera.
    public func flipCamera() async throws {
        try await turns.take { try await self.devices.flipCamera() }
    }

    /// Has it heard in the room, or at the ear.
    public func setLoudspeaker(on: Bool) async throws {
        try await turns.take {
            try await self.devices.setLoudspeaker(on)
            self.loudspeakerOn = on
        }
    }

    /// Does what the phone says.
    func happened(_ event: DeviceEvent) async throws {
        try await turns.take {
            switch event {
            case .cameraTurned: try await self.publishCameraAgain()
            case .cameraInterrupted(let began): try await self.interrupt(.camera, began, self.switchCamera)
            case .soundInterrupted(let began): try await self.interrupt(.microphone, began, self.switchMicrophone)
            case .screenOffered:
                // That the meeting says it is off is of no meaning for the one that comes.
                let old = self.screen
                (self.screen, self.screenOn) = (nil, false)
                // It may be off already.
                try? old?.turnOff()
                try await self.shareScreen()
            case .screenEnded: await self.endScreen()
            case .callMuted(let muted):
                // One's own words, said back by the phone, change nothing.
                if muted == self.microphoneOn { try await self.switchMicrophone(!muted) }
            case .callEnded: break
            }
        }
    }

    /// Takes what the meeting says is on: a host can stop one's own sources.
    func update(_ media: MediaStates, cameraIsForbidden: Bool) {
        microphoneOn = microphone != nil && media.microphone == .on
        cameraOn = camera != nil && media.camera == .on
        if cameraIsForbidden, !cameraOn, camera != nil, wantsCamera {
            wantsCamera = false
            Task {
                // Nothing goes wrong in ending it, unless the user wants it again when its turn comes.
                try? await self.turns.take { if !self.wantsCamera { await self.devices.stopCamera() } }
            }
        }
        let shared = screenOn
        screenOn = screen != nil && media.screen == .on
        if shared, !screenOn, let ended = screen {
            // Nothing goes wrong in ending it, unless another has taken its place when its turn comes.
            Task {
                try? await self.turns.take {
                    if self.screen === ended, !self.screenOn { await self.endScreen() }
                }
            }
        }
    }

    /// Turns everything off.
    func stop() async {
        // None of it throws.
        try? await turns.take {
            self.devices.feed(nil)
            await self.devices.stopCamera()
            await self.devices.stopMicrophone()
            await self.devices.stopSpeaker()
            await self.endScreen()
            (self.microphone, self.camera) = (nil, nil)
            (self.microphoneOn, self.cameraOn) = (false, false)
        }
    }

    private func switchMicrophone(_ on: Bool) async throws {
        if let microphone {
            try await on ? microphone.unmute() : microphone.mute()
        } else if on {
            let microphone = try await meeting.microphone()
            do {
                try await devices.startMicrophone(microphone)
            } catch {
                try? microphone.turnOff()
                throw error
            }
            self.microphone = microphone
        }
    }

    private func switchCamera(_ on: Bool) async throws {
        do {
            if let camera {
                try await on ? camera.unmute() : camera.mute()
            } else if on {
                try await publishCamera()
            }
        } catch {
            // Who is not seen is not filmed.
            if on { await devices.stopCamera() }
            throw error
        }
    }

    private func publishCamera() async throws {
        let size = devices.cameraSize
        let camera = try await meeting.camera(width: size.width, height: size.height)
        self.camera = camera
        devices.feed(camera)
    }

    /// In the size that pictures have now, on or muted as it was.
    private func publishCameraAgain() async throws {
        guard let old = camera else { return }
        let isMuted = !cameraOn
        devices.feed(nil)
        camera = nil
        try old.turnOff()
        try await publishCamera()
        if isMuted { try await camera?.mute() }
    }

    private func interrupt(
        _ source: Source, _ began: Bool, _ turn: @MainActor (Bool) async throws -> Void
    ) async throws {
        let isOn = source == .microphone ? microphoneOn : cameraOn
        if began {
            interrupted.insert(source)
            if isOn { resumes.insert(source) }
        } else {
            interrupted.remove(source)
        }
        isInterrupted = !interrupted.isEmpty
        if began, isOn {
            try await turn(false)
        } else if !began, resumes.remove(source) != nil {
            try await turn(true)
        }
    }

    private func shareScreen() async throws {
        let size = devices.screenSize
        do {
            let screen = try await meeting.screen(width: size.width, height: size.height)
            self.screen = screen
            try await devices.startScreen(screen, size: size)
        } catch {
            await endScreen()
            throw error
        }
    }

    /// A broadcast that the meeting does not take ends too.
    private func endScreen() async {
        let ended = screen
        (screen, screenOn) = (nil, false)
        await devices.stopScreen()
        // It may be off already.
        try? ended?.turnOff()
    }
}
