#if canImport(SwiftUI) && os(iOS)
import MeetModels
import SwiftUI

/// The whole app: the form, then the meeting, then its end.
public struct RootView: View {
    @Bindable var app: AppModel

    /// - Parameter app: kept by the app.
    public init(app: AppModel) {
        self.app = app
    }

    public var body: some View {
        switch app.place {
        case .form:
            JoinView(app: app)
        case .call(let call):
            CallView(call: call, devices: app.devices)
                .task {
                    let reason = await call.run()
                    app.end(reason)
                }
        case .over(let ending):
            EndView(ending: ending) { app.startAgain() }
        }
    }
}

/// How it ended, and the way back.
struct EndView: View {
    let ending: Ending
    let startAgain: () -> Void

    var body: some View {
        ContentUnavailableView {
            Label(ending.title, systemImage: "phone.down")
        } actions: {
            Button(ending.canRejoin ? "Join again" : "Done", action: startAgain)
                .buttonStyle(.borderedProminent)
        }
    }
}
#endif
