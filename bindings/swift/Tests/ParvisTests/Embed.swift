import Parvis

/// The lines of docs/embed.md and of the README, compiled.
func embed(
    _ link: String, _ device: String, y: PlaneBytes, u: PlaneBytes, v: PlaneBytes, show: (VideoFrame) -> Void
) async throws {
    // embed: begin
    let meeting = try await Meeting.join(link, options: JoinOptions(name: "Zoé", device: device))
    let events = meeting.events()
    try await meeting.wait(until: \.isConnected)
    let camera = try await meeting.camera(width: 1280, height: 720, frameRate: 30)
    try camera.push(I420Picture(width: 1280, height: 720, y: y, u: u, v: v))
    try await meeting.chat("Bonjour !")
    for await case .joined(let who) in events {
        let target = VideoTarget(width: 640, height: 360)
        for await picture in try meeting.picture(of: who.id, source: .camera, target: target) { show(picture) }
    }
    try await meeting.leave()
    // embed: end
}
