package dev.parvis.android

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.conflate

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
