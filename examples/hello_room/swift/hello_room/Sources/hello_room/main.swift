// Joins a meeting as a guest, shows a moving picture, greets whomever it sees, and prints who is there and what they
// write, until everybody else has left.
//
//     hello_room https://meet.example/abc-defg-hij Zoé

import Foundation
import Parvis

guard CommandLine.arguments.count == 3 else {
    say("usage: hello_room LINK NAME")
    exit(2)
}
let options = JoinOptions(name: CommandLine.arguments[2], device: UUID().uuidString)
do {
    let meeting = try await Meeting.join(CommandLine.arguments[1], options: options)
    let events = meeting.events()
    say("joining \(meeting.state.code)")
    // In the lobby for as long as a host may let it in.
    let state = try await meeting.wait { $0.isConnected || $0.isTurnedAway }
    guard state.isConnected else {
        say("not let in: \(state.phase)")
        try? await meeting.leave()
        exit(1)
    }
    let camera = try await meeting.camera(width: 320, height: 180, frameRate: 15)
    let filming = film(camera)
    await follow(meeting, events)
    filming.cancel()
    try await meeting.leave()
    say("left")
} catch let error as ParvisError {
    say("\(error.kind): \(error.reason)")
    exit(1)
}

/// Prints a line at once.
func say(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
}

/// Prints what happens until nobody else is in, after somebody was.
func follow(_ meeting: Meeting, _ events: AsyncStream<MeetingEvent>) async {
    var hadCompany = false
    for await event in events {
        switch event {
        case .joined(let participant) where participant.id != meeting.state.me:
            hadCompany = true
            say("\(participant.name) is here")
            Task { await look(at: participant, in: meeting) }
        case .chat(let message):
            say("\(message.name): \(message.text)")
        case .left(let participant, let reason):
            say("\(participant) is gone: \(reason)")
            if hadCompany, meeting.state.participants.count <= 1 { return }
        case .phase(let phase):
            say("\(phase)")
        default:
            break
        }
    }
}

/// Waits for a first picture of somebody.
func look(at participant: Participant, in meeting: Meeting) async {
    let target = VideoTarget(width: 320, height: 180)
    guard let camera = try? meeting.picture(of: participant.id, source: .camera, target: target) else { return }
    if let picture = await camera.next() {
        say("\(participant.name) looks like \(picture.width)x\(picture.height)")
        // Not if the meeting is over meanwhile.
        _ = try? await meeting.chat("Hello, \(participant.name)!")
    }
}

/// Gives a grey wave to the camera, 15 pictures a second.
func film(_ camera: Camera) -> Task<Void, Never> {
    Task.detached {
        let chroma = [UInt8](repeating: 128, count: 160 * 90)
        var number = 0
        while !Task.isCancelled {
            let luma = (0..<320 * 180).map { UInt8(truncatingIfNeeded: ($0 % 320 + 4 * number) & 0xff) }
            let pushed: Void? = try? luma.withUnsafeBytes { y in
                try chroma.withUnsafeBytes { grey in
                    let plane = PlaneBytes(bytes: grey, stride: 160)
                    try camera.push(
                        I420Picture(width: 320, height: 180, y: PlaneBytes(bytes: y, stride: 320), u: plane, v: plane))
                }
            }
            // It was turned off, or the meeting is over.
            if pushed == nil { return }
            number += 1
            try? await Task.sleep(for: .milliseconds(66))
        }
    }
}
