//! The one runtime of the library.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::OnceLock,
};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::{ErrorKind, ParvisError, jvm};

/// Threads that wait for networks; codecs have threads of their own.
const THREADS: usize = 2;

/// The runtime, started at the first call.
pub(crate) fn handle() -> Result<Handle, ParvisError> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("parvis")
            .enable_all()
            .on_thread_start(jvm::attach)
            .build()
            .map_err(|error| error.to_string())
    });
    match runtime {
        Ok(runtime) => Ok(runtime.handle().clone()),
        Err(reason) => Err(ParvisError::new(ErrorKind::NoThread, reason.clone())),
    }
}

/// Polls a future as a task of the runtime would be, on whatever thread asks; dropping it cancels it.
pub(crate) async fn within<F: Future>(handle: &Handle, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _entered = handle.enter();
        future.as_mut().poll(context)
    })
    .await
}

/// Frees what may need the runtime for that.
pub(crate) fn drop_within<T>(handle: &Handle, what: T) {
    let _entered = handle.enter();
    drop(what);
}
