import Foundation
import Parvis

/// Gives pictures of a broadcast extension to its app, where a ``BroadcastReceiver`` takes them; by one thread at a time.
public final class BroadcastSender: @unchecked Sendable {
    private let socket: UnixSocket
    private var message: [UInt8] = []

    /// Goes to the app that waits at that file, in the folder of an app group.
    ///
    /// - Throws: `POSIXError`, such as when no app waits.
    public init(socket path: String) throws {
        socket = try UnixSocket.connected(to: path)
    }

    /// Gives a picture; returns whether it is on its way, or was left out since the app is behind.
    ///
    /// - Throws: `POSIXError` if the app has ended it, or stopped in the middle of a picture for a second.
    @discardableResult
    public func send(_ picture: NV12Picture, rotation: Rotation = .none) throws -> Bool {
        guard socket.isWritable else { return false }
        let head = BroadcastPicture.Head(width: picture.width, height: picture.height, rotation: rotation)
        BroadcastPicture.pack(picture, head, into: &message)
        try socket.write(message)
        return true
    }
}
