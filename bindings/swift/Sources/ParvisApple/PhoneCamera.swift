#if canImport(AVFoundation) && os(iOS)
import AVFoundation
import Parvis

/// The device's camera: it captures whether or not there is a meeting, for the preview before, and goes on across reconnections.
///
/// ```swift
/// let phone = PhoneCamera()
/// try await phone.start()
/// preview.session = phone.session                 // an AVCaptureVideoPreviewLayer
/// phone.feed(try await meeting.camera(width: 1280, height: 720))
/// ```
public final class PhoneCamera: NSObject, @unchecked Sendable {
    /// For a preview layer.
    public let session = AVCaptureSession()

    private let queue = DispatchQueue(label: "parvis.camera", qos: .userInitiated)
    private let output = AVCaptureVideoDataOutput()
    private let lock = NSLock()
    private var camera: Camera?
    private var position: AVCaptureDevice.Position

    /// The camera on that side of the device; nothing is captured before ``start()``.
    public init(position: AVCaptureDevice.Position = .front) {
        self.position = position
        super.init()
    }

    /// Asks the user if need be, and captures.
    ///
    /// - Throws: ``CaptureError/notPermitted(_:)`` if the user does not allow it, ``CaptureError/unavailable(_:)`` if there is
    ///   no such camera or another app has it.
    public func start() async throws {
        guard await AVCaptureDevice.requestAccess(for: .video) else {
            throw CaptureError.notPermitted(.camera)
        }
        try await onQueue { try self.configure() }
    }

    /// Ends the capture; the meeting's camera gets no pictures any more.
    public func stop() async {
        try? await onQueue { self.session.stopRunning() }
    }

    /// Gives the pictures to a meeting's camera; `nil`: to none.
    public func feed(_ camera: Camera?) {
        lock.withLock { self.camera = camera }
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

    private func configure() throws {
        guard let device = AVCaptureDevice.default(.builtInWideAngleCamera, for: .video, position: position) else {
            throw CaptureError.unavailable(.camera)
        }
        session.beginConfiguration()
        defer { session.commitConfiguration() }
        session.inputs.forEach(session.removeInput)
        let input = try AVCaptureDeviceInput(device: device)
        guard session.canAddInput(input) else { throw CaptureError.unavailable(.camera) }
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
        if let connection = output.connection(with: .video) {
            // Upright pictures: the device's own rotation is not sent.
            if connection.isVideoRotationAngleSupported(90) {
                connection.videoRotationAngle = 90
            }
            connection.isVideoMirrored = false
        }
        if !session.isRunning {
            // It may run before the configuration is committed: it begins with that.
            queue.async { self.session.startRunning() }
        }
    }
}

extension PhoneCamera: AVCaptureVideoDataOutputSampleBufferDelegate {
    public func captureOutput(
        _ output: AVCaptureOutput, didOutput sample: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        guard let camera = lock.withLock({ camera }), let buffer = CMSampleBufferGetImageBuffer(sample) else { return }
        try? camera.push(buffer)
    }
}
#endif
