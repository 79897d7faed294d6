//! What the boundary costs; in the library with the feature `bench` only.

use std::{sync::Arc, thread, time::Instant};

use parvis::{codec::VideoFrame as Picture, format::MediaTime};

use crate::{ErrorKind, ParvisError, VideoFrame, jvm, numbers::signed};

/// What is called back.
#[uniffi::export(foreign)]
pub trait BenchSink: Send + Sync {
    /// Takes a picture.
    fn take(&self, frame: Arc<VideoFrame>) -> Result<(), ParvisError>;
}

/// Does nothing.
#[uniffi::export]
pub fn bench_call(number: i64) -> i64 {
    number
}

/// Looks at both ends of what is lent.
#[uniffi::export]
pub fn bench_bytes(bytes: &[u8]) -> i64 {
    i64::from(bytes.first().copied().unwrap_or_default())
        + i64::from(bytes.last().copied().unwrap_or_default())
}

/// Hands over pictures from a thread of the library; returns nanoseconds a call.
#[uniffi::export]
pub fn bench_callback(sink: Arc<dyn BenchSink>, calls: i32) -> Result<i64, ParvisError> {
    let failed = |reason: String| ParvisError::new(ErrorKind::NoThread, reason);
    let picture = Picture::filled(320, 180, [0, 128, 128], MediaTime::ZERO);
    let picture = picture.map_err(|error| failed(error.to_string()))?;
    let calling = thread::Builder::new().spawn(move || {
        jvm::attach();
        let started = Instant::now();
        for _ in 0..calls {
            sink.take(Arc::new(VideoFrame::of(picture.clone())))?;
        }
        let each = started.elapsed().as_nanos() / u128::try_from(calls.max(1)).unwrap_or(1);
        Ok(signed(u64::try_from(each).unwrap_or(u64::MAX)))
    });
    let calling = calling.map_err(|error| failed(error.to_string()))?;
    let called = calling.join();
    called.unwrap_or_else(|_| Err(failed("the thread of the benchmark broke off".to_owned())))
}
