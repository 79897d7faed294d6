package dev.parvis.app

import dev.parvis.AudioCapture
import dev.parvis.Camera
import dev.parvis.CameraCapture
import dev.parvis.Emoji
import dev.parvis.JoinOptions
import dev.parvis.Meeting
import dev.parvis.Microphone
import dev.parvis.Receive
import dev.parvis.Screen
import dev.parvis.ScreenCapture
import dev.parvis.Source
import dev.parvis.Target
import dev.parvis.VideoOptions

/** The devices of a phone, made anew each time one is turned on. */
interface Devices {
    /** The microphone. */
    fun microphone(): AudioCapture

    /** The camera that is in use, and what it gives. */
    fun camera(): Pair<CameraCapture, VideoOptions>

    /** The screen, and what it gives. */
    fun screen(): Pair<ScreenCapture, VideoOptions>
}

/** Meetings of the SDK, with the devices of this phone. */
class SdkCalls(private val devices: Devices) : Calls {
    override fun roomCode(linkOrCode: String): String = Meeting.roomCode(linkOrCode)

    override suspend fun join(linkOrCode: String, options: JoinOptions): Call =
        SdkCall(Meeting.join(linkOrCode, options), devices)
}

/** A meeting of the SDK; [meeting] is for those who show pictures and play voices. */
class SdkCall(val meeting: Meeting, private val devices: Devices) : Call {
    override val state get() = meeting.state

    override fun events() = meeting.events()

    override suspend fun knock() = meeting.knock()

    override suspend fun chatPending(text: String) = meeting.chatPending(text)

    override suspend fun history(before: Long?, count: Int) = meeting.history(before, count)

    override suspend fun raiseHand() {
        meeting.raiseHand()
    }

    override suspend fun lowerHand() = meeting.lowerHand()

    override suspend fun react(emoji: Emoji) = meeting.react(emoji)

    override suspend fun admit(who: Target) = meeting.admit(who)

    override suspend fun deny(who: Target) = meeting.deny(who)

    override suspend fun mute(who: Target) = meeting.mute(who)

    override suspend fun remove(who: String) = meeting.remove(who)

    override suspend fun endForAll() = meeting.endForAll()

    override suspend fun setReceive(receive: Receive) = meeting.setReceive(receive)

    override suspend fun open(source: Source): LocalTrack =
        when (source) {
            Source.MICROPHONE -> Voice(meeting.microphone(devices.microphone()))
            Source.CAMERA -> devices.camera().let { (capture, options) -> Film(meeting.camera(capture, options)) }
            Source.SCREEN -> devices.screen().let { (capture, options) -> Shared(meeting.screen(capture, options)) }
        }

    override suspend fun leave() = meeting.leave()

    override fun close() = meeting.close()

    private class Voice(private val microphone: Microphone) : LocalTrack {
        override suspend fun mute() = microphone.mute()

        override suspend fun unmute() = microphone.unmute()

        override suspend fun turnOff() = microphone.use { it.turnOff() }
    }

    private class Film(private val camera: Camera) : LocalTrack {
        override suspend fun mute() = camera.mute()

        override suspend fun unmute() = camera.unmute()

        override suspend fun turnOff() = camera.use { it.turnOff() }
    }

    private class Shared(private val screen: Screen) : LocalTrack {
        override suspend fun mute() = screen.mute()

        override suspend fun unmute() = screen.unmute()

        override suspend fun turnOff() = screen.use { it.turnOff() }
    }
}
