package dev.parvis

import java.nio.ByteBuffer

/** The ten lines of docs/embed.md, compiled. */
class Embed(private val link: String, private val device: String) {
    suspend fun join(y: ByteBuffer, u: ByteBuffer, v: ByteBuffer, show: (VideoFrame) -> Unit) {
        // embed: begin
        Meeting.join(link, JoinOptions("Zoé", device)).use { meeting ->
            meeting.waitFor { it.isConnected } // until then in the lobby
            val camera = meeting.camera(VideoOptions(1280, 720))
            camera.push(Picture(1280, 720, y, u, v)) // as often as the device gives one
            meeting.chat("Bonjour !")
            val other = meeting.waitFor { it.view!!.participants.size > 1 }.view!!.participants.last()
            meeting.picture(other.id, Source.CAMERA, VideoTarget(640, 360)).frames().collect { show(it) }
            camera.close()
            meeting.leave() // returns when nothing of it runs
        }
        // embed: end
    }
}
