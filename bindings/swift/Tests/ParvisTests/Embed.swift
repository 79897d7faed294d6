import Parvis

/// The lines of docs/embed.md and of the README, compiled.
func embed(
    _ link: String, _ device: String, y: PlaneBytes, u: PlaneBytes, v: PlaneBytes, samples: UnsafeBufferPointer<Float>,
    show: @escaping @Sendable (VideoFrame) -> Void
) async throws {
    // embed: begin
    let meeting = try await Meeting.join(link, options: JoinOptions(name: "Zoé", device: device))
    let events = meeting.events()
    let state = try await meeting.wait { $0.isConnected || $0.isTurnedAway }  // until then in the lobby
    guard state.isConnected else { return try await meeting.leave() }  // not let in, or over
    let camera = try await meeting.camera(width: 1280, height: 720)
    try camera.push(I420Picture(width: 1280, height: 720, y: y, u: u, v: v))  // as often as the device gives one
    let microphone = try await meeting.microphone()
    try microphone.push(samples)  // as much as the device gives
    try await meeting.chat("Bonjour !")
    try await meeting.raiseHand()
    // One's own coming is told too.
    for await case .joined(let who) in events where who.id != meeting.state.me {
        let target = VideoTarget(width: 640, height: 360)
        let pictures = try meeting.picture(of: who.id, source: .camera, target: target)
        Task { for await picture in pictures { show(picture) } }
    }
    try camera.turnOff()
    try microphone.turnOff()
    try await meeting.leave()  // returns when nothing of it runs
    // embed: end
}
