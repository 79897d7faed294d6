//! Sans-IO relay logic: who gets which object, cache, aggregation.
