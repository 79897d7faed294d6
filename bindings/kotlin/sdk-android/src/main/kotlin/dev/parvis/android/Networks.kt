package dev.parvis.android

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import dev.parvis.ErrorKind
import dev.parvis.Meeting
import dev.parvis.ParvisException
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.takeWhile

/**
 * The phone's networks, each when it takes the place of another: from Wi-Fi to mobile data and back.
 *
 * The network at the beginning is not among them. Needs `ACCESS_NETWORK_STATE`.
 */
public fun networkChanges(context: Context): Flow<Network> =
    callbackFlow {
        val networks = context.getSystemService(ConnectivityManager::class.java)
        var current = networks.activeNetwork
        val callback =
            object : ConnectivityManager.NetworkCallback() {
                override fun onAvailable(network: Network) {
                    if (network == current) return
                    current = network
                    trySend(network)
                }
            }
        networks.registerDefaultNetworkCallback(callback)
        awaitClose { networks.unregisterNetworkCallback(callback) }
    }.conflate()

/**
 * Has the meeting go over to each network that takes the place of another, until this is cancelled or the meeting is left.
 *
 * Needs `ACCESS_NETWORK_STATE`.
 */
public suspend fun Meeting.followNetworks(context: Context): Unit = follow(networkChanges(context))

internal suspend fun Meeting.follow(changes: Flow<*>) {
    changes.takeWhile { tryRebind(::rebind) }.collect()
}

/** Whether there may be another time; where the connection is being made anew, it has a new socket anyway. */
internal suspend fun tryRebind(rebind: suspend () -> Unit): Boolean =
    try {
        rebind()
        true
    } catch (error: ParvisException) {
        error.kind != ErrorKind.LEFT
    }
