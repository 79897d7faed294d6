import Foundation

#if canImport(Glibc)
import Glibc
#endif

/// A socket between two processes of this device, by a file that both see.
final class UnixSocket: @unchecked Sendable {
    // It is closed once, in the end.
    let descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        #if canImport(Darwin)
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
        #endif
    }

    deinit {
        close(descriptor)
    }

    /// Goes to whoever waits at that file; what that one does not read for a second cannot be written any more.
    static func connected(to path: String) throws -> UnixSocket {
        let socket = try opened()
        try socket.named(path) { connect(socket.descriptor, $0, $1) }
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(socket.descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        return socket
    }

    /// Whether something can be written now, or cannot be any more.
    var isWritable: Bool {
        var asked = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&asked, 1, 0) == 1
    }

    /// Writes all of it.
    func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                #if canImport(Darwin)
                let written = send(descriptor, part.baseAddress!, part.count, 0)
                #else
                let written = send(descriptor, part.baseAddress!, part.count, Int32(MSG_NOSIGNAL))
                #endif
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { throw Self.failure() }
                rest = rest.dropFirst(written)
            }
        }
    }

    /// Reads so many bytes; `nil`: it ended before.
    func read(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var have = 0
        while have < count {
            let part = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress! + have, count - have, 0) }
            if part < 0, errno == EINTR { continue }
            guard part > 0 else { return nil }
            have += part
        }
        return bytes
    }

    /// Ends it: whoever waits for it waits no more.
    func end() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// One that is at no file.
    static func opened() throws -> UnixSocket {
        #if canImport(Darwin)
        let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
        #else
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        guard descriptor >= 0 else { throw failure() }
        return UnixSocket(descriptor)
    }

    /// Does something with the name of a file as the system wants it.
    func named(_ path: String, _ use: (UnsafePointer<sockaddr>, socklen_t) -> Int32) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        let name = [UInt8](path.utf8)
        // A zero ends it.
        guard name.count < room else { throw POSIXError(.ENAMETOOLONG) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let result = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw Self.failure() }
    }

    /// What went wrong last.
    static func failure() -> POSIXError {
        POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
}
