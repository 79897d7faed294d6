import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Somebody who is signed in at a site: a host in rooms of their own.
public struct Account: Codable, Sendable, Equatable {
    /// Where, as in `https://meet.example`.
    public let site: String
    /// Whose it is.
    public let email: String
    /// The session's token.
    public let token: String

    /// An account that was signed in before.
    public init(site: String, email: String, token: String) {
        (self.site, self.email, self.token) = (site, email, token)
    }

    /// How requests are answered; a test has others than the network.
    public typealias Transport = @Sendable (URLRequest) async throws -> (Data, URLResponse)

    /// The network.
    public static let network: Transport = { try await URLSession.shared.data(for: $0) }

    /// Signs in at a site with local accounts.
    public static func signIn(
        site: String, email: String, passphrase: String, by transport: Transport = network
    ) async throws -> Account {
        let site = site.trimmingCharacters(in: CharacterSet(charactersIn: "/ "))
        let credentials = ["email": email, "passphrase": passphrase]
        let answer = try await post(site, "login", credentials, token: nil, transport)
        guard let token = answer["token"] as? String else { throw SiteError.notUnderstood }
        return Account(site: site, email: email, token: token)
    }

    /// Makes a room to meet in now; returns its link.
    public func makeRoom(by transport: Transport = network) async throws -> String {
        let answer = try await Self.post(site, "rooms", [:], token: token, transport)
        guard let link = answer["url"] as? String else { throw SiteError.notUnderstood }
        return link
    }

    /// Whether a link leads to this account's site, where one is more than a guest.
    public func isAtHome(in link: String) -> Bool {
        guard let home = URL(string: site), let other = URL(string: link) else { return false }
        return (home.scheme, home.host, home.port) == (other.scheme, other.host, other.port)
    }

    private static func post(
        _ site: String, _ path: String, _ body: [String: String], token: String?, _ transport: Transport
    ) async throws -> [String: Any] {
        guard let url = URL(string: "\(site)/api/v1/\(path)"), url.host != nil else { throw SiteError.noSite }
        var request = URLRequest(url: url)
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        request.httpBody = try JSONEncoder().encode(body)
        guard let (data, response) = try? await transport(request) else {
            try Task.checkCancellation()
            throw SiteError.unreachable
        }
        let answer = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
        switch (response as? HTTPURLResponse)?.statusCode {
        case 200?, 201?: return answer
        case 401?: throw token == nil ? SiteError.wrongPassphrase : SiteError.signedOut
        default: throw SiteError.refused(answer["message"] as? String ?? "The site refuses.")
        }
    }
}

/// Why a site does not do what an account asks.
public enum SiteError: Error, Equatable, Sendable {
    /// The address is none.
    case noSite
    /// It does not answer.
    case unreachable
    /// The address or the passphrase is wrong.
    case wrongPassphrase
    /// The session is over: sign in again.
    case signedOut
    /// It says why not.
    case refused(String)
    /// It answers in words that are not understood.
    case notUnderstood
}

extension SiteError: LocalizedError {
    public var errorDescription: String? {
        switch self {
        case .noSite: "This is no address of a site, such as https://meet.example."
        case .unreachable: "The site does not answer. Check your network."
        case .wrongPassphrase: "The address or the passphrase is wrong."
        case .signedOut: "You are signed out. Sign in again."
        case .refused(let why): why
        case .notUnderstood: "This site is no meeting service."
        }
    }
}

/// Where the account is kept while the app does not run.
public protocol AccountStore: Sendable {
    /// The account; `nil`: nobody is signed in.
    func load() -> Account?
    /// Keeps it; `nil`: forgets it.
    func save(_ account: Account?)
}
