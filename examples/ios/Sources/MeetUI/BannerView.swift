#if canImport(SwiftUI) && os(iOS)
import MeetModels
import Parvis
import SwiftUI

/// What there is to know above a meeting, the most urgent first.
struct BannerView: View {
    let call: CallModel

    var body: some View {
        VStack(spacing: 0) {
            if call.isCaptured {
                Banner(text: "This meeting is being recorded", symbol: "record.circle")
                    .foregroundStyle(.red)
            }
            urgent
        }
    }

    @ViewBuilder private var urgent: some View {
        if call.meeting.state.phase == .reconnecting {
            Banner(text: "Connecting again…", symbol: "arrow.triangle.2.circlepath")
        } else if call.own.isInterrupted {
            Banner(text: "The phone needs the microphone or the camera for something else", symbol: "phone.badge.clock")
        } else if let waiter = call.meeting.state.lobby.first {
            Banner(text: "\(waiter.name) waits to be let in", symbol: "person.badge.clock") {
                Button("Let in") { Task { await call.admit(.one(participant: waiter.participant)) } }
                    .buttonStyle(.borderedProminent)
                    .controlSize(.small)
            }
        } else if let host = call.mutedBy {
            Banner(text: "\(host) muted you", symbol: "mic.slash") {
                Button("Unmute") { Task { await call.setMicrophone(on: true) } }
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
#endif
