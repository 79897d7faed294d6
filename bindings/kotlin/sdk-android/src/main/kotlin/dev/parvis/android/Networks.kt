package dev.parvis.android

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import dev.parvis.ErrorKind
import dev.parvis.Meeting
import dev.parvis.ParvisException
import dev.parvis.Phase
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.takeWhile
import kotlinx.coroutines.launch

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

internal suspend fun Meeting.follow(changes: Flow<*>): Unit = follow(changes, state.map { it.phase is Phase.Disconnected }, ::rebind)

/** Rebinds at each change until it is over, whether or not anything changes after that. */
internal suspend fun follow(changes: Flow<*>, isOver: Flow<Boolean>, rebind: suspend () -> Unit): Unit =
    coroutineScope {
        val following = launch { changes.takeWhile { tryRebind(rebind) }.collect() }
        val ending = launch {
            isOver.first { it }
            following.cancel()
        }
        following.join()
        ending.cancel()
    }

/** Whether there may be another time; where the connection is being made anew, it has a new socket anyway. */
internal suspend fun tryRebind(rebind: suspend () -> Unit): Boolean =
    try {
        rebind()
        true
    } catch (error: ParvisException) {
        error.kind != ErrorKind.LEFT
    }
