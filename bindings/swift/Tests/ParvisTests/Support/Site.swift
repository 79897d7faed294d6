import Foundation
import Parvis

/// A `parvis serve` of this test's own, with an administrator who is signed in.
final class Site: @unchecked Sendable {
    /// Where it is, as in `http://127.0.0.1:4000`.
    let url: String
    /// The session token of the administrator.
    let administrator: String

    private let folder: URL
    private let relayPort: String
    private let fingerprint: String
    private var program: Program

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("parvis-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        program = try Self.serve(folder, listen: "127.0.0.1:0", relay: "127.0.0.1:0")
        let serving = try program.event("serving")
        url = serving["site"] as! String
        relayPort = (serving["relay"] as! String).components(separatedBy: ":").last!
        fingerprint = serving["fingerprint"] as! String
        let first = try program.event("administrator")
        let login = folder.appendingPathComponent("administrator.json").path
        try Program.run(
            ["login", "--site", url, "--email", first["email"] as! String, "--login", login],
            input: first["passphrase"] as! String + "\n"
        )
        administrator = try Self.token(login)
    }

    private static func serve(_ folder: URL, listen: String, relay: String) throws -> Program {
        try Program([
            "serve", "--json", "--drain", "1s", "--data", folder.appendingPathComponent("data").path,
            "--listen", listen, "--relay-listen", relay,
        ])
    }

    private static func token(_ login: String) throws -> String {
        let saved = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: login)))
        return (saved as! [String: Any])["token"] as! String
    }

    /// Makes an account and proves it; returns its session token.
    func account(_ name: String, email: String) throws -> String {
        let login = folder.appendingPathComponent("\(email).json").path
        let passphrase = "correct horse battery staple\n"
        try Program.run(["account", "create", "--site", url, "--email", email, "--name", name], input: passphrase)
        let code = try program.error(after: "proves \(email): ").prefix(10)
        try Program.run(["account", "prove", "--site", url, "--email", email, "--login", login, String(code)])
        return try Self.token(login)
    }

    /// Makes a room of the administrator; returns its link.
    func room(_ options: String...) throws -> String {
        let login = folder.appendingPathComponent("administrator.json").path
        let said = try Program.run(["room", "create", "--login", login] + options)
        return said.compactMap { $0["url"] as? String }.first!
    }

    /// A ticket whose token the service signed, and which has expired.
    func expiredTicket(code: String) throws -> Ticket {
        let key = folder.appendingPathComponent("data/issuer.key").path
        let said = try Program.run([
            "token", "sign", "--key", key, "--room", code.filter { $0 != "-" }, "--name", "pzoe", "--valid", "0s",
        ])
        let token = said.compactMap { $0["token"] as? String }.first!
        let relay = RelayAddress(url: "moqt://127.0.0.1:\(relayPort)", fingerprint: fingerprint)
        return Ticket(participant: "pzoe", code: code, relay: relay, token: token, resume: nil, expiresMs: nil)
    }

    /// Kills it, relay and all, and starts it again at the same addresses.
    func crashAndRestart() throws {
        program.crash()
        let listen = url.components(separatedBy: "://").last!
        program = try Self.serve(folder, listen: listen, relay: "127.0.0.1:\(relayPort)")
        _ = try program.event("serving")
    }

    /// Lets it stand still, as a machine that is too busy, and go on.
    func freeze() { program.signal(SIGSTOP) }
    func thaw() { program.signal(SIGCONT) }

    /// Ends it.
    func stop() {
        program.crash()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Joins as the administrator, with an account, or as a guest.
    func join(
        _ link: String, _ name: String, as session: String? = nil, codecs: Codecs = Codecs()
    ) async throws -> Meeting {
        var options = JoinOptions(
            name: name, device: "device-of-\(name.unicodeScalars.map { String($0.value) }.joined())")
        // A relay that is started again makes itself another certificate.
        options.trust = .anyone
        options.codecs = codecs
        if let session { options.tickets = .agent(session: session) }
        return try await Meeting.join(link, options: options)
    }
}
