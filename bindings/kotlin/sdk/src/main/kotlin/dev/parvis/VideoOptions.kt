package dev.parvis

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * How a camera or a screen is published.
 *
 * @property width the width of what is pushed, after its rotation, pixels
 * @property height its height
 * @property frameRate pictures a second; 0: 30 of a camera, 15 of a screen
 * @property maxHeight the most lines that are sent; 0: 720 of a camera, 1080 of a screen
 * @property layers each is encoded only while somebody watches it; empty: the largest that [maxHeight] allows, and halves of it
 * @property encoder which built-in encoder, where the app has none; null: libaom
 * @property keyInterval the longest time between key frames; others come when a subscriber needs one
 */
public data class VideoOptions(
    val width: Int,
    val height: Int,
    val frameRate: Int = 0,
    val maxHeight: Int = 0,
    val layers: List<VideoLayer> = emptyList(),
    val encoder: VideoEncoderChoice? = null,
    val keyInterval: Duration = 4.seconds,
) {
    internal fun lower(): dev.parvis.ffi.VideoOptions =
        dev.parvis.ffi.VideoOptions(
            width,
            height,
            frameRate,
            maxHeight,
            layers,
            encoder,
            keyInterval.inWholeMilliseconds,
        )
}

/** One encoding of a picture source: a track of its own, of the source's size halved so often. */
public typealias VideoLayer = dev.parvis.ffi.VideoLayer

/** Implementations of video encoders. */
public typealias VideoEncoderChoice = dev.parvis.ffi.VideoEncoderChoice
