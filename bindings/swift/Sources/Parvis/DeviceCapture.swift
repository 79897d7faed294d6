import ParvisFFI

/// The app's own capture of sound: the microphone is turned on once it is open.
///
/// What it throws comes out of the call that turns the microphone on: a ``ParvisError`` as it is, anything else with the kind
/// ``ErrorKind/callback``.
public protocol SoundCapture: AnyObject, Sendable {
    /// Asks for permission and opens the device. When it throws, nothing is published.
    func open() async throws
    /// Gives sound to the microphone from here on.
    func start(_ microphone: Microphone) throws
    /// Gives no more, and lets go of the microphone: it is turned off.
    func stop() throws
}

/// The app's own capture of pictures, of a camera or a screen: that is turned on once it is open.
///
/// What it throws comes out of the call that turns it on: a ``ParvisError`` as it is, anything else with the kind
/// ``ErrorKind/callback``.
public protocol PictureCapture: AnyObject, Sendable {
    /// ``Camera`` or ``Screen``.
    associatedtype Sink: Sendable
    /// Asks for permission and opens the device. When it throws, nothing is published.
    func open() async throws
    /// Gives pictures from here on.
    func start(_ sink: Sink) throws
    /// Gives no more, and lets go of the camera or the screen: it is turned off.
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

    /// Turns the microphone on once the app's own capture is open, and starts that.
    public func microphone(
        from capture: some SoundCapture, channels: Int = 1, bitrate: Int = 32_000
    ) async throws -> Microphone {
        let options = AudioOptions(channels: channels, bitrate: bitrate)
        return Microphone(try await foreign.microphoneFrom(options: options, capture: ForeignSoundCapture(capture)))
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
    public func camera<Capture: PictureCapture>(
        from capture: Capture, width: Int, height: Int, frameRate: Int? = nil, maxHeight: Int? = nil
    ) async throws -> Camera where Capture.Sink == Camera {
        let options = VideoOptions(width: width, height: height, frameRate: frameRate, maxHeight: maxHeight)
        return try await camera(from: capture, options)
    }

    /// Turns the camera on once the app's own capture is open, as the options say, and starts that.
    public func camera<Capture: PictureCapture>(
        from capture: Capture, _ options: VideoOptions
    ) async throws -> Camera where Capture.Sink == Camera {
        Camera(try await foreign.cameraFrom(options: options.foreign, capture: ForeignPictureCapture(capture)))
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
    public func screen<Capture: PictureCapture>(
        from capture: Capture, width: Int, height: Int
    ) async throws -> Screen where Capture.Sink == Screen {
        try await screen(from: capture, VideoOptions(width: width, height: height))
    }

    /// Shares a screen once the app's own capture is open, as the options say, and starts that.
    public func screen<Capture: PictureCapture>(
        from capture: Capture, _ options: VideoOptions
    ) async throws -> Screen where Capture.Sink == Screen {
        Screen(try await foreign.screenFrom(options: options.foreign, capture: ForeignPictureCapture(capture)))
    }
}

private final class ForeignSoundCapture: ParvisFFI.AudioCapture {
    private let capture: any SoundCapture

    init(_ capture: any SoundCapture) {
        self.capture = capture
    }

    func open() async throws {
        try await capture.open()
    }

    func start(microphone: ParvisFFI.Microphone) throws {
        try capture.start(Microphone(microphone))
    }

    func stop() throws {
        try capture.stop()
    }
}

private final class ForeignPictureCapture<Capture: PictureCapture>: Sendable {
    private let capture: Capture

    init(_ capture: Capture) {
        self.capture = capture
    }

    func open() async throws {
        try await capture.open()
    }

    func start(_ sink: Capture.Sink) throws {
        try capture.start(sink)
    }

    func stop() throws {
        try capture.stop()
    }
}

extension ForeignPictureCapture: ParvisFFI.CameraCapture where Capture.Sink == Camera {
    func start(camera: ParvisFFI.Camera) throws {
        try start(Camera(camera))
    }
}

extension ForeignPictureCapture: ParvisFFI.ScreenCapture where Capture.Sink == Screen {
    func start(screen: ParvisFFI.Screen) throws {
        try start(Screen(screen))
    }
}

extension AudioOptions {
    init(channels: Int, bitrate: Int) {
        self.init(channels: Int32(clamping: channels), bitrate: Int32(clamping: bitrate))
    }
}
