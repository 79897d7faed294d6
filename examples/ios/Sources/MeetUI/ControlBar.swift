#if canImport(SwiftUI) && os(iOS)
import MeetModels
import Parvis
import ParvisApple
import SwiftUI

/// The buttons under a meeting.
struct ControlBar: View {
    let call: CallModel
    @Binding var sheet: CallView.Sheet?

    var body: some View {
        HStack(spacing: 6) {
            RoundToggle(on: microphone, symbol: "mic", label: "Microphone")
            RoundToggle(on: camera, symbol: "video", label: "Camera")
            button("hand.raised", label: "Hand", active: handIsUp) { await call.toggleHand() }
            button("bubble.left", label: "Chat", badge: call.meeting.unread) { sheet = .chat }
            BroadcastPicker(extension: "dev.parvis.Meet.Broadcast")
                .buttonSize()
                .accessibilityLabel("Share the whole screen")
            more
            Button {
                Task { await call.leave() }
            } label: {
                Image(systemName: "phone.down.fill")
                    .font(.title3)
                    .buttonSize()
                    .background(.red, in: Circle())
                    .foregroundStyle(.white)
            }
            .accessibilityLabel("Leave")
        }
        .padding(.horizontal, 8)
        .padding(.vertical, 10)
    }

    private var handIsUp: Bool {
        call.meeting.handPosition(of: call.meeting.state.me) != nil
    }

    private var microphone: Binding<Bool> {
        Binding(get: { call.own.microphoneOn }, set: { on in Task { await call.setMicrophone(on: on) } })
    }

    private var camera: Binding<Bool> {
        Binding(get: { call.own.cameraOn }, set: { on in Task { await call.setCamera(on: on) } })
    }

    private var more: some View {
        Menu {
            ControlGroup {
                ForEach(Emoji.all, id: \.self) { emoji in
                    Button(emoji.sign) { Task { await call.react(emoji) } }
                }
            }
            .controlGroupStyle(.palette)
            Button("People", systemImage: "person.2") { sheet = .people }
            Button("Flip the camera", systemImage: "arrow.triangle.2.circlepath.camera") {
                Task { await call.flipCamera() }
            }
            Button(call.own.screenOn ? "Stop sharing" : "Share this app", systemImage: "rectangle.on.rectangle") {
                Task { await call.setScreen(on: !call.own.screenOn) }
            }
            Button(call.own.loudspeakerOn ? "Listen at the ear" : "Listen in the room", systemImage: "speaker.wave.2") {
                Task { await call.setLoudspeaker(on: !call.own.loudspeakerOn) }
            }
            if call.meeting.isHost {
                Button("End for everybody", systemImage: "xmark.circle", role: .destructive) {
                    Task { await call.endForAll() }
                }
            }
        } label: {
            symbol("ellipsis", active: false)
        }
        .accessibilityLabel("More")
    }

    private func button(
        _ name: String, label: String, active: Bool = false, badge: Int = 0, action: @escaping () async -> Void
    ) -> some View {
        Button {
            Task { await action() }
        } label: {
            symbol(name, active: active)
                .overlay(alignment: .topTrailing) {
                    if badge > 0 {
                        Text("\(min(badge, 99))")
                            .font(.caption2.bold())
                            .padding(4)
                            .background(.blue, in: Circle())
                    }
                }
        }
        .accessibilityLabel(label)
        .accessibilityValue(badge > 0 ? "\(badge) new" : active ? "on" : "off")
    }

    private func symbol(_ name: String, active: Bool) -> some View {
        Image(systemName: active ? "\(name).fill" : name)
            .font(.title3)
            .buttonSize()
            .background(active ? AnyShapeStyle(.yellow) : AnyShapeStyle(.ultraThinMaterial), in: Circle())
            .foregroundStyle(active ? Color.black : Color.primary)
    }
}

/// Reactions that float over the meeting.
struct ReactionsView: View {
    let board: ReactionBoard
    let meeting: MeetingModel

    var body: some View {
        HStack(spacing: 8) {
            ForEach(board.shown.suffix(8)) { one in
                VStack(spacing: 2) {
                    Text(one.emoji.sign).font(.largeTitle)
                    Text(one.participant.flatMap { meeting.participant($0)?.name } ?? "×\(one.count)")
                        .font(.caption2)
                        .lineLimit(1)
                }
                .transition(.move(edge: .bottom).combined(with: .opacity))
            }
        }
        .padding()
        .animation(.spring, value: board)
        .allowsHitTesting(false)
    }
}
#endif
