#if canImport(SwiftUI) && os(iOS)
import AVFoundation
import Parvis
import SwiftUI

/// Somebody's camera or screen, received for as long as it is shown, in the layer that fits its size.
///
/// ```swift
/// PictureView(meeting: meeting, participant: zoe.id, source: .camera)
/// ```
///
/// A camera fills the view, a screen is seen whole.
public struct PictureView: View {
    private let meeting: Meeting
    private let participant: ParticipantID
    private let source: Source
    @Environment(\.displayScale) private var scale
    @State private var renderer = PictureRenderer()

    /// A view of that source; give it another identity for another one.
    public init(meeting: Meeting, participant: ParticipantID, source: Source) {
        (self.meeting, self.participant, self.source) = (meeting, participant, source)
    }

    public var body: some View {
        GeometryReader { area in
            let target = VideoTarget(width: Int(area.size.width * scale), height: Int(area.size.height * scale))
            LayerView(layer: renderer.layer, gravity: source == .camera ? .resizeAspectFill : .resizeAspect)
                .task {
                    // After leaving there is nothing to show.
                    let picture = try? meeting.picture(of: participant, source: source, target: target)
                    if let picture { await renderer.show(picture) }
                }
                .onChange(of: target) { _, target in renderer.picture?.setTarget(target) }
        }
    }
}

/// What one's own camera sees, as a mirror.
public struct CameraPreview: View {
    private let camera: PhoneCamera

    /// A preview of that camera, while it captures.
    public init(_ camera: PhoneCamera) {
        self.camera = camera
    }

    public var body: some View {
        LayerView(layer: camera.previewLayer, gravity: .resizeAspectFill)
    }
}

private struct LayerView: UIViewRepresentable {
    let layer: CALayer
    let gravity: AVLayerVideoGravity

    func makeUIView(context: Context) -> Shown {
        switch layer {
        case let display as AVSampleBufferDisplayLayer: display.videoGravity = gravity
        case let preview as AVCaptureVideoPreviewLayer: preview.videoGravity = gravity
        default: break
        }
        return Shown(layer)
    }

    func updateUIView(_ view: Shown, context: Context) {}

    /// A view that is one layer.
    final class Shown: UIView {
        private let shown: CALayer

        init(_ layer: CALayer) {
            shown = layer
            super.init(frame: .zero)
            self.layer.addSublayer(layer)
        }

        @available(*, unavailable)
        required init?(coder: NSCoder) { nil }

        override func layoutSubviews() {
            super.layoutSubviews()
            CATransaction.begin()
            CATransaction.setDisableActions(true)
            shown.frame = bounds
            CATransaction.commit()
        }
    }
}
#endif
