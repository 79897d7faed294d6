import Foundation
import Observation
import Parvis

/// A meeting on the screen: who is large, what of this phone is on, what the user does.
@MainActor
@Observable
public final class CallModel {
    /// The meeting, as it is known.
    public let meeting: MeetingModel
    /// One's own microphone, camera and screen.
    public let own: OwnDevices
    /// Who is on the screen.
    public private(set) var stage = Stage()
    /// What did not work last, in words for the user.
    public var problem: String?

    private let devices: any CaptureDevices
    private let wants: JoinForm
    private var arrival: Task<Void, Never>?
    private var isBehind = false

    /// A meeting that was joined; ``run()`` makes it live.
    public init(meeting: Meeting, devices: any CaptureDevices, form: JoinForm) {
        self.meeting = MeetingModel(meeting)
        own = OwnDevices(meeting: meeting, devices: devices)
        self.devices = devices
        wants = form
    }

    /// Follows the meeting until it is over; returns why. A cancelled task leaves it.
    public func run() async -> DisconnectReason {
        devices.watchNetwork(meeting.meeting)
        let events = devices.events()
        let following = Task { [weak self] in
            for await event in events { await self?.happened(event) }
        }
        await devices.beginCall(meeting.state.code)
        let reason = await meeting.run { [weak self] in self?.changed() }
        following.cancel()
        await arrival?.value
        await own.stop()
        if case .lost = reason { devices.endCall(lost: true) } else { devices.endCall(lost: false) }
        return reason
    }

    /// Leaves.
    public func leave() async {
        // A meeting that is over needs no leaving.
        try? await meeting.meeting.leave()
    }

    /// Whether the meeting is recorded or written down.
    public var isCaptured: Bool {
        let view = meeting.state.view
        return [view?.recording, view?.transcription].contains { $0?.status.isRunning ?? false }
    }

    /// Whoever muted this participant, by name; `nil`: nobody did.
    public var mutedBy: String? {
        meeting.mutedBy.map { meeting.participant($0)?.name ?? "A host" }
    }

    /// Shows somebody large whatever happens; `nil`: nobody.
    public func pin(_ who: ParticipantID?) async {
        let before = stage.pinned
        stage.pinned = who
        stage.update(people: others, speakers: meeting.state.speakers)
        await attempt {
            if let before { try self.meeting.meeting.setPinned(before, false) }
            if let who { try self.meeting.meeting.setPinned(who, true) }
        }
    }

    /// Says that nobody looks at the app, or does again: pictures are not received meanwhile.
    public func setBehind(_ behind: Bool) async {
        guard behind != isBehind else { return }
        isBehind = behind
        await attempt { try self.meeting.meeting.setReceive(behind ? .audioOnly : .all) }
    }

    /// Does something, and says what did not work.
    func attempt(_ action: () async throws -> Void) async {
        do {
            try await action()
            problem = nil
        } catch is CancellationError {
            // The screen that asked is gone.
        } catch {
            problem = Wording.text(of: error)
        }
    }

    private func changed() {
        let state = meeting.state
        stage.update(people: others, speakers: state.speakers)
        guard state.phase == .connected, let media = meeting.myself?.media else { return }
        if arrival == nil {
            devices.callConnected()
            arrival = Task { await self.comeIn() }
        }
        let forbidden = state.view?.forbidden.camera ?? false
        own.update(media, cameraIsForbidden: forbidden && !meeting.isHost)
    }

    private func comeIn() async {
        await attempt { try await self.own.startSpeaker() }
        if wants.microphoneOn { await setMicrophone(on: true) }
        if wants.cameraOn { await setCamera(on: true) }
    }

    private func happened(_ event: DeviceEvent) async {
        if event == .callEnded { return await leave() }
        // Before one is in nothing is published.
        guard arrival != nil else {
            if event == .screenOffered { await devices.stopScreen() }
            return
        }
        await attempt { try await self.own.happened(event) }
    }

    private var others: [Participant] {
        meeting.participants.filter { $0.id != meeting.state.me }
    }
}
