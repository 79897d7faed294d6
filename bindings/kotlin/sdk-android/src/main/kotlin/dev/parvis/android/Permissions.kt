package dev.parvis.android

import android.content.Context
import android.content.pm.PackageManager
import dev.parvis.ErrorKind
import dev.parvis.ParvisException

/** Throws [ErrorKind.PERMISSION_DENIED] unless the app has been granted it: the app asks for it before. */
internal fun Context.require(permission: String, what: String) {
    if (checkSelfPermission(permission) != PackageManager.PERMISSION_GRANTED) {
        throw ParvisException(ErrorKind.PERMISSION_DENIED, "the app may not use the $what: $permission is not granted")
    }
}
