import ParvisFFI

/// The app's own capture of sound, such as a phone's microphone.
///
/// What it throws comes out of the call that turns the microphone on: a ``ParvisError`` as it is, anything else with the kind
/// ``ErrorKind/callback``.
public protocol AudioCapture: AnyObject, Sendable {
    /// Asks for permission and opens the device. When it throws, nothing is published: ``ErrorKind/permissionDenied`` is the word
    /// for a refusal.
    ///
    /// Whatever becomes of it, ``stop()`` follows once this has ended, and once: also when this throws or is cancelled, and when
    /// whoever wants the microphone gives up meanwhile.
    func open() async throws
    /// Gives sound to the microphone from here on.
    func start(_ microphone: Microphone) throws
    /// Gives no more, and lets go of the microphone: it is turned off, or the meeting is over.
    func stop() throws
}

/// The app's own capture of pictures, such as a phone's camera.
///
/// What it throws comes out of the call that turns the camera on, as for ``AudioCapture``.
public protocol CameraCapture: AnyObject, Sendable {
    /// Asks for permission and opens the device; see ``AudioCapture/open()``.
    func open() async throws
    /// Gives pictures to the camera from here on.
    func start(_ camera: Camera) throws
    /// Gives no more, and lets go of the camera: it is turned off, or the meeting is over.
    func stop() throws
}

/// The app's own capture of a screen, such as by ReplayKit.
///
/// What it throws comes out of the call that shares the screen, as for ``AudioCapture``.
public protocol ScreenCapture: AnyObject, Sendable {
    /// Asks for permission; see ``AudioCapture/open()``.
    func open() async throws
    /// Gives pictures to the screen from here on.
    func start(_ screen: Screen) throws
    /// Gives no more, and lets go of the screen: it is not shared any more, or the meeting is over.
    func stop() throws
}

extension Meeting {
    /// Turns the microphone on; give it sound by ``Microphone/push(_:at:)``.
    ///
    /// - Parameters:
    ///   - channels: 1 or 2.
    ///   - bitrate: target bits a second.
    public func microphone(channels: Int = 1, bitrate: Int = 32_000) async throws -> Microphone {
        Microphone(try await foreign.microphone(options: AudioOptions(channels: channels, bitrate: bitrate)))
    }

    /// Turns the microphone on once the app's own capture is open, and starts that, until what this returns is turned off or
    /// released.
    public func microphone(
        from capture: some AudioCapture, channels: Int = 1, bitrate: Int = 32_000
    ) async throws -> Microphone {
        let options = AudioOptions(channels: channels, bitrate: bitrate)
        let microphone = try await foreign.microphoneFrom(options: options, capture: ForeignAudioCapture(capture))
        return Microphone(microphone, isCaptured: true)
    }

    /// Turns the camera on, in layers of 180, 360 and 720 lines as far as it has them; give it pictures by
    /// ``VideoSource/push(_:rotation:at:)-(I420Picture,_,_)``.
    ///
    /// - Parameters:
    ///   - width: of a picture that is upright, pixels.
    ///   - height: of a picture that is upright, pixels.
    ///   - frameRate: pictures a second; `nil`: 30.
    ///   - maxHeight: the most lines that are sent; `nil`: 720.
    public func camera(
        width: Int, height: Int, frameRate: Int? = nil, maxHeight: Int? = nil
    ) async throws -> Camera {
        try await camera(VideoOptions(width: width, height: height, frameRate: frameRate, maxHeight: maxHeight))
    }

    /// Turns the camera on, as the options say.
    public func camera(_ options: VideoOptions) async throws -> Camera {
        Camera(try await foreign.camera(options: options.foreign))
    }

    /// Turns the camera on once the app's own capture is open, and starts that.
    public func camera(
        from capture: some CameraCapture, width: Int, height: Int, frameRate: Int? = nil, maxHeight: Int? = nil
    ) async throws -> Camera {
        let options = VideoOptions(width: width, height: height, frameRate: frameRate, maxHeight: maxHeight)
        return try await camera(from: capture, options)
    }

