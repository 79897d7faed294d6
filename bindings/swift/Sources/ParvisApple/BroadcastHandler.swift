#if canImport(ReplayKit) && os(iOS)
import CoreMedia
import ImageIO
import Parvis
import ReplayKit
import SwiftUI

/// A broadcast extension that gives the whole screen to its app, where a ``BroadcastReceiver`` waits: an extension's principal
/// class is this, or one that inherits from it.
///
/// The `Info.plist` of both app and extension names their app group as `ParvisAppGroup`.
open class BroadcastHandler: RPBroadcastSampleHandler {
    private var sender: BroadcastSender?
    private var fitter: (size: PictureSize, fitter: PictureFitter)?

    /// The file at which the app waits; `nil`: there is no such app group.
    public static var socket: String? {
        guard let group = Bundle.main.object(forInfoDictionaryKey: "ParvisAppGroup") as? String else { return nil }
        let folder = FileManager.default.containerURL(forSecurityApplicationGroupIdentifier: group)
        return folder?.appendingPathComponent("cast").path
    }

    open override func broadcastStarted(withSetupInfo setupInfo: [String: NSObject]?) {
        do {
            guard let socket = Self.socket else { throw CaptureError.unavailable(.screen) }
            sender = try BroadcastSender(socket: socket)
        } catch {
            finishBroadcastWithError(CaptureError.unavailable(.screen))
        }
    }

    open override func broadcastFinished() {
        sender = nil
    }

    open override func processSampleBuffer(_ sample: CMSampleBuffer, with kind: RPSampleBufferType) {
        guard kind == .video, let sender, let buffer = CMSampleBufferGetImageBuffer(sample) else { return }
        let whole = PictureSize(width: CVPixelBufferGetWidth(buffer), height: CVPixelBufferGetHeight(buffer))
        // An extension has 50 MB of memory.
        let size = whole.fitting(longerSide: 1280)
        if fitter?.size != size { fitter = (size, PictureFitter(size)) }
        guard let fitted = fitter?.fitter.fit(buffer) else { return }
        do {
            try fitted.withNV12 { try sender.send($0, rotation: Self.rotation(of: sample)) }
        } catch {
            // The meeting is over, or shares no screen any more.
            self.sender = nil
            finishBroadcastWithError(CaptureError.unavailable(.screen))
        }
    }

    private static func rotation(of sample: CMSampleBuffer) -> Rotation {
        let key = RPVideoSampleOrientationKey as CFString
        let attachment = CMGetAttachment(sample, key: key, attachmentModeOut: nil) as? NSNumber
        return switch attachment.flatMap({ CGImagePropertyOrientation(rawValue: $0.uint32Value) }) {
        case .down: .half
        case .right: .clockwise
        case .left: .counterclockwise
        default: .none
        }
    }
}

/// The button of iOS that begins a broadcast of the whole screen.
public struct BroadcastPicker: UIViewRepresentable {
    private let handler: String

    /// - Parameter handler: the bundle identifier of the app's broadcast extension.
    public init(extension handler: String) {
        self.handler = handler
    }

    public func makeUIView(context: Context) -> RPSystemBroadcastPickerView {
        let picker = RPSystemBroadcastPickerView(frame: CGRect(x: 0, y: 0, width: 48, height: 48))
        picker.preferredExtension = handler
        picker.showsMicrophoneButton = false
        return picker
    }

    public func updateUIView(_ view: RPSystemBroadcastPickerView, context: Context) {}
}
#endif
