#if canImport(SwiftUI) && os(iOS)
import MeetModels
import Parvis
import SwiftUI

/// Who is in and, for hosts, who waits.
struct PeopleView: View {
    let call: CallModel
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        NavigationStack {
            List {
                if !call.meeting.state.lobby.isEmpty {
                    Section("In the lobby") {
                        ForEach(call.meeting.state.lobby, id: \.participant) { waiter in
                            HStack {
                                Text(waiter.name)
                                Spacer()
                                Button("Deny", role: .destructive) {
                                    Task { await call.deny(.one(participant: waiter.participant)) }
                                }
                                Button("Let in") { Task { await call.admit(.one(participant: waiter.participant)) } }
                            }
                            .buttonStyle(.bordered)
                        }
                        if call.meeting.state.lobby.count > 1 {
                            Button("Let everybody in") { Task { await call.admit(.all) } }
                        }
                    }
                }
                Section("\(call.meeting.participants.count) in the meeting") {
                    ForEach(call.meeting.participants, id: \.id) { participant in
                        row(participant)
                    }
                }
                if call.meeting.isHost {
                    Section("Everybody") {
                        Button("Mute all microphones") { Task { await call.mute(.all) } }
                        Button(isLocked ? "Unlock the room" : "Lock the room") {
                            Task { await call.lock(!isLocked) }
                        }
                    }
                }
            }
            .navigationTitle("People")
            .navigationBarTitleDisplayMode(.inline)
            .toolbar { Button("Done") { dismiss() } }
        }
    }

    private var isLocked: Bool { call.meeting.state.view?.locked ?? false }

    private func row(_ participant: Participant) -> some View {
        HStack {
            VStack(alignment: .leading) {
                HStack(spacing: 4) {
                    Text(participant.id == call.meeting.state.me ? "\(participant.name) (you)" : participant.name)
                    if participant.verified {
                        Image(systemName: "checkmark.seal.fill").foregroundStyle(.blue).font(.caption)
                    }
                }
                if participant.role.isHost {
                    Text("Host").font(.caption).foregroundStyle(.secondary)
                }
            }
            Spacer()
            if let place = call.meeting.handPosition(of: participant.id) {
                Label("\(place)", systemImage: "hand.raised.fill").foregroundStyle(.yellow)
            }
            if participant.media.screen == .on {
                Image(systemName: "rectangle.on.rectangle")
            }
            Image(systemName: participant.media.microphone == .on ? "mic.fill" : "mic.slash")
                .foregroundStyle(call.meeting.state.speakers.contains(participant.id) ? .green : .secondary)
        }
        .swipeActions {
            if call.meeting.isHost, participant.id != call.meeting.state.me {
                Button("Remove", role: .destructive) { Task { await call.remove(participant.id) } }
                Button("Mute") { Task { await call.mute(.one(participant: participant.id)) } }
                if call.meeting.handPosition(of: participant.id) != nil {
                    Button("Lower hand") { Task { await call.lowerHand(of: participant.id) } }
                }
            }
        }
    }
}
#endif
