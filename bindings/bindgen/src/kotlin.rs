//! Frees what a call of Kotlin's has made when its caller was cancelled at the very end.
//!
//! uniffi 0.32 drops the answer of a future that is ready and not asked for any more, which is a number, and with it the
//! last that knew of an object: a meeting would go on for ever with nobody in it.

use anyhow::{Context, ensure};
use camino::Utf8Path;

const TAKEN: &str = "        return liftFunc(
            uniffiRustCallWithError(errorHandler, { status -> completeFunc(rustFuture, status) })
        )
    } finally {
";
const FREED: &str = "        return liftFunc(
            uniffiRustCallWithError(errorHandler, { status -> completeFunc(rustFuture, status) })
        )
    } catch (cancelled: kotlinx.coroutines.CancellationException) {
        val status = UniffiRustCallStatus()
        val answer = completeFunc(rustFuture, status)
        if (status.isSuccess()) Disposable.destroy(liftFunc(answer))
        if (status.isError() || status.isPanic()) RustBuffer.free(status.error_buf)
        throw cancelled
    } finally {
";

/// Changes the generated file; fails where it is not as expected, as after an update of uniffi.
pub(crate) fn free_answers(out: &Utf8Path) -> anyhow::Result<()> {
    let file = out.join("dev/parvis/ffi/parvis_ffi.kt");
    let generated = std::fs::read_to_string(&file).with_context(|| file.to_string())?;
    let times = generated.matches(TAKEN).count();
    ensure!(
        times == 1,
        "{file} waits for answers in {times} places, not in one"
    );
    std::fs::write(&file, generated.replace(TAKEN, FREED)).with_context(|| file.to_string())
}
