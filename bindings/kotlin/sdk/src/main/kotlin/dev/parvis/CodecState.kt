package dev.parvis

/**
 * The codec that works on a track.
 *
 * @property backend the implementation, as it calls itself
 * @property codec the codec string, as catalogs have it
 * @property fallback why the built-in one took the place of the app's; null: it did not
 */
public data class CodecInUse(
    val backend: String,
    val codec: String,
    val fallback: CodecFallback?,
) {
    internal companion object {
        fun lift(inUse: dev.parvis.ffi.CodecInUse): CodecInUse =
            CodecInUse(inUse.backend, inUse.codec, inUse.fallback?.lift())
    }
}

/** Why the app's codec is not used. */
public sealed interface CodecFallback {
    /** The app has none for this. */
    public data object NotOffered : CodecFallback

    /** It did not open; the reason is one line for developers. */
    public data class NotOpened(val reason: String) : CodecFallback

    /** It failed while it worked. */
    public data class Failed(val reason: String) : CodecFallback

    /** What a newer library tells. */
    public data object Unknown : CodecFallback
}

/** How it stands with a track's codec. */
public sealed interface CodecState {
    /** This one works. */
    public data class InUse(val codec: CodecInUse) : CodecState

    /**
     * Nobody here decodes the track, or nobody does any more.
     *
     * @property codec the codec string of its catalog
     * @property fallback why the app's decoder is not used; null: it has no decoders
     */
    public data class NoDecoder(val codec: String, val fallback: CodecFallback?) : CodecState

    /** What a newer library tells. */
    public data object Unknown : CodecState
}

private fun dev.parvis.ffi.CodecFallback.lift(): CodecFallback =
    when (this) {
        is dev.parvis.ffi.CodecFallback.NotOffered -> CodecFallback.NotOffered
        is dev.parvis.ffi.CodecFallback.NotOpened -> CodecFallback.NotOpened(reason)
        is dev.parvis.ffi.CodecFallback.Failed -> CodecFallback.Failed(reason)
        is dev.parvis.ffi.CodecFallback.Unknown -> CodecFallback.Unknown
    }

internal fun dev.parvis.ffi.CodecState.lift(): CodecState =
    when (this) {
        is dev.parvis.ffi.CodecState.InUse -> CodecState.InUse(CodecInUse.lift(codec))
        is dev.parvis.ffi.CodecState.NoDecoder -> CodecState.NoDecoder(codec, fallback?.lift())
        is dev.parvis.ffi.CodecState.Unknown -> CodecState.Unknown
    }
