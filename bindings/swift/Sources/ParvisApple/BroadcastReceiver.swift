import Foundation
import Parvis

/// Takes pictures of the app's broadcast extension, one broadcast after the other, and gives them to a meeting's screen.
///
/// ```swift
/// let receiver = try BroadcastReceiver(socket: file)      // in the folder of an app group
/// for await event in receiver.events() {
///     switch event {
///     case .began(let size), .turned(let size):
///         try screen?.turnOff()
///         screen = try await meeting.screen(width: size.width, height: size.height)
///         receiver.feed(screen)
///     case .ended: try screen?.turnOff()
///     }
/// }
/// ```
public final class BroadcastReceiver: Sendable {
    /// What happens to a broadcast.
    public enum Event: Sendable, Equatable {
        /// Somebody broadcasts pictures of this size, upright.
        case began(PictureSize)
        /// They have another size from here on, since the device was turned.
        case turned(PictureSize)
        /// The user or iOS has ended it, or ``end()``.
        case ended
    }

    private let listeners = Listeners<Event>()
    private let listener: UnixListener
    private let screen = Locked<(any BroadcastScreen)?>(nil)
    private let connection = Locked<UnixSocket?>(nil)

    /// Waits for broadcasts at that file, in the folder of an app group; its path has 103 bytes at most.
    ///
    /// - Throws: `POSIXError` if there is no such folder.
    public init(socket path: String) throws {
        listener = try UnixListener(at: path)
        Thread.detachNewThread { [listener, screen, connection, listeners] in
            while let accepted = listener.accepted() {
                connection.exchange(accepted)
                Self.take(accepted, screen, listeners)
                connection.exchange(nil)
            }
        }
    }

    deinit {
        listener.end()
        end()
        listeners.finish()
    }

    /// What happens from here on, until this is released.
    public func events() -> AsyncStream<Event> {
        listeners.stream()
    }

    /// Gives the pictures to a meeting's screen; `nil`: to none.
    public func feed(_ screen: Screen?) {
        give(to: screen)
    }

    /// Ends the broadcast: the extension ends too.
    public func end() {
        connection.value?.end()
    }

    /// Gives the pictures to whatever takes them.
    func give(to screen: (any BroadcastScreen)?) {
        self.screen.exchange(screen)
    }

    /// Takes the pictures of one broadcast.
    private static func take(
        _ socket: UnixSocket, _ screen: Locked<(any BroadcastScreen)?>, _ listeners: Listeners<Event>
    ) {
        let stills = Stills()
        defer { stills.end() }
        var size: PictureSize?
        while let bytes = socket.read(BroadcastPicture.headLength), let head = BroadcastPicture.head(in: bytes),
            let rows = socket.read(head.length)
        {
            if size != head.size {
                listeners.yield(size == nil ? .began(head.size) : .turned(head.size))
                size = head.size
            }
            // Not while it is muted, of another size, or after the meeting.
            stills.give {
                BroadcastPicture.with(rows, head) { try? screen.value?.push($0, rotation: head.rotation, at: nil) }
            }
        }
        if size != nil { listeners.yield(.ended) }
    }
}

/// What takes the pictures of a broadcast.
protocol BroadcastScreen: Sendable {
    func push(_ picture: NV12Picture, rotation: Rotation, at timestamp: MediaTime?) throws
}

extension Screen: BroadcastScreen {}
