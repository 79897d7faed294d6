package dev.parvis

import java.nio.ByteBuffer

/**
 * Video codecs of the platform, such as a phone's hardware: tried before the built-in ones.
 *
 * Which codec works on a track, and why it is not the app's, is told by [MeetingEvent.Codec], [LocalStats.codec] and
 * [RemotePicture.codec].
 *
 * @property videoEncoders makes encoders
 * @property videoDecoders makes decoders
 */
public data class Codecs(
    val videoEncoders: VideoEncoderFactory? = null,
    val videoDecoders: VideoDecoderFactory? = null,
)

/** Makes the app's own video encoders. */
public fun interface VideoEncoderFactory {
    /**
     * An encoder for this, whose packets go to [sink]; null: there is none, and the built-in one takes its place, as it does
     * where this throws.
     *
     * It is called where a camera or screen is turned on, once for each layer, and must not wait for that thread.
     */
    public fun create(config: VideoEncoderConfig, sink: EncodedSink): VideoEncoder?
}

/** The app's own video encoder, called by one thread at a time; what [encode] throws has the built-in one take its place. */
public interface VideoEncoder {
    /** What it can do; asked once, after it was made. */
    public val caps: VideoEncoderCaps

    /**
     * Takes a picture of the configured size, to be closed. Its packet goes to the sink, now or later, from any thread, with
     * the picture's time.
     *
     * @param key whether it has to be a key frame
     */
    public fun encode(frame: VideoFrame, key: Boolean)

    /** Changes the target, bits a second, without a key frame; where it throws the old one stays, and it is asked again. */
    public fun setBitrate(bitrate: Int)

    /** Puts what it holds back in the sink; no picture follows. Where it throws that is lost. */
    public fun flush()

    /** Frees what it has: nothing follows, and what its sink is given is thrown away. */
    public fun release()
}

/** Makes the app's own video decoders. */
public fun interface VideoDecoderFactory {
    /**
     * A decoder for this stream, whose pictures go to [sink]; null: there is none, and the built-in one takes its place where
     * it can, as it does where this throws.
     *
     * It is called where a picture is first received, and must not wait for that thread.
     */
    public fun create(stream: VideoParams, sink: PictureSink): VideoDecoder?
}

/** The app's own video decoder, called by one thread at a time. */
public interface VideoDecoder {
    /** What it can do; asked once, after it was made. */
    public val caps: VideoDecoderCaps

    /**
     * Takes a frame, to be closed; the first one, and the first after [reset] and after a failure, is a key frame. Its
     * picture goes to the sink, now or later, from any thread, with the frame's time.
     *
     * A [ParvisException] of `ErrorKind.BAD_FRAME` says that the frame is damaged; anything else that is thrown, or three of
     * those in a row, has the built-in decoder take its place where it can.
     */
    public fun decode(frame: EncodedFrame)

    /** Forgets every reference: frames are missing before the next one. What it throws changes nothing. */
    public fun reset()

    /** Puts what it holds back in the sink. Where it throws that is lost. */
    public fun flush()

    /** Frees what it has: nothing follows, and what its sink is given is thrown away. */
    public fun release()
}

/** Where the app's own encoder puts its packets, from any thread. */
public class EncodedSink internal constructor(private val native: dev.parvis.ffi.EncodedSink) {
    /**
     * Puts a packet, each in its order; never waits.
     *
     * @param payload a direct buffer, from its position on; it is copied once
     * @param timestampUs of its picture
     * @param key whether it needs no earlier packet
     * @param temporalId its temporal layer, 0 the base
     */
    public fun push(payload: ByteBuffer, timestampUs: Long, key: Boolean, temporalId: Int = 0): Unit =
        lend(payload) { native.push(it, timestampUs, key, temporalId) }

    /** Says that the encoder is of no use any more, and why: the built-in one takes its place. */
    public fun fail(reason: String): Unit = inLibrary { native.fail(reason) }
}

/** Where the app's own decoder puts its pictures, from any thread. */
public class PictureSink internal constructor(private val native: dev.parvis.ffi.PictureSink) {
    /** Puts a picture, each in its order; never waits. Its time is that of its frame. */
    public fun push(picture: Picture): Unit = picture.lend(native::pushI420)

    /** Says that the decoder is of no use any more, and why: the built-in one takes its place where it can. */
    public fun fail(reason: String): Unit = inLibrary { native.fail(reason) }
}

internal fun Codecs.lower(): dev.parvis.ffi.Codecs =
    dev.parvis.ffi.Codecs(videoEncoders?.let(::ForeignEncoders), videoDecoders?.let(::ForeignDecoders))

private class ForeignEncoders(private val factory: VideoEncoderFactory) : dev.parvis.ffi.VideoEncoderFactory {
    override fun create(
        config: VideoEncoderConfig,
        sink: dev.parvis.ffi.EncodedSink,
    ): dev.parvis.ffi.VideoEncoder? = foreign { factory.create(config, EncodedSink(sink))?.let(::ForeignEncoder) }
}

private class ForeignEncoder(private val encoder: VideoEncoder) : dev.parvis.ffi.VideoEncoder {
    override fun caps() = foreign { encoder.caps }

    override fun encode(frame: dev.parvis.ffi.VideoFrame, key: Boolean) = handed(frame) {
        encoder.encode(VideoFrame(frame), key)
    }

    override fun setBitrate(bitrate: Int) = foreign { encoder.setBitrate(bitrate) }

    override fun flush() = foreign { encoder.flush() }

    override fun release() = foreign { encoder.release() }
}

private class ForeignDecoders(private val factory: VideoDecoderFactory) : dev.parvis.ffi.VideoDecoderFactory {
    override fun create(
        stream: VideoParams,
        sink: dev.parvis.ffi.PictureSink,
    ): dev.parvis.ffi.VideoDecoder? = foreign { factory.create(stream, PictureSink(sink))?.let(::ForeignDecoder) }
}

private class ForeignDecoder(private val decoder: VideoDecoder) : dev.parvis.ffi.VideoDecoder {
    override fun caps() = foreign { decoder.caps }

    override fun decode(frame: dev.parvis.ffi.EncodedFrame) = handed(frame) { decoder.decode(EncodedFrame(frame)) }

    override fun reset() = foreign { decoder.reset() }

    override fun flush() = foreign { decoder.flush() }

    override fun release() = foreign { decoder.release() }
}

/** Hands over what the app closes, unless it fails. */
private inline fun handed(frame: AutoCloseable, call: () -> Unit) =
    foreign {
        try {
            call()
        } catch (error: Throwable) {
            frame.close()
            throw error
        }
    }
