import Foundation
import ParvisFFI

/// Why something is not done: a stable ``ErrorKind``, and one line for developers.
///
/// ```swift
/// do {
///     try await meeting.admit(.all)
/// } catch let error as ParvisError where error.kind == .forbidden {
///     // not a host
/// }
/// ```
public typealias ParvisError = ParvisFFI.ParvisError

/// What went wrong: the same words in every language.
public typealias ErrorKind = ParvisFFI.ErrorKind

extension ParvisError {
    /// An error of the app's own code, as of a ``TicketSource``.
    ///
    /// - Parameters:
    ///   - isRetryable: whether the same may succeed a little later; `nil`: as of every error of that kind, or if it says when.
    ///   - isAuth: whether another ticket or sign-in is needed; `nil`: as of every error of that kind.
    public init(
        _ kind: ErrorKind, _ reason: String, retryAfter: Duration? = nil, isRetryable: Bool? = nil,
        isAuth: Bool? = nil
    ) {
        self = .Failed(
            kind: kind, reason: reason, retryAfterMs: retryAfter?.milliseconds,
            isRetryable: isRetryable ?? (retryAfter != nil || ParvisFFI.isRetryable(kind: kind)),
            isAuth: isAuth ?? ParvisFFI.isAuth(kind: kind)
        )
    }

    /// What went wrong.
    public var kind: ErrorKind {
        switch self {
        case .Failed(let kind, _, _, _, _): kind
        }
    }

    /// One line for developers: what is wrong, and what to do.
    public var reason: String {
        switch self {
        case .Failed(_, let reason, _, _, _): reason
        }
    }

    /// When it may be tried again, from here on.
    public var retryAfter: Duration? {
        switch self {
        case .Failed(_, _, let pause, _, _): pause.map { .milliseconds($0) }
        }
    }

    /// Whether the same may succeed a little later.
    public var isRetryable: Bool {
        switch self {
        case .Failed(_, _, _, let isRetryable, _): isRetryable
        }
    }

    /// Whether another ticket or sign-in is needed.
    public var isAuth: Bool {
        switch self {
        case .Failed(_, _, _, _, let isAuth): isAuth
        }
    }
}

extension ParvisError: LocalizedError {
    /// The reason.
    public var errorDescription: String? { reason }
}
