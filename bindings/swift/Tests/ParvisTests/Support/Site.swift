import Foundation
import Parvis

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

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

    /// The passphrase of accounts that are made here.
    static let passphrase = "correct horse battery staple"

    /// Makes an account and proves it; returns its session token.
    func account(_ name: String, email: String) throws -> String {
        let login = folder.appendingPathComponent("\(email).json").path
        let create = ["account", "create", "--site", url, "--email", email, "--name", name]
        try Program.run(create)
        let code = try program.error(after: "proves \(email): ").prefix(10)
        let prove = ["account", "prove", "--site", url, "--email", email, "--login", login, String(code)]
        try Program.run(prove, input: Self.passphrase + "\n")
        return try Self.token(login)
    }

    /// Makes a room of the administrator; returns its link.
    func room(_ options: String...) throws -> String {
        let login = folder.appendingPathComponent("administrator.json").path
        let said = try Program.run(["room", "create", "--login", login] + options)
        return said.compactMap { $0["url"] as? String }.first!
    }

    /// A ticket that the service gives a guest, but for what is said to be otherwise.
    ///
    /// - Parameter valid: how long the same token is valid instead; a relay's clock may be a few seconds behind.
    func ticket(
        code: String, valid: String? = nil, participant: String? = nil, relay: String? = nil, token: String? = nil
    ) async throws -> Ticket {
        var request = URLRequest(url: URL(string: "\(url)/api/v1/rooms/\(code)/join")!)
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = Data(#"{"name":"Zoé","device":"device"}"#.utf8)
        let (data, _) = try await URLSession.shared.data(for: request)
        let answer = try JSONSerialization.jsonObject(with: data) as! [String: Any]
        let given = answer["token"] as! String
        let address = RelayAddress(
            url: relay ?? "moqt://127.0.0.1:\(relayPort)", fingerprint: relay == nil ? fingerprint : nil)
        return Ticket(
            participant: participant ?? answer["participant"] as! String, code: code, relay: address,
            token: try token ?? valid.map { try signed(given, valid: $0) } ?? given, resume: nil, expiresMs: nil)
    }

    /// The same token, valid for that long from now on.
    private func signed(_ token: String, valid: String) throws -> String {
        var claims = token.split(separator: ".")[1].map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        claims += [Character](repeating: "=", count: (4 - claims.count % 4) % 4)
        let said = try JSONSerialization.jsonObject(with: Data(base64Encoded: String(claims))!) as! [String: Any]
        var arguments = ["token", "sign", "--key", folder.appendingPathComponent("data/issuer.key").path]
        arguments += ["--subject", said["sub"] as! String, "--valid", valid]
        if let issuer = said["iss"] as? String { arguments += ["--issuer", issuer] }
        for audience in said["aud"] as? [String] ?? [said["aud"]].compactMap({ $0 as? String }) {
            arguments += ["--audience", audience]
        }
        for grant in said["grants"] as! [Any] {
            let json = try JSONSerialization.data(withJSONObject: grant)
            arguments += ["--grant", String(decoding: json, as: UTF8.self)]
        }
        return try Program.run(arguments).compactMap { $0["token"] as? String }.first!
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
        _ link: String, _ name: String, as session: String? = nil, codecs: Codecs = Codecs(),
        commandTimeout: Duration = .seconds(30)
    ) async throws -> Meeting {
        var options = JoinOptions(
            name: name, device: "device-of-\(name.unicodeScalars.map { String($0.value) }.joined())")
        // A relay that is started again makes itself another certificate.
        options.trust = .anyone
        options.codecs = codecs
        options.commandTimeout = commandTimeout
        if let session { options.tickets = .agent(session: session) }
        return try await Meeting.join(link, options: options)
    }
}
