package dev.parvis.app.phone

import android.app.Application
import dev.parvis.android.MeetingService
import dev.parvis.app.R

/** Holds what outlives activities. */
class ParvisApplication : Application() {
    /** The models, and the call. */
    val phone: PhoneApp by lazy {
        PhoneApp(this) { code -> MeetingService.Words(code, getString(R.string.leave), R.drawable.meeting) }
    }
}
