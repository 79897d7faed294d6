#if canImport(SwiftUI) && os(iOS)
import MeetModels
import Parvis
import ParvisApple
import SwiftUI

/// A meeting, or what there is to say while one is not in.
struct CallView: View {
    @Bindable var call: CallModel
    let devices: any CaptureDevices
    @State private var sheet: Sheet?
    @Environment(\.scenePhase) private var scenePhase

    enum Sheet: String, Identifiable {
        case chat, people
        var id: String { rawValue }
    }

    var body: some View {
        VStack(spacing: 0) {
            switch call.meeting.state.phase {
            case .connected, .reconnecting:
                BannerView(call: call)
                StageView(call: call)
                    .overlay(alignment: .bottom) { ReactionsView(board: call.meeting.reactions, meeting: call.meeting) }
                    .overlay(alignment: .bottomTrailing) { oneself }
                ControlBar(call: call, sheet: $sheet)
            default:
                WaitingView(call: call)
            }
        }
        .background(Color.black.ignoresSafeArea())
        .preferredColorScheme(.dark)
        .sheet(item: $sheet) { sheet in
            switch sheet {
            case .chat: ChatView(call: call)
            case .people: PeopleView(call: call)
            }
        }
        .alert("That did not work", isPresented: hasProblem, presenting: call.problem) { _ in
            Button("OK") { call.problem = nil }
        } message: { problem in
            Text(problem)
        }
        .onChange(of: scenePhase) { _, phase in
            Task { await call.setBehind(phase == .background) }
        }
        // A meeting is looked at for long without a touch.
        .onAppear { UIApplication.shared.isIdleTimerDisabled = true }
        .onDisappear { UIApplication.shared.isIdleTimerDisabled = false }
    }

    /// What others see of oneself.
    @ViewBuilder private var oneself: some View {
        if call.own.cameraOn, let devices = devices as? PhoneDevices {
            CameraPreview(devices.camera)
                .frame(width: 96, height: 128)
                .clipShape(RoundedRectangle(cornerRadius: 12))
                .padding(16)
                .accessibilityLabel("You")
        }
    }

    private var hasProblem: Binding<Bool> {
        Binding(get: { call.problem != nil }, set: { if !$0 { call.problem = nil } })
    }
}

/// The lobby from a guest's side.
struct WaitingView: View {
    let call: CallModel

    var body: some View {
        let waiting = Waiting(call.meeting.state.phase)
        VStack(spacing: 20) {
            Spacer()
            if waiting.goesOn {
                ProgressView().controlSize(.large)
            }
            Text(waiting.title).font(.title2.bold()).multilineTextAlignment(.center)
            Text(waiting.detail).foregroundStyle(.secondary).multilineTextAlignment(.center)
            if waiting.canKnock {
                Button("Ask again") { Task { await call.knock() } }
                    .buttonStyle(.borderedProminent)
            }
            Spacer()
            Button("Leave", role: .destructive) { Task { await call.leave() } }
                .buttonStyle(.bordered)
        }
        .padding(32)
        .frame(maxWidth: .infinity)
    }
}
#endif
