#if canImport(SwiftUI) && os(iOS)
import MeetModels
import ParvisApple
import SwiftUI

/// Name, link, account, and a preview of oneself.
struct JoinView: View {
    @Bindable var app: AppModel
    @State private var signsIn = false

    var body: some View {
        NavigationStack {
            ScrollView {
                VStack(spacing: 20) {
                    PreviewView(app: app)
                    VStack(spacing: 12) {
                        Field(prompt: "Your name", symbol: "person", text: $app.form.name)
                            .textContentType(.name)
                        Field(prompt: "Link or code", symbol: "link", text: $app.form.link)
                            .textInputAutocapitalization(.never)
                            .autocorrectionDisabled()
                        if !app.form.link.isEmpty, !app.form.hasSite {
                            Field(prompt: "https://meet.example", symbol: "globe", text: $app.form.site)
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
                        if app.isBusy {
                            ProgressView().frame(maxWidth: .infinity)
                        } else {
                            Text("Join").frame(maxWidth: .infinity)
                        }
                    }
                    .buttonStyle(.borderedProminent)
                    .controlSize(.large)
                    .disabled(!app.form.isComplete || app.isBusy)
                }
                .padding()
            }
            .navigationTitle("Meet")
            .toolbar { account }
        }
        .sheet(isPresented: $signsIn) { SignInView(app: app) }
        .task(id: [app.form.cameraOn, app.form.microphoneOn]) { await app.updatePreview() }
    }

    @ViewBuilder private var account: some View {
        if let account = app.account {
            Menu(account.email, systemImage: "person.crop.circle.fill") {
                Button("New meeting", systemImage: "plus") { Task { await app.makeRoom() } }
                if let link = URL(string: app.form.link), account.isAtHome(in: app.form.link) {
                    ShareLink("Invite", item: link)
                }
                Button("Sign out", role: .destructive) { app.signOut() }
            }
        } else {
            Button("Sign in", systemImage: "person.crop.circle") { signsIn = true }
        }
    }
}

/// Address and passphrase of an account at a site.
struct SignInView: View {
    let app: AppModel
    @State private var site = ""
    @State private var email = ""
    @State private var passphrase = ""
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        NavigationStack {
            Form {
                TextField("https://meet.example", text: $site)
                    .keyboardType(.URL)
                    .textContentType(.URL)
                TextField("E-mail address", text: $email)
                    .keyboardType(.emailAddress)
                    .textContentType(.username)
                SecureField("Passphrase", text: $passphrase)
                    .textContentType(.password)
                if let problem = app.problem {
                    Text(problem).foregroundStyle(.red)
                }
            }
            .textInputAutocapitalization(.never)
            .autocorrectionDisabled()
            .navigationTitle("Sign in")
            .navigationBarTitleDisplayMode(.inline)
            .toolbar {
                ToolbarItem(placement: .cancellationAction) { Button("Cancel") { dismiss() } }
                ToolbarItem(placement: .confirmationAction) {
                    Button("Sign in") {
                        Task {
                            await app.signIn(site: site, email: email, passphrase: passphrase)
                            if app.account != nil { dismiss() }
                        }
                    }
                    .disabled(app.isBusy || site.isEmpty || email.isEmpty || passphrase.isEmpty)
                }
            }
        }
    }
}

/// A line to write in, with a sign before it.
private struct Field: View {
    let prompt: String
    let symbol: String
    @Binding var text: String

    var body: some View {
        HStack {
            Image(systemName: symbol)
                .foregroundStyle(.secondary)
                .frame(width: 24)
            TextField(prompt, text: $text)
        }
        .padding(12)
        .background(Color(.secondarySystemBackground), in: RoundedRectangle(cornerRadius: 12))
    }
}
#endif
