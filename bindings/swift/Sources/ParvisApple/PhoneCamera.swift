#if canImport(AVFoundation) && os(iOS)
import AVFoundation
import Parvis

/// The device's camera: it captures whether or not there is a meeting, for the preview before, and goes on across reconnections.
///
/// ```swift
/// let phone = PhoneCamera()
/// try await phone.open()                          // CameraPreview(phone) shows it
/// let size = phone.size
/// let camera = try await meeting.camera(from: phone, width: size.width, height: size.height)
/// for await event in phone.events() { … }         // a turned device has pictures of another size
/// ```
///
/// With ``feed(_:)`` it goes on when the meeting's camera is turned off, as where that is turned on again in another size.
public final class PhoneCamera: NSObject, CameraCapture, @unchecked Sendable {
    /// What happens to the camera from outside.
    public enum Event: Sendable, Equatable {
        /// Pictures have another size from here on, since the device was turned: turn the meeting's camera off and on again
        /// with that size.
        case turned(PictureSize)
        /// There are no pictures, as in the background: mute the meeting's camera, so that others see it.
        case interrupted
        /// There are pictures again.
        case resumed
    }

    /// What the camera sees, upright; ``CameraPreview`` shows it.
    public let previewLayer: AVCaptureVideoPreviewLayer

    private let listeners = Listeners<Event>()
    private let session = AVCaptureSession()
    private let queue = DispatchQueue(label: "parvis.camera", qos: .userInitiated)
    private let output = AVCaptureVideoDataOutput()
    private let camera = Locked<Camera?>(nil)
    private let captured = Locked(PictureSize(width: 1280, height: 720))
    /// The rest is of the queue alone.
    private var position: AVCaptureDevice.Position
    private var isWanted = false
    private var device: AVCaptureDevice?
    private var coordinator: AVCaptureDevice.RotationCoordinator?
    private var turning: [NSKeyValueObservation] = []
    private var observers: [any NSObjectProtocol] = []

    /// The camera on that side of the device; nothing is captured before ``open()``.
    public init(position: AVCaptureDevice.Position = .front) {
        self.position = position
        previewLayer = AVCaptureVideoPreviewLayer(session: session)
        super.init()
        previewLayer.videoGravity = .resizeAspectFill
        observe()
    }

    deinit {
        observers.forEach(NotificationCenter.default.removeObserver)
    }

    /// What happens to the camera from here on, until this is released.
    public func events() -> AsyncStream<Event> {
        listeners.stream()
    }

    /// The size of its pictures as the device is held now; known once it was opened.
    public var size: PictureSize { captured.value }

    /// Asks the user if need be, and captures; an open one goes on.
    ///
    /// - Throws: `ParvisError` of the kind `permissionDenied` if the user does not allow it, ``CaptureError/unavailable(_:)`` if
    ///   there is no such camera or another app has it.
    public func open() async throws {
        guard await AVCaptureDevice.requestAccess(for: .video) else {
            throw ParvisError.notPermitted(.camera)
        }
        try await onQueue {
            try self.configure()
            self.isWanted = true
            self.session.startRunning()
        }
    }

    /// Gives the pictures to a meeting's camera.
    public func start(_ camera: Camera) {
        feed(camera)
    }

    /// Ends the capture, a moment later, and lets go of the meeting's camera.
    public func stop() {
        feed(nil)
        queue.async {
            self.isWanted = false
            self.session.stopRunning()
        }
    }

    /// Gives the pictures to a meeting's camera; `nil`: to none.
    public func feed(_ camera: Camera?) {
        self.camera.exchange(camera)
    }

    /// Changes between the front and the back camera.
    ///
    /// - Throws: ``CaptureError/unavailable(_:)`` if there is only one; it goes on.
    public func flip() async throws {
        try await onQueue {
            let before = self.position
            self.position = before == .front ? .back : .front
            do {
                try self.configure()
            } catch {
                self.position = before
                try self.configure()
                throw error
            }
        }
    }

    private func onQueue(_ work: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            queue.async { continuation.resume(with: Result(catching: work)) }
        }
    }
}

