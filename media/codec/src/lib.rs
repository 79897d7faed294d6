//! AV1 and Opus encoders and decoders behind traits.
