import Foundation
import Observation
import Parvis

/// Where somebody is in the app: at the form, in a meeting or its lobby, or at its end.
@MainActor
@Observable
public final class AppModel {
    /// What fills the screen.
    public enum Place {
        /// The form with the preview.
        case form
        /// A meeting, or its lobby.
        case call(CallModel)
        /// The end of one.
        case over(Ending)
    }

    /// What fills the screen.
    public private(set) var place: Place = .form
    /// What is filled in.
    public var form = JoinForm()
    /// Who is signed in; `nil`: one joins as a guest.
    public private(set) var account: Account?
    /// Why joining failed, in words for the user.
    public private(set) var problem: String?
    /// Why one does not see oneself, in words for the user.
    public private(set) var previewProblem: String?
    /// Whether the meeting is being joined, made or signed in to.
    public private(set) var isBusy = false
    /// How loud one is oneself, before the meeting.
    public let meter = LevelMeter()
    /// The phone's devices.
    public let devices: any CaptureDevices

    private let accounts: any AccountStore
    private let device: String
    private let codecs: Codecs

    /// - Parameters:
    ///   - codecs: the phone's, tried before the library's.
    ///   - device: the stable random id of this phone, from ``deviceID(in:)`` by default.
    public init(
        devices: any CaptureDevices, accounts: any AccountStore, codecs: Codecs = Codecs(),
        device: String = AppModel.deviceID(in: .standard)
    ) {
        (self.devices, self.accounts, self.codecs, self.device) = (devices, accounts, codecs, device)
        account = accounts.load()
    }

    /// The id of this phone that is kept in these defaults; made at the first use.
    public nonisolated static func deviceID(in defaults: UserDefaults) -> String {
        if let kept = defaults.string(forKey: "device") { return kept }
        let made = UUID().uuidString.lowercased()
        defaults.set(made, forKey: "device")
        return made
    }

    /// Takes the link that the app was opened with; one is in a meeting at most.
    public func open(_ url: URL) {
        if case .call = place { return }
        guard let link = JoinForm.link(of: url) else { return }
        form.link = link
        place = .form
    }

    /// Shows oneself, and how loud one is, as the form says.
    public func updatePreview() async {
        previewProblem = nil
        if form.cameraOn { await preview { try await self.devices.startCamera() } } else { await devices.stopCamera() }
        if form.microphoneOn {
            await preview { try await self.devices.startMeter(self.meter) }
        } else {
            await devices.stopMicrophone()
            meter.clear()
        }
    }

    /// Signs in, to be more than a guest at that site.
    public func signIn(site: String, email: String, passphrase: String) async {
        await attempt {
            let account = try await Account.signIn(site: site, email: email, passphrase: passphrase)
            self.accounts.save(account)
            self.account = account
        }
    }

    /// Forgets who is signed in.
    public func signOut() {
        accounts.save(nil)
        account = nil
    }

    /// Makes a room of one's own, whose link the form has then.
    public func makeRoom() async {
        guard let account else { return }
        await attempt { self.form.link = try await account.makeRoom() }
    }

    /// Joins the meeting of the form.
    public func join() async {
        guard form.isComplete else { return }
        await attempt {
            var options = JoinOptions(name: self.form.trimmed(self.form.name), device: self.device)
            options.site = self.form.hasSite ? nil : self.form.trimmed(self.form.site)
            options.codecs = self.codecs
            let link = self.form.trimmed(self.form.link)
            if let account = self.account, account.isAtHome(in: options.site ?? link) {
                options.tickets = .agent(session: account.token)
            }
            let meeting = try await Meeting.join(link, options: options)
            // The meter gives way to the meeting's microphone.
            await self.devices.stopMicrophone()
            self.place = .call(CallModel(meeting: meeting, devices: self.devices, form: self.form))
        }
    }

    /// The meeting is over for this participant.
    public func end(_ reason: DisconnectReason) {
        place = .over(Ending(reason))
    }

    /// Back to the form.
    public func startAgain() {
        place = .form
        problem = nil
    }

    /// One thing at a time, and what goes wrong in words.
    private func attempt(_ action: () async throws -> Void) async {
        guard !isBusy else { return }
        isBusy = true
        problem = nil
        defer { isBusy = false }
        do {
            try await action()
        } catch is CancellationError {
            // Who goes back needs no word of it.
        } catch {
            if error as? SiteError == .signedOut || (error as? ParvisError)?.kind == .notSignedIn { signOut() }
            problem = Wording.text(of: error)
        }
    }

    private func preview(_ start: () async throws -> Void) async {
        do {
            try await start()
        } catch {
            previewProblem = Wording.text(of: error)
        }
    }
}
