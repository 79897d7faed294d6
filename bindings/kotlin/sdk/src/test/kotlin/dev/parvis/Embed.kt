package dev.parvis

import java.nio.ByteBuffer

/** The ten lines of docs/embed.md; EmbedTest runs them. */
class Embed(private val link: String, private val device: String) {
    suspend fun join(y: ByteBuffer, u: ByteBuffer, v: ByteBuffer, samples: ShortArray, show: (VideoFrame) -> Unit) {
        // embed: begin
        Meeting.join(link, JoinOptions("Zoé", device)).use { meeting ->
            val known = meeting.waitFor { it.isConnected || it.isTurnedAway } // until then in the lobby
            if (!known.isConnected) return // a host said no, or nobody answered
            val camera = meeting.camera(VideoOptions(1280, 720))
            camera.push(Picture(1280, 720, y, u, v)) // as often as the device gives one
            val microphone = meeting.microphone()
            microphone.push(samples) // as much as the device gives
            meeting.chat("Bonjour !")
            meeting.raiseHand()
            val state = meeting.waitFor { it.participants.size > 1 }
            val other = state.participants.first { it.id != state.me }
            val picture = meeting.picture(other.id, Source.CAMERA, VideoTarget(640, 360))
            picture.use { it.frames().collect { frame -> show(frame) } }
            listOf(camera, microphone).forEach { it.close() }
            meeting.leave() // returns when nothing of it runs
        }
        // embed: end
    }
}
