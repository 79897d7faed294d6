#if canImport(SwiftUI) && os(iOS)
import MeetModels
import Parvis
import SwiftUI

/// The chat with its past.
struct ChatView: View {
    let call: CallModel
    @State private var text = ""
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        NavigationStack {
            ScrollViewReader { reader in
                List {
                    if call.meeting.hasOlderMessages {
                        Button("Earlier messages") { Task { await call.loadOlderMessages() } }
                            .frame(maxWidth: .infinity)
                    }
                    ForEach(call.meeting.chat.lines) { line in
                        LineView(line: line, isMine: line.author == call.meeting.state.me, retry: { retry(line) })
                            .listRowSeparator(.hidden)
                            .id(line.id)
                    }
                }
                .listStyle(.plain)
                .onChange(of: call.meeting.chat.lines.last?.id) { _, last in
                    withAnimation { reader.scrollTo(last, anchor: .bottom) }
                    call.meeting.markRead()
                }
            }
            .safeAreaInset(edge: .bottom) { field }
            .navigationTitle("Chat")
            .navigationBarTitleDisplayMode(.inline)
            .toolbar { Button("Done") { dismiss() } }
        }
        .task {
            await call.loadOlderMessages()
            call.meeting.markRead()
        }
    }

    private func retry(_ line: ChatLog.Line) {
        Task { await call.retry(line.id) }
    }

    private var field: some View {
        HStack {
            TextField("To everybody", text: $text, axis: .vertical)
                .lineLimit(1...4)
                .padding(10)
                .background(Color(.secondarySystemBackground), in: RoundedRectangle(cornerRadius: 18))
            Button {
                let said = text
                text = ""
                Task { await call.send(said) }
            } label: {
                Image(systemName: "arrow.up.circle.fill").font(.title)
            }
            .disabled(text.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty)
            .accessibilityLabel("Send")
        }
        .padding()
        .background(.bar)
    }
}

/// One message.
struct LineView: View {
    let line: ChatLog.Line
    let isMine: Bool
    let retry: () -> Void

    var body: some View {
        VStack(alignment: isMine ? .trailing : .leading, spacing: 2) {
            HStack {
                Text(isMine ? "You" : line.name).bold()
                Text(line.date, style: .time).foregroundStyle(.secondary)
            }
            .font(.caption)
            Text(line.text)
                .padding(10)
                .background(
                    isMine ? Color.blue : Color(.secondarySystemBackground), in: RoundedRectangle(cornerRadius: 14)
                )
                .foregroundStyle(isMine ? .white : .primary)
                .opacity(line.status == .pending ? 0.5 : 1)
            if case .failed = line.status {
                Button(action: retry) {
                    Label("Not sent. Send again", systemImage: "exclamationmark.circle")
                }
                .font(.caption2)
                .tint(.red)
            }
            if case .confidential = line.status {
                Label("Private", systemImage: "lock").font(.caption2).foregroundStyle(.secondary)
            }
        }
        .frame(maxWidth: .infinity, alignment: isMine ? .trailing : .leading)
    }
}
#endif
