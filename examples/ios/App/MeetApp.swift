import MeetModels
import MeetUI
import SwiftUI

@main
struct MeetApp: App {
    @State private var app = AppModel.ofThisPhone()

    var body: some Scene {
        WindowGroup {
            RootView(app: app)
                .onOpenURL { app.open($0) }
        }
    }
}
