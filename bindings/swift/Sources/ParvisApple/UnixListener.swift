import Foundation

#if canImport(Glibc)
import Glibc
#endif

/// Waits for others of this device at a file, until it is ended.
final class UnixListener: Sendable {
    private let socket: UnixSocket
    private let path: String
    private let file: File
    /// What is written at one end wakes who waits at the other.
    private let (waker, woken): (UnixSocket, UnixSocket)

    /// What a file is told by from another one of that name.
    private struct File: Equatable {
        let device: dev_t
        let number: ino_t

        init?(_ path: String) {
            var found = stat()
            guard stat(path, &found) == 0 else { return nil }
            (device, number) = (found.st_dev, found.st_ino)
        }
    }

    /// Waits at that file, in whose place it comes.
    init(at path: String) throws {
        unlink(path)
        let socket = try UnixSocket.opened()
        try socket.named(path) { bind(socket.descriptor, $0, $1) }
        // One who goes away before being accepted leaves nobody to wait for.
        guard listen(socket.descriptor, 1) == 0, fcntl(socket.descriptor, F_SETFL, O_NONBLOCK) == 0,
            let file = File(path)
        else { throw UnixSocket.failure() }
        var ends: [Int32] = [0, 0]
        #if canImport(Darwin)
        let paired = socketpair(AF_UNIX, SOCK_STREAM, 0, &ends)
        #else
        let paired = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
        #endif
        guard paired == 0 else { throw UnixSocket.failure() }
        (waker, woken) = (UnixSocket(ends[0]), UnixSocket(ends[1]))
        (self.socket, self.path, self.file) = (socket, path, file)
    }

    /// The next one who comes; `nil`: it is ended, or the system gives none any more.
    func accepted() -> UnixSocket? {
        while true {
            var asked = [socket, woken].map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            let ready = poll(&asked, nfds_t(asked.count), -1)
            guard ready > 0 || errno == EINTR, asked[1].revents == 0 else { return nil }
            let accepted = accept(socket.descriptor, nil, nil)
            if accepted >= 0 {
                // On Apple's systems it does not wait either, as the one that accepted it.
                _ = fcntl(accepted, F_SETFL, 0)
                return UnixSocket(accepted)
            }
            guard [EINTR, ECONNABORTED, EAGAIN].contains(errno) else { return nil }
        }
    }

    /// Ends it: whoever waits waits no more, and its file goes, where another has not taken its place.
    func end() {
        waker.end()
        if File(path) == file { unlink(path) }
    }
}
