#if canImport(CallKit) && os(iOS)
import AVFoundation
import CallKit
import Foundation

/// Makes a meeting a call of the phone: it stays alive in the background, other calls hold it, and the lock screen can end it.
///
/// ```swift
/// let call = CallHooks()
/// let actions = call.actions()
/// var isMuted = false                             // by the user
/// await audio.followCall(true)
/// try await call.begin(title: "Stand-up")
/// for await action in actions {
///     switch action {
///     case .setMuted(let muted):
///         isMuted = muted
///         try await muted ? microphone.mute() : microphone.unmute()
///     case .setHeld(let held): try await held || isMuted ? microphone.mute() : microphone.unmute()
///     case .audioReady: await audio.callActivated(true)
///     case .audioOver: await audio.callActivated(false)
///     case .ended: try await meeting.leave()
///     }
/// }
/// ```
public final class CallHooks: NSObject, @unchecked Sendable {
    /// What the phone asks of the meeting.
    public enum Action: Sendable, Equatable {
        /// The audio session is active: sound may begin.
        case audioReady
        /// It is so no longer.
        case audioOver
        /// Mute or unmute the microphone.
        case setMuted(Bool)
        /// Another call came between, or is over.
        case setHeld(Bool)
        /// Leave.
        case ended
    }

    private let listeners = Listeners<Action>()
    private let supportsVideo: Bool
    private let provider: CXProvider
    private let controller = CXCallController()
    private let call = UUID()

    /// No call so far; the phone shows the app's own name.
    public init(supportsVideo: Bool = true) {
        let configuration = CXProviderConfiguration()
        configuration.supportsVideo = supportsVideo
        configuration.maximumCallGroups = 1
        configuration.maximumCallsPerCallGroup = 1
        configuration.supportedHandleTypes = [.generic]
        provider = CXProvider(configuration: configuration)
        self.supportsVideo = supportsVideo
        super.init()
        provider.setDelegate(self, queue: nil)
    }

    deinit {
        provider.invalidate()
    }

    /// What the phone asks from here on, one after the other; it ends with the call. Ask for it before ``begin(title:)``.
    public func actions() -> AsyncStream<Action> {
        listeners.stream()
    }

    /// Tells the phone that a meeting begins.
    public func begin(title: String) async throws {
        let start = CXStartCallAction(call: call, handle: CXHandle(type: .generic, value: title))
        start.isVideo = supportsVideo
        try await controller.request(CXTransaction(action: start))
    }

    /// Tells the phone that one is in.
    public func connected() {
        provider.reportOutgoingCall(with: call, connectedAt: nil)
    }

    /// Tells the phone that the meeting is over.
    public func finished(lost: Bool = false) {
        provider.reportCall(with: call, endedAt: nil, reason: lost ? .failed : .remoteEnded)
        listeners.finish()
    }

    /// Tells the phone that the user muted the microphone in the app.
    public func setMuted(_ muted: Bool) async throws {
        try await controller.request(CXTransaction(action: CXSetMutedCallAction(call: call, muted: muted)))
    }
}

extension CallHooks: CXProviderDelegate {
    public func providerDidReset(_ provider: CXProvider) {
        listeners.yield(.ended)
        listeners.finish()
    }

    public func provider(_ provider: CXProvider, perform action: CXStartCallAction) {
        provider.reportOutgoingCall(with: call, startedConnectingAt: nil)
        action.fulfill()
    }

    public func provider(_ provider: CXProvider, perform action: CXSetMutedCallAction) {
        listeners.yield(.setMuted(action.isMuted))
        action.fulfill()
    }

    public func provider(_ provider: CXProvider, perform action: CXSetHeldCallAction) {
        listeners.yield(.setHeld(action.isOnHold))
        action.fulfill()
    }

    public func provider(_ provider: CXProvider, perform action: CXEndCallAction) {
        listeners.yield(.ended)
        listeners.finish()
        action.fulfill()
    }

    public func provider(_ provider: CXProvider, didActivate audioSession: AVAudioSession) {
        listeners.yield(.audioReady)
    }

    public func provider(_ provider: CXProvider, didDeactivate audioSession: AVAudioSession) {
        listeners.yield(.audioOver)
    }
}
#endif
