#if canImport(AVFoundation) && os(iOS)
import Parvis

/// The phone's microphone, as a meeting captures it: `meeting.microphone(from: PhoneMicrophone(audio))`.
public final class PhoneMicrophone: AudioCapture {
    private let audio: PhoneAudio
    private let microphone = Locked<Microphone?>(nil)

    /// The microphone of what plays the meeting too, so that the echo of that is taken out.
    public init(_ audio: PhoneAudio) {
        self.audio = audio
    }

    /// Asks the user if need be, and captures.
    ///
    /// - Throws: `ParvisError` of the kind `permissionDenied` if the user does not allow it, ``CaptureError/unavailable(_:)`` if
    ///   another app, such as a call, has the device.
    public func open() async throws {
        // Not while it is muted, and not after the meeting.
        try await audio.capture { [microphone] in try? microphone.value?.push($0) }
    }

    /// Gives the sound to a meeting's microphone.
    public func start(_ microphone: Microphone) {
        self.microphone.exchange(microphone)
    }

    /// Ends the capture, a moment later, and lets go of the meeting's microphone; playing goes on.
    public func stop() {
        microphone.exchange(nil)
        audio.stopCapture()
    }
}
#endif
