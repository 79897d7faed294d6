#if canImport(SwiftUI) && os(iOS)
import MeetModels
import Parvis
import ParvisApple
import SwiftUI

/// Oneself before a meeting: the camera, how loud one is, and what one comes in with.
struct PreviewView: View {
    @Bindable var app: AppModel

    var body: some View {
        ZStack(alignment: .bottom) {
            if app.form.cameraOn, app.previewProblem == nil, let devices = app.devices as? PhoneDevices {
                CameraPreview(devices.camera)
            } else {
                Color(.secondarySystemBackground)
                Image(systemName: "video.slash")
                    .font(.largeTitle)
                    .foregroundStyle(.secondary)
                    .frame(maxHeight: .infinity)
            }
            HStack(spacing: 16) {
                RoundToggle(on: $app.form.microphoneOn, symbol: "mic", label: "Microphone")
                RoundToggle(on: $app.form.cameraOn, symbol: "video", label: "Camera")
            }
            .padding(12)
            if let problem = app.previewProblem {
                Text(problem)
                    .font(.footnote)
                    .padding(8)
                    .background(.ultraThinMaterial, in: Capsule())
                    .frame(maxHeight: .infinity, alignment: .top)
                    .padding(12)
            }
        }
        .overlay(alignment: .trailing) {
            if app.form.microphoneOn { LevelBar(meter: app.meter).padding(12) }
        }
        .aspectRatio(4.0 / 3.0, contentMode: .fit)
        .clipShape(RoundedRectangle(cornerRadius: 20))
    }
}

/// How loud one is, from nothing to as loud as can be.
struct LevelBar: View {
    let meter: LevelMeter

    var body: some View {
        TimelineView(.periodic(from: .now, by: 0.05)) { _ in
            GeometryReader { area in
                Capsule()
                    .fill(.ultraThinMaterial)
                    .overlay(alignment: .bottom) {
                        Capsule()
                            .fill(.green)
                            .frame(height: area.size.height * Wording.share(ofLevel: meter.decibels))
                    }
            }
        }
        .frame(width: 6, height: 90)
        .accessibilityHidden(true)
    }
}

/// A round button that is on or off.
struct RoundToggle: View {
    @Binding var on: Bool
    let symbol: String
    let label: String

    var body: some View {
        Button {
            on.toggle()
        } label: {
            Image(systemName: on ? "\(symbol).fill" : "\(symbol).slash.fill")
                .font(.title3)
                .buttonSize()
                .background(on ? AnyShapeStyle(.ultraThinMaterial) : AnyShapeStyle(.red), in: Circle())
                .foregroundStyle(on ? Color.primary : Color.white)
        }
        .accessibilityLabel(label)
        .accessibilityValue(on ? "on" : "off")
    }
}

extension View {
    /// As wide and high as a round button: 48 points, or less where a row of them has no place for that.
    func buttonSize() -> some View {
        frame(maxWidth: 48, maxHeight: 48).aspectRatio(1, contentMode: .fit)
    }
}
#endif
