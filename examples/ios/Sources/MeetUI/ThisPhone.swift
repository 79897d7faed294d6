#if canImport(SwiftUI) && os(iOS)
import MeetModels
import Parvis
import ParvisApple

extension AppModel {
    /// The app with this phone's devices, keychain and decoders.
    ///
    /// The library's AV1 encodes: others need no H.264 then.
    public static func ofThisPhone() -> AppModel {
        AppModel(
            devices: PhoneDevices(), accounts: KeychainAccounts(), codecs: Codecs(videoDecoders: PhoneCodecs()))
    }
}
#endif
