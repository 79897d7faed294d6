import Foundation

/// What somebody fills in to join a meeting.
public struct JoinForm: Equatable, Sendable {
    /// The name that others see.
    public var name = ""
    /// A link, or the code alone.
    public var link = ""
    /// Where a bare code leads.
    public var site = ""
    /// Whether one comes in with the camera on.
    public var cameraOn = true
    /// Whether one comes in with the microphone on.
    public var microphoneOn = true

    /// An empty form.
    public init() {}

    /// Whether there is enough to try it; the service says whether it is right.
    public var isComplete: Bool {
        !trimmed(name).isEmpty && !trimmed(link).isEmpty && (hasSite || !trimmed(site).isEmpty)
    }

    /// Whether the link names its site.
    public var hasSite: Bool {
        link.contains("://")
    }

    /// The link of a URL that the app was opened with: `https://…` as it is, `parvis://meet.example/abc-defg-hij` as `https`.
    public static func link(of url: URL) -> String? {
        switch url.scheme {
        case "https", "http": return url.absoluteString
        case "parvis":
            var components = URLComponents(url: url, resolvingAgainstBaseURL: false)
            components?.scheme = "https"
            return components?.string
        default: return nil
        }
    }

    func trimmed(_ text: String) -> String {
        text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