/// What runs on the queue.
extension PhoneCamera {
    private func configure() throws {
        guard let device = AVCaptureDevice.default(.builtInWideAngleCamera, for: .video, position: position) else {
            throw CaptureError.unavailable(.camera)
        }
        session.beginConfiguration()
        defer { session.commitConfiguration() }
        session.inputs.forEach(session.removeInput)
        guard let input = try? AVCaptureDeviceInput(device: device), session.canAddInput(input) else {
            throw CaptureError.unavailable(.camera)
        }
        session.addInput(input)
        if session.canSetSessionPreset(.hd1280x720) {
            session.sessionPreset = .hd1280x720
        }
        if session.outputs.isEmpty {
            output.videoSettings = [
                kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange
            ]
            output.alwaysDiscardsLateVideoFrames = true
            output.setSampleBufferDelegate(self, queue: queue)
            guard session.canAddOutput(output) else { throw CaptureError.unavailable(.camera) }
            session.addOutput(output)
        }
        // Others see what the camera sees; only the preview is a mirror.
        if let connection = output.connection(with: .video), connection.isVideoMirroringSupported {
            connection.automaticallyAdjustsVideoMirroring = false
            connection.isVideoMirrored = false
        }
        follow(device)
    }

    /// Keeps pictures upright however the device is held.
    private func follow(_ device: AVCaptureDevice) {
        let coordinator = AVCaptureDevice.RotationCoordinator(device: device, previewLayer: previewLayer)
        (self.device, self.coordinator) = (device, coordinator)
        turning = [
            coordinator.observe(\.videoRotationAngleForHorizonLevelCapture) { [weak self] coordinator, _ in
                let angle = coordinator.videoRotationAngleForHorizonLevelCapture
                self?.queue.async { [weak self] in self?.turn(to: angle) }
            },
            coordinator.observe(\.videoRotationAngleForHorizonLevelPreview, options: .initial) {
                [weak self] coordinator, _ in
                let angle = coordinator.videoRotationAngleForHorizonLevelPreview
                DispatchQueue.main.async { [weak self] in self?.previewLayer.connection?.turn(to: angle) }
            },
        ]
        turn(to: coordinator.videoRotationAngleForHorizonLevelCapture)
    }

    private func turn(to angle: CGFloat) {
        guard let device else { return }
        output.connection(with: .video)?.turn(to: angle)
        let format = CMVideoFormatDescriptionGetDimensions(device.activeFormat.formatDescription)
        let size = PictureSize(width: Int(format.width), height: Int(format.height)).turned(byDegrees: Int(angle))
        if captured.exchange(size) != size { listeners.yield(.turned(size)) }
    }

    private func observe() {
        let happens: [(Notification.Name, Event)] = [
            (AVCaptureSession.wasInterruptedNotification, .interrupted),
            (AVCaptureSession.interruptionEndedNotification, .resumed),
        ]
        observers = happens.map { name, event in
            NotificationCenter.default.addObserver(forName: name, object: session, queue: nil) { [listeners] _ in
                listeners.yield(event)
            }
        }
        // Such as when the system's media services begin anew: nothing runs any more, and nobody says so.
        observers.append(
            NotificationCenter.default.addObserver(
                forName: AVCaptureSession.runtimeErrorNotification, object: session, queue: nil
            ) { [weak self] _ in
                guard let self else { return }
                queue.async { self.runAgain() }
            })
    }

    private func runAgain() {
        guard isWanted, !session.isRunning else { return }
        listeners.yield(.interrupted)
        session.startRunning()
        if session.isRunning { listeners.yield(.resumed) }
    }
}

extension AVCaptureConnection {
    fileprivate func turn(to angle: CGFloat) {
        if isVideoRotationAngleSupported(angle) { videoRotationAngle = angle }
    }
}

extension PhoneCamera: AVCaptureVideoDataOutputSampleBufferDelegate {
    public func captureOutput(
        _ output: AVCaptureOutput, didOutput sample: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        guard let camera = camera.value, let buffer = CMSampleBufferGetImageBuffer(sample) else { return }
        // Refused after a turn, until the meeting's camera has the other size.
        try? camera.push(buffer)
    }
}
#endif
