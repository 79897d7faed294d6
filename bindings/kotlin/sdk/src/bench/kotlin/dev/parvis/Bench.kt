package dev.parvis

import dev.parvis.ffi.BenchSink
import dev.parvis.ffi.benchBytes
import dev.parvis.ffi.benchCall
import dev.parvis.ffi.benchCallback
import java.nio.ByteBuffer
import kotlin.math.roundToInt

/** What calls over the boundary cost on this machine, against what is wanted: `ok|short ROW FIGURE TARGET`. */
fun main() {
    Library.load()
    val bytes = ByteBuffer.allocateDirect(100_000)
    val sink =
        object : BenchSink {
            override fun take(frame: dev.parvis.ffi.VideoFrame) = frame.close()
        }
    row("call-without-payload-us", 26.0, best { time(20_000) { benchCall(3) } })
    row("100-KB-in-as-a-slice-us", 14.0, best { time(20_000) { benchBytes(bytes) } })
    row("callback-with-a-handle-us", 13.0, best { benchCallback(sink, 20_000) / 1000.0 })
}

/** A figure may be a fifth above its target: machines differ. */
private fun row(name: String, target: Double, figure: Double) {
    val word = if (figure <= target * 1.2) "ok" else "short"
    println("%-5s %-26s %7.1f %7.1f".format(word, name, (figure * 10).roundToInt() / 10.0, target))
}

/** The best of five rounds, after one to get warm. */
private fun best(round: () -> Double): Double {
    round()
    return (1..5).minOf { round() }
}

/** Microseconds a call. */
private inline fun time(calls: Int, call: () -> Unit): Double {
    val started = System.nanoTime()
    repeat(calls) { call() }
    return (System.nanoTime() - started) / 1000.0 / calls
}
