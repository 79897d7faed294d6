import Foundation
import ParvisFFI

public typealias DataTarget = ParvisFFI.DataTarget
public typealias MeetingData = ParvisFFI.MeetingData

extension Meeting {
    /// Gives data to others: at most 10 KiB on a topic of 1 to 64 visible ASCII characters. To all it returns at once, to some
    /// when the meeting has acknowledged it.
    ///
    /// ```swift
    /// for await data in try meeting.data(on: "cursor") { move(data.from, to: data.payload) }
    /// try await meeting.sendData(position, on: "cursor")
    /// ```
    ///
    /// - Parameter target: everybody, straight through the relay, where what is late or lost is not sent again; or 1 to 32
    ///   who are in, through the meeting's service, 20 a second.
    /// - Throws: ``ErrorKind/tooLong`` for more than 10 KiB, ``ErrorKind/malformed`` for a topic that is none.
    public func sendData(_ payload: Data, on topic: String, to target: DataTarget = .all) async throws {
        try await foreign.sendData(topic: topic, payload: payload, to: target)
    }

    /// Receives data of others on a topic, from this call on, until the meeting is over.
    ///
    /// Of whoever takes it too slowly the oldest are lost.
    ///
    /// - Throws: ``ErrorKind/left`` after leaving.
    public func data(on topic: String) throws -> AsyncStream<MeetingData> {
        let data = try foreign.data(topic: topic)
        return AsyncStream(next: data.next, cancel: data.cancel)
    }
}
