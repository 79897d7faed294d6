package dev.parvis.app

import dev.parvis.Done
import dev.parvis.Emoji
import dev.parvis.HistoryPage
import dev.parvis.JoinOptions
import dev.parvis.MeetingEvent
import dev.parvis.MeetingState
import dev.parvis.Pending
import dev.parvis.Receive
import dev.parvis.Source
import dev.parvis.Target
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow

/** What the app uses of a meeting: [SdkCall] is the SDK's, and tests have their own. */
interface Call : AutoCloseable {
    /** What is known now, and whenever it is another. */
    val state: StateFlow<MeetingState>

    /** What happens from this call on. */
    fun events(): Flow<MeetingEvent>

    /** Knocks again. */
    suspend fun knock()

    /** Writes to everybody; what is shown until the message is there. */
    suspend fun chatPending(text: String): Pending

    /** Messages of the past, newest first. */
    suspend fun history(before: Long?, count: Int): HistoryPage

    /** Raises one's own hand. */
    suspend fun raiseHand()

    /** Lowers one's own hand. */
    suspend fun lowerHand()

    /** Shows a reaction. */
    suspend fun react(emoji: Emoji)

    /** Lets people in who wait, and says how many wait still. */
    suspend fun admit(who: Target): Done

    /** Sends people away who wait. */
    suspend fun deny(who: Target)

    /** Stops somebody's microphone. */
    suspend fun mute(who: Target)

    /** Removes somebody. */
    suspend fun remove(who: String)

    /** Ends the meeting for everybody. */
    suspend fun endForAll()

    /** Receives all pictures, or sound alone. */
    suspend fun setReceive(receive: Receive)

    /** Opens a device and publishes what it gives. */
    suspend fun open(source: Source): LocalTrack

    /** Leaves, and returns when nothing of the meeting runs. */
    suspend fun leave()
}

/** A device that is published. */
interface LocalTrack {
    /** Captures nothing, and stays announced. */
    suspend fun mute()

    /** Captures again. */
    suspend fun unmute()

    /** Turns it off, and returns once the device is closed. */
    suspend fun turnOff()
}

/** How the app gets into meetings. */
interface Calls {
    /** The code in a link, or the code itself, as people read it; throws where there is none. */
    fun roomCode(linkOrCode: String): String

    /** Joins; the state tells how it goes on. */
    suspend fun join(linkOrCode: String, options: JoinOptions): Call
}
