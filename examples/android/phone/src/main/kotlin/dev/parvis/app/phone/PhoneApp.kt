package dev.parvis.app.phone

import android.content.Context
import dev.parvis.android.MeetingService
import dev.parvis.android.mediaCodecs
import dev.parvis.app.CallModel
import dev.parvis.app.JoinModel
import dev.parvis.app.Joined
import dev.parvis.app.SdkCall
import dev.parvis.app.SdkCalls
import java.util.UUID
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch

/** A call that is shown. */
class ShownCall(val call: SdkCall, val model: CallModel)

/** What outlives the app's activities: the models, and the call that goes on while nobody looks. */
class PhoneApp(private val context: Context, private val words: (code: String) -> MeetingService.Words) {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main)
    private val shown = MutableStateFlow<ShownCall?>(null)
    private val seen = MutableStateFlow(true)

    /** The phone's devices. */
    val devices: PhoneDevices = PhoneDevices(context) { source -> scope.launch { shown.value?.model?.ended(source) } }

    /** What is shown before a meeting. */
    val join: JoinModel = JoinModel(scope, SdkCalls(devices), device(), codecs = mediaCodecs(), joined = ::enter)

    /** The call that is shown; null: the screen before a meeting is. */
    val call: StateFlow<ShownCall?> = shown.asStateFlow()

    /** Somebody looks at the app, or nobody does. */
    fun setSeen(isSeen: Boolean) {
        seen.value = isSeen
    }

    /** The user has seen that the call is over. */
    fun finish() {
        shown.value = null
    }

    private fun enter(joined: Joined) {
        val call = joined.call as SdkCall
        val model = CallModel(scope, call, joined.sources)
        shown.value = ShownCall(call, model)
        val session = CallSession(context, call, model, words(model.state.value.code), seen)
        scope.launch { session.run(joined.sources) }
    }

    /** A random id of this installation, so that a guest is known again. */
    private fun device(): String {
        val kept = context.getSharedPreferences("parvis", Context.MODE_PRIVATE)
        return kept.getString("device", null)
            ?: UUID.randomUUID().toString().also { kept.edit().putString("device", it).apply() }
    }
}
