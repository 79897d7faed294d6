package dev.parvis.app

import dev.parvis.Codecs
import dev.parvis.JoinOptions
import dev.parvis.ParvisException
import dev.parvis.Source
import dev.parvis.Trust
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch

/**
 * What is shown before a meeting.
 *
 * @property address the link or the code as it was typed
 * @property code the room's code, once the address has one
 * @property name the display name
 * @property site the site of a bare code
 * @property microphone whether one comes in with the microphone on
 * @property camera whether one comes in with the camera on, and sees oneself before
 * @property isJoining whether joining is under way
 * @property error what went wrong last, in words for people
 */
data class JoinState(
    val address: String = "",
    val code: String? = null,
    val name: String = "",
    val site: String = "",
    val microphone: Boolean = true,
    val camera: Boolean = true,
    val isJoining: Boolean = false,
    val error: String? = null,
) {
    /** Whether there is enough to join with. */
    val canJoin: Boolean get() = code != null && name.isNotBlank() && !isJoining
}

/** A call, and what is to be turned on once it is in. */
class Joined(val call: Call, val sources: Set<Source>)

/**
 * The screen before a meeting: an address, a name, and how one comes in.
 *
 * @param codecs the phone's, tried before the library's
 */
class JoinModel(
    private val scope: CoroutineScope,
    private val calls: Calls,
    private val device: String,
    private val trust: Trust? = null,
    first: JoinState = JoinState(),
    private val codecs: Codecs = Codecs(),
    private val joined: (Joined) -> Unit,
) {
    private val shown = MutableStateFlow(first)
    private var joining: Job? = null

    /** What is shown. */
    val state: StateFlow<JoinState> = shown.asStateFlow()

    /** The address was typed, pasted, or came with a link that opened the app. */
    fun setAddress(text: String) {
        val code = try {
            calls.roomCode(text.trim())
        } catch (_: ParvisException) {
            null
        }
        shown.update { it.copy(address = text, code = code, error = null) }
    }

    /** The name was typed. */
    fun setName(name: String) = shown.update { it.copy(name = name, error = null) }

    /** The site of bare codes was typed. */
    fun setSite(site: String) = shown.update { it.copy(site = site, error = null) }

    /** Comes in with the microphone on, or not. */
    fun setMicrophone(on: Boolean) = shown.update { it.copy(microphone = on) }

    /** Comes in with the camera on, or not. */
    fun setCamera(on: Boolean) = shown.update { it.copy(camera = on) }

    /** Joins; does nothing where [JoinState.canJoin] is false. */
    fun join() {
        val asked = shown.value
        if (!asked.canJoin) return
        shown.update { it.copy(isJoining = true, error = null) }
        joining = scope.launch {
            try {
                val site = asked.site.trim().ifEmpty { null }
                val options = JoinOptions(asked.name.trim(), device, site = site, trust = trust, codecs = codecs)
                val call = calls.join(asked.address.trim(), options)
                joined(Joined(call, asked.sources()))
            } catch (error: ParvisException) {
                shown.update { it.copy(error = error.inWords()) }
            } finally {
                shown.update { it.copy(isJoining = false) }
            }
        }
    }

    /** Joins no more. */
    fun cancel() {
        joining?.cancel()
    }

    private fun JoinState.sources() =
        buildSet {
            if (microphone) add(Source.MICROPHONE)
            if (camera) add(Source.CAMERA)
        }
}
