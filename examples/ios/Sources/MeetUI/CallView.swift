#if canImport(SwiftUI) && os(iOS)
import MeetModels
import Parvis
import SwiftUI

/// A meeting, or what there is to say while one is not in.
struct CallView: View {
    @Bindable var call: CallModel
    @State private var sheet: Sheet?

    enum Sheet: String, Identifiable {
        case chat, people
        var id: String { rawValue }
    }

    var body: some View {
        VStack(spacing: 0) {
            switch call.meeting.state.phase {
            case .connected, .reconnecting:
                banner
                StageView(call: call)
                    .overlay(alignment: .bottom) { ReactionsView(board: call.meeting.reactions, meeting: call.meeting) }
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
    }

    private var hasProblem: Binding<Bool> {
        Binding(get: { call.problem != nil }, set: { if !$0 { call.problem = nil } })
    }

    @ViewBuilder private var banner: some View {
        if call.meeting.state.phase == .reconnecting {
            Banner(text: "Connecting again…", symbol: "arrow.triangle.2.circlepath")
        } else if let waiter = call.meeting.state.lobby.first {
            Banner(text: "\(waiter.name) waits to be let in", symbol: "person.badge.clock") {
                Button("Let in") { Task { await call.admit(.one(participant: waiter.participant)) } }
                    .buttonStyle(.borderedProminent)
                    .controlSize(.small)
            }
        } else if call.meeting.suggestsLoweringHand {
            Banner(text: "You have spoken: lower your hand?", symbol: "hand.raised") {
                Button("Lower") { Task { await call.toggleHand() } }
                    .controlSize(.small)
            }
        }
    }
}

/// A line above the meeting, with a button perhaps.
struct Banner<Action: View>: View {
    let text: String
    let symbol: String
    @ViewBuilder let action: Action

    init(text: String, symbol: String, @ViewBuilder action: () -> Action = { EmptyView() }) {
        self.text = text
        self.symbol = symbol
        self.action = action()
    }

    var body: some View {
        HStack {
            Label(text, systemImage: symbol)
                .font(.callout)
                .lineLimit(2)
            Spacer()
            action
        }
        .padding(.horizontal)
        .padding(.vertical, 8)
        .background(.thinMaterial)
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
