#if canImport(SwiftUI) && os(iOS)
import MeetModels
import Parvis
import ParvisApple

/// The devices of this phone, and its own call around a meeting.
@MainActor
public final class PhoneDevices: CaptureDevices {
    /// What one's own camera is previewed with.
    let camera = PhoneCamera()
    private let audio = PhoneAudio()
    private var screen: PhoneScreen?
    /// Of the whole screen, where the app has a group with its extension.
    private let broadcasts = BroadcastHandler.socket.flatMap { try? BroadcastReceiver(socket: $0) }
    private var broadcast: PictureSize?
    private var call: CallHooks?
    private var moving: Task<Void, Never>?
    private var following: [Task<Void, Never>] = []
    private var happens: AsyncStream<DeviceEvent>.Continuation?

    /// Nothing is captured so far.
    public init() {}

    public func events() -> AsyncStream<DeviceEvent> {
        let (events, happens) = AsyncStream.makeStream(of: DeviceEvent.self)
        self.happens = happens
        for task in following { task.cancel() }
        following = [
            Task { [events = camera.events()] in
                for await event in events {
                    switch event {
                    case .turned: happens.yield(.cameraTurned)
                    case .interrupted: happens.yield(.cameraInterrupted(true))
                    case .resumed: happens.yield(.cameraInterrupted(false))
                    }
                }
            },
            Task { [events = audio.events()] in
                for await event in events {
                    switch event {
                    case .interrupted: happens.yield(.soundInterrupted(true))
                    case .resumed: happens.yield(.soundInterrupted(false))
                    case .routeChanged: break
                    }
                }
            },
            Task { [weak self, events = broadcasts?.events()] in
                guard let events else { return }
                for await event in events {
                    switch event {
                    case .began(let size), .turned(let size):
                        self?.broadcast = size
                        happens.yield(.screenOffered)
                    case .ended:
                        self?.broadcast = nil
                        happens.yield(.screenEnded)
                    }
                }
            },
        ]
        let call = CallHooks()
        self.call = call
        following.append(
            Task { [audio, actions = call.actions()] in
                for await action in actions {
                    switch action {
                    case .setMuted(let muted): happens.yield(.callMuted(muted))
                    case .setHeld(let held): happens.yield(.soundInterrupted(held))
                    case .ended: happens.yield(.callEnded)
                    case .audioReady: await audio.callActivated(true)
                    case .audioOver: await audio.callActivated(false)
                    }
                }
            })
        return events
    }

    public func startCamera() async throws {
        try await camera.open()
    }

    public var cameraSize: PictureSize { camera.size }

    public func stopCamera() async {
        camera.stop()
    }

    public func flipCamera() async throws {
        try await camera.flip()
    }

    public func feed(_ camera: Camera?) {
        self.camera.feed(camera)
    }

    public func startMeter(_ meter: LevelMeter) async throws {
        // One channel is what it takes.
        try await audio.capture { try? meter.push($0) }
    }

    public func startMicrophone(_ microphone: Microphone) async throws {
        // Not while it is muted, and not after the meeting.
        try await audio.capture { try? microphone.push($0) }
    }

    public func stopMicrophone() async {
        audio.stopCapture()
    }

    public func startSpeaker(_ meeting: Meeting) async throws {
        try await audio.play(meeting)
    }

    public func setLoudspeaker(_ on: Bool) async throws {
        try await audio.setLoudspeaker(on)
    }

    public func stopSpeaker() async {
        await audio.stop()
    }

    public var screenSize: PictureSize { broadcast ?? PhoneScreen.size }

    public func startScreen(_ screen: Screen, size: PictureSize) async throws {
        if broadcast != nil {
            broadcasts?.feed(screen)
        } else {
            let phone = PhoneScreen(size)
            try await phone.open()
            phone.start(screen)
            self.screen = phone
            following.append(
                Task { [ends = phone.ends(), happens] in
                    for await _ in ends { happens?.yield(.screenEnded) }
                })
        }
    }

    public func stopScreen() async {
        broadcasts?.feed(nil)
        broadcasts?.end()
        broadcast = nil
        screen?.stop()
        screen = nil
    }

    public func beginCall(_ title: String) async {
        guard let call else { return }
        await audio.followCall(true)
        do {
            try await call.begin(title: title)
        } catch {
            // A phone that allows no calls, as in some countries, has meetings all the same.
            self.call = nil
            await audio.followCall(false)
        }
    }

    public func callConnected() {
        call?.connected()
    }

    public func callMuted(_ muted: Bool) async {
        // The phone's own sign is all that is wrong then.
        try? await call?.setMuted(muted)
    }

    public func endCall(lost: Bool) {
        call?.finished(lost: lost)
        call = nil
        Task { [audio] in await audio.followCall(false) }
        moving?.cancel()
        for task in following { task.cancel() }
    }

    public func watchNetwork(_ meeting: Meeting) {
        moving?.cancel()
        moving = Task { await NetworkWatch().move(meeting) }
    }
}
#endif
