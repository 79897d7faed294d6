import Foundation
import Parvis

/// What the app says in words.
public enum Wording {
    /// An error, for the user.
    public static func text(of error: any Error) -> String {
        guard let error = error as? ParvisError else { return error.localizedDescription }
        return switch error.kind {
        case .badCode: "This is no link to a meeting, and no code."
        case .noSite: "A code needs the address of its service: paste the whole link."
        case .notFound: "There is no such meeting."
        case .badName: "A name has 1 to 50 characters."
        case .serviceUnavailable, .unreachable, .unknownHost: "The meeting service does not answer. Check your network."
        case .forbidden: "Only a host may do that."
        case .rateLimited: "That was too often. Wait a moment."
        case .permissionDenied: "This app may not use that device: allow it in the settings."
        case .empty: "There is nothing to send."
        case .tooLong: "A message has 2000 characters at most."
        case .left, .roomEnded, .removed: "The meeting is over."
        case .notLetIn, .noToken: "The invitation has expired. Ask for another link."
        default: error.reason
        }
    }

    /// The first letters of a name, two at most.
    public static func initials(of name: String) -> String {
        let words = name.split(whereSeparator: \.isWhitespace)
        let letters = [words.first, words.count > 1 ? words.last : nil].compactMap { $0?.first }
        return String(letters).uppercased()
    }

    /// How much of a bar a level fills, 0 to 1: what is softer than 60 dB below the loudest is nothing.
    public static func share(ofLevel decibels: Float) -> Double {
        min(max(Double(decibels) / 60 + 1, 0), 1)
    }

    /// A tile, for those who do not see it.
    public static func description(of participant: Participant?, source: Source, speaks: Bool) -> String {
        guard let participant else { return "Nobody" }
        var parts = [source == .screen ? "Screen of \(participant.name)" : participant.name]
        if participant.media.microphone != .on { parts.append("muted") }
        if speaks { parts.append("speaking") }
        if participant.quality == .poor || participant.quality == .lost { parts.append("bad connection") }
        return parts.joined(separator: ", ")
    }
}
