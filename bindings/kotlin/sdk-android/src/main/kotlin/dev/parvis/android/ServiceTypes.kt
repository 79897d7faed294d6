package dev.parvis.android

import android.Manifest
import android.content.pm.ServiceInfo

/** What the service does while these devices are in use, as Android names it. */
internal fun types(microphone: Boolean, camera: Boolean, screen: Boolean): Int {
    var types = ServiceInfo.FOREGROUND_SERVICE_TYPE_MEDIA_PLAYBACK
    if (microphone) types = types or ServiceInfo.FOREGROUND_SERVICE_TYPE_MICROPHONE
    if (camera) types = types or ServiceInfo.FOREGROUND_SERVICE_TYPE_CAMERA
    if (screen) types = types or ServiceInfo.FOREGROUND_SERVICE_TYPE_MEDIA_PROJECTION
    return types
}

/** What can be wanted of Android: no device that the user has not allowed, and those that there were, which do not come back in the background. */
internal fun types(wanted: Int, had: Int, isGranted: (String) -> Boolean): Int {
    var types = wanted or (had and WHILE_SEEN)
    if (!isGranted(Manifest.permission.RECORD_AUDIO)) types = types and ServiceInfo.FOREGROUND_SERVICE_TYPE_MICROPHONE.inv()
    if (!isGranted(Manifest.permission.CAMERA)) types = types and ServiceInfo.FOREGROUND_SERVICE_TYPE_CAMERA.inv()
    return types
}

/** What is wanted, else what there was, else sound alone. */
internal fun choices(wanted: Int, had: Int): List<Int> {
    val sound = ServiceInfo.FOREGROUND_SERVICE_TYPE_MEDIA_PLAYBACK
    return listOf(wanted, had and WHILE_SEEN or sound, sound).distinct()
}

/** The first of them that is not refused, once it was entered; 0: none. */
internal fun firstAllowed(choices: List<Int>, enter: (Int) -> Unit): Int =
    choices.firstOrNull { types ->
        try {
            enter(types)
            true
        } catch (_: SecurityException) {
            false
        }
    } ?: 0

/** What an app that is seen may begin, and go on with when it is seen no more. */
private const val WHILE_SEEN = ServiceInfo.FOREGROUND_SERVICE_TYPE_MICROPHONE or ServiceInfo.FOREGROUND_SERVICE_TYPE_CAMERA

/** Which starts of the service are under way: one that is stopped before it came to the foreground takes the app with it. */
internal class Starts {
    private var underWay = 0
    private var isOver = false

    /** It is started. */
    @Synchronized
    fun asked() {
        underWay += 1
        isOver = false
    }

    /** It is to be stopped; true: now, false: [came] says so. */
    @Synchronized
    fun over(): Boolean {
        isOver = true
        return underWay == 0
    }

    /** A start came to the foreground, or did not come to be; whether it is to be stopped now. */
    @Synchronized
    fun came(): Boolean {
        underWay -= 1
        return isOver && underWay == 0
    }
}
