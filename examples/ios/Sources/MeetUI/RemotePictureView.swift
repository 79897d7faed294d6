#if canImport(SwiftUI) && os(iOS)
import AVFoundation
import Parvis
import ParvisApple
import SwiftUI

/// Somebody's camera or screen, received for as long as it is on the screen, in the layer that fits its size.
struct RemotePictureView: View {
    let meeting: Meeting
    let participant: ParticipantID
    let source: Source
    let width: Double
    let height: Double
    @Environment(\.displayScale) private var scale
    @State private var renderer = PictureRenderer()

    var body: some View {
        RendererView(renderer: renderer, fills: source == .camera)
            .task {
                guard let picture = try? meeting.picture(of: participant, source: source, target: target) else {
                    return
                }
                await renderer.show(picture)
            }
            .onChange(of: target) { _, target in renderer.picture?.setTarget(target) }
    }

    private var target: VideoTarget {
        VideoTarget(width: Int32(width * scale), height: Int32(height * scale), visible: true)
    }
}

private struct RendererView: UIViewRepresentable {
    let renderer: PictureRenderer
    let fills: Bool

    func makeUIView(context: Context) -> LayerView {
        let view = LayerView(layer: renderer.layer)
        renderer.layer.videoGravity = fills ? .resizeAspectFill : .resizeAspect
        return view
    }

    func updateUIView(_ view: LayerView, context: Context) {}
}

/// What one's own camera sees.
struct CameraPreview: UIViewRepresentable {
    let session: AVCaptureSession

    func makeUIView(context: Context) -> LayerView {
        let layer = AVCaptureVideoPreviewLayer(session: session)
        layer.videoGravity = .resizeAspectFill
        return LayerView(layer: layer)
    }

    func updateUIView(_ view: LayerView, context: Context) {}
}

/// A view that is one layer.
final class LayerView: UIView {
    private let shown: CALayer

    init(layer: CALayer) {
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
#endif