    /// Turns the camera on once the app's own capture is open, as the options say, and starts that, until what this returns is
    /// turned off or released.
    public func camera(
        from capture: some CameraCapture, _ options: VideoOptions
    ) async throws -> Camera {
        let camera = try await foreign.cameraFrom(options: options.foreign, capture: ForeignCameraCapture(capture))
        return Camera(camera, isCaptured: true)
    }

    /// Shares a screen; give it pictures by ``VideoSource/push(_:rotation:at:)-(I420Picture,_,_)``.
    public func screen(width: Int, height: Int) async throws -> Screen {
        try await screen(VideoOptions(width: width, height: height))
    }

    /// Shares a screen, as the options say.
    public func screen(_ options: VideoOptions) async throws -> Screen {
        Screen(try await foreign.screen(options: options.foreign))
    }

    /// Shares a screen once the app's own capture is open, and starts that.
    public func screen(
        from capture: some ScreenCapture, width: Int, height: Int
    ) async throws -> Screen {
        try await screen(from: capture, VideoOptions(width: width, height: height))
    }

    /// Shares a screen once the app's own capture is open, as the options say, and starts that, until what this returns is
    /// turned off or released.
    public func screen(
        from capture: some ScreenCapture, _ options: VideoOptions
    ) async throws -> Screen {
        let screen = try await foreign.screenFrom(options: options.foreign, capture: ForeignScreenCapture(capture))
        return Screen(screen, isCaptured: true)
    }
}

/// Holds the end of a capture back until its beginning is over: the library gives up at once, and what opens a device may go on.
private final class Opening: Sendable {
    private enum State {
        case closed, opening, open, over
    }

    private let state = Locked(State.closed)
    private let begin: @Sendable () async throws -> Void
    private let end: @Sendable () throws -> Void

    init(open: @escaping @Sendable () async throws -> Void, stop: @escaping @Sendable () throws -> Void) {
        (begin, end) = (open, stop)
    }

    func open() async throws {
        try state.with { state in
            guard state == .closed else { throw CancellationError() }
            state = .opening
        }
        let result: Result<Void, any Error>
        do {
            result = .success(try await begin())
        } catch {
            result = .failure(error)
        }
        let isOver = state.with { state in
            if state == .opening { state = .open }
            return state == .over
        }
        // Nobody is there any more to be told what goes wrong.
        if isOver { try? end() }
        try result.get()
    }

    func stop() throws {
        let before = state.with { state in
            defer { state = .over }
            return state
        }
        if before == .open { try end() }
    }
}

private final class ForeignAudioCapture: ParvisFFI.AudioCapture {
    private let capture: any AudioCapture
    private let opening: Opening

    init(_ capture: any AudioCapture) {
        self.capture = capture
        opening = Opening(open: capture.open, stop: capture.stop)
    }

    func open() async throws {
        try await opening.open()
    }

    func start(microphone: ParvisFFI.Microphone) throws {
        try capture.start(Microphone(microphone))
    }

    func stop() throws {
        try opening.stop()
    }
}

private final class ForeignCameraCapture: ParvisFFI.CameraCapture {
    private let capture: any CameraCapture
    private let opening: Opening

    init(_ capture: any CameraCapture) {
        self.capture = capture
        opening = Opening(open: capture.open, stop: capture.stop)
    }

    func open() async throws {
        try await opening.open()
    }

    func start(camera: ParvisFFI.Camera) throws {
        try capture.start(Camera(camera))
    }

    func stop() throws {
        try opening.stop()
    }
}

private final class ForeignScreenCapture: ParvisFFI.ScreenCapture {
    private let capture: any ScreenCapture
    private let opening: Opening

    init(_ capture: any ScreenCapture) {
        self.capture = capture
        opening = Opening(open: capture.open, stop: capture.stop)
    }

    func open() async throws {
        try await opening.open()
    }

    func start(screen: ParvisFFI.Screen) throws {
        try capture.start(Screen(screen))
    }

    func stop() throws {
        try opening.stop()
    }
}

extension AudioOptions {
    init(channels: Int, bitrate: Int) {
        self.init(channels: Int32(clamping: channels), bitrate: Int32(clamping: bitrate))
    }
}
