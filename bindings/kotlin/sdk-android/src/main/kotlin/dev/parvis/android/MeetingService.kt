package dev.parvis.android

import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.app.Service
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.content.pm.ServiceInfo
import android.os.IBinder
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.asSharedFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeoutOrNull

/**
 * Keeps a meeting alive while the app is not seen, with a notification from which it can be left.
 *
 * The manifest of this library declares it. The app is on the screen when it is started, and with it are the microphone and the
 * camera that come later: Android allows neither to an app that is not seen. A device that the user has not allowed is left out.
 */
public class MeetingService : Service() {
    /** What the notification says, what is written on its button, and a drawable of the app. */
    public class Words(public val title: String, public val leave: String, public val icon: Int)

    override fun onBind(intent: Intent?): IBinder? = null

    override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int {
        if (intent?.action != START) {
            // Who hears it leaves, and stops this then.
            if (left.subscriptionCount.value > 0) left.tryEmit(Unit) else if (starts.over()) stopSelf()
            return START_NOT_STICKY
        }
        val words = Words(
            intent.getStringExtra(TITLE).orEmpty(),
            intent.getStringExtra(LEAVE_WORD).orEmpty(),
            intent.getIntExtra(ICON, 0),
        )
        val had = allowed.value
        val wanted = types(intent.getIntExtra(TYPES, 0), had) { checkSelfPermission(it) == PackageManager.PERMISSION_GRANTED }
        allowed.value = firstAllowed(choices(wanted, had)) { startForeground(NOTIFICATION, notification(words), it) }
        if (starts.came()) stopSelf()
        return START_NOT_STICKY
    }

    override fun onDestroy() {
        allowed.value = 0
        super.onDestroy()
    }

    private fun notification(words: Words): Notification {
        val notifications = getSystemService(NotificationManager::class.java)
        notifications.createNotificationChannel(
            NotificationChannel(CHANNEL, words.title, NotificationManager.IMPORTANCE_LOW),
        )
        val app = packageManager.getLaunchIntentForPackage(packageName) ?: Intent()
        val open = PendingIntent.getActivity(this, 0, app, PendingIntent.FLAG_IMMUTABLE)
        val leaving = Intent(this, MeetingService::class.java).setAction(LEAVE)
        val leave = PendingIntent.getService(this, 1, leaving, PendingIntent.FLAG_IMMUTABLE)
        return Notification.Builder(this, CHANNEL)
            .setSmallIcon(words.icon)
            .setContentTitle(words.title)
            .setContentIntent(open)
            .setOngoing(true)
            .setCategory(Notification.CATEGORY_CALL)
            .addAction(Notification.Action.Builder(null, words.leave, leave).build())
            .build()
    }

    public companion object {
        private const val CHANNEL = "parvis.meeting"
        private const val NOTIFICATION = 0x9a
        private const val START = "dev.parvis.START"
        private const val LEAVE = "dev.parvis.LEAVE"
        private const val TITLE = "title"
        private const val LEAVE_WORD = "leave"
        private const val ICON = "icon"
        private const val TYPES = "types"

        /** A phone under load takes a while. */
        private val STARTS_WITHIN = 5.seconds

        private val left = MutableSharedFlow<Unit>(extraBufferCapacity = 1, onBufferOverflow = BufferOverflow.DROP_OLDEST)

        private val allowed = MutableStateFlow(0)
        private val starts = Starts()

        /** Waits until it is in the foreground with the screen; throws when nobody started it so. */
        internal suspend fun awaitScreen() {
            val type = ServiceInfo.FOREGROUND_SERVICE_TYPE_MEDIA_PROJECTION
            withTimeoutOrNull(STARTS_WITHIN) { allowed.first { it and type != 0 } }
                ?: error("MeetingService.start with screen = true comes before a screen is shared")
        }

        /** Each time that the user leaves from the notification: leave, and [stop]. */
        public val leaves: Flow<Unit> = left.asSharedFlow()

        /**
         * Starts it, or tells it that other devices are in use: what is not said here is cut off in the background. A microphone
         * and a camera that it was told stay until [stop].
         *
         * Throws `ForegroundServiceStartNotAllowedException` while the app is not seen.
         */
        public fun start(context: Context, words: Words, microphone: Boolean, camera: Boolean, screen: Boolean) {
            val intent = Intent(context, MeetingService::class.java)
                .setAction(START)
                .putExtra(TITLE, words.title)
                .putExtra(LEAVE_WORD, words.leave)
                .putExtra(ICON, words.icon)
                .putExtra(TYPES, types(microphone, camera, screen))
            starts.asked()
            try {
                context.startForegroundService(intent)
            } catch (error: RuntimeException) {
                starts.came()
                throw error
            }
        }

        /** The meeting is over. */
        public fun stop(context: Context) {
            if (starts.over()) context.stopService(Intent(context, MeetingService::class.java))
        }
    }
}
