#if canImport(SwiftUI) && os(iOS)
import MeetModels
import SwiftUI

/// Name, link and a preview of oneself.
struct JoinView: View {
    @Bindable var app: AppModel
    @State private var previewProblem: String?

    var body: some View {
        NavigationStack {
            ScrollView {
                VStack(spacing: 20) {
                    preview
                    VStack(spacing: 12) {
                        field("Your name", text: $app.form.name, symbol: "person")
                            .textContentType(.name)
                        field("Link or code", text: $app.form.link, symbol: "link")
                            .textInputAutocapitalization(.never)
                            .autocorrectionDisabled()
                        if !app.form.link.isEmpty, !app.form.hasSite {
                            field("https://meet.example", text: $app.form.site, symbol: "globe")
                                .textInputAutocapitalization(.never)
                                .keyboardType(.URL)
                        }
                    }
                    if let problem = app.problem {
                        Label(problem, systemImage: "exclamationmark.triangle")
                            .font(.callout)
                            .foregroundStyle(.red)
                            .frame(maxWidth: .infinity, alignment: .leading)
                    }
                    Button {
                        Task { await app.join() }
                    } label: {
                        if app.isJoining {
                            ProgressView().frame(maxWidth: .infinity)
                        } else {
                            Text("Join").frame(maxWidth: .infinity)
                        }
                    }
                    .buttonStyle(.borderedProminent)
                    .controlSize(.large)
                    .disabled(!app.form.isComplete || app.isJoining)
                }
                .padding()
            }
            .navigationTitle("Meet")
        }
        .task(id: app.form.cameraOn) { await updatePreview() }
    }

    private var preview: some View {
        ZStack(alignment: .bottom) {
            if app.form.cameraOn, previewProblem == nil, let devices = app.devices as? PhoneDevices {
                CameraPreview(session: devices.cameraSession)
            } else {
                Color(.secondarySystemBackground)
                Image(systemName: "video.slash")
                    .font(.largeTitle)
                    .foregroundStyle(.secondary)
                    .frame(maxHeight: .infinity)
            }
            HStack(spacing: 16) {
                RoundToggle(on: $app.form.microphoneOn, symbol: "mic", label: "Microphone")
                RoundToggle(on: $app.form.cameraOn, symbol: "video", label: "Camera")
            }
            .padding(12)
            if let previewProblem {
                Text(previewProblem)
                    .font(.footnote)
                    .padding(8)
                    .background(.ultraThinMaterial, in: Capsule())
                    .frame(maxHeight: .infinity, alignment: .top)
                    .padding(12)
            }
        }
        .aspectRatio(4.0 / 3.0, contentMode: .fit)
        .clipShape(RoundedRectangle(cornerRadius: 20))
    }

    private func field(_ prompt: String, text: Binding<String>, symbol: String) -> some View {
        HStack {
            Image(systemName: symbol)
                .foregroundStyle(.secondary)
                .frame(width: 24)
            TextField(prompt, text: text)
        }
        .padding(12)
        .background(Color(.secondarySystemBackground), in: RoundedRectangle(cornerRadius: 12))
    }

    private func updatePreview() async {
        guard app.form.cameraOn else {
            await app.devices.stopCamera()
            return
        }
        do {
            try await app.devices.startCamera()
            previewProblem = nil
        } catch {
            previewProblem = Wording.text(of: error)
        }
    }
}

/// A round button that is on or off.
struct RoundToggle: View {
    @Binding var on: Bool
    let symbol: String
    let label: String

    var body: some View {
        Button {
            on.toggle()
        } label: {
            Image(systemName: on ? "\(symbol).fill" : "\(symbol).slash.fill")
                .font(.title3)
                .frame(width: 48, height: 48)
                .background(on ? AnyShapeStyle(.ultraThinMaterial) : AnyShapeStyle(.red), in: Circle())
                .foregroundStyle(on ? Color.primary : Color.white)
        }
        .accessibilityLabel(label)
        .accessibilityValue(on ? "on" : "off")
    }
}
#endif
