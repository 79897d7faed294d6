#!/usr/bin/env python3
"""forward_cancellation.py FILE: makes the async functions of a Swift file that uniffi generated cancellable.

uniffi 0.32 generates Kotlin whose cancellation reaches Rust, and Swift whose cancellation does not, though the library
has the function for it. This adds the call: a task that is cancelled drops its Rust future and throws
CancellationError. Functions that cannot throw go on to their end. It fails where the file is not as expected, as after
an update of uniffi.
"""

import re
import sys

LOOP = """    var pollResult: Int8;
    repeat {
        pollResult = await withUnsafeContinuation {
            pollFunc(
                rustFuture,
                { handle, pollResult in
                    uniffiFutureContinuationCallback(handle: handle, pollResult: pollResult)
                },
                uniffiContinuationHandleMap.insert(obj: $0)
            )
        }
    } while pollResult != UNIFFI_RUST_FUTURE_POLL_READY
"""
CANCELLABLE_LOOP = """    let throwsErrors = errorHandler != nil
    await withTaskCancellationHandler {
        var pollResult: Int8
        repeat {
            pollResult = await withUnsafeContinuation {
                pollFunc(
                    rustFuture,
                    { handle, pollResult in
                        uniffiFutureContinuationCallback(handle: handle, pollResult: pollResult)
                    },
                    uniffiContinuationHandleMap.insert(obj: $0)
                )
            }
        } while pollResult != UNIFFI_RUST_FUTURE_POLL_READY
    } onCancel: {
        // The handler runs, if at all, before the future is freed.
        if throwsErrors { cancelFunc(rustFuture) }
    }
"""
PARAMETER = "    freeFunc: (UInt64) -> (),\n"
CANCELLED = 'fatalError("Cancellation not supported yet")'
ASYNC = re.compile(r"await uniffiRustCallAsync\(")
CALL = re.compile(r"freeFunc: (ffi_\w+_rust_future)_free_(\w+),")


def once(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        sys.exit(f"forward_cancellation: {text.count(old)} times instead of once in the generated file:\n{old}")
    return text.replace(old, new)


def main() -> None:
    path = sys.argv[1]
    with open(path, encoding="utf-8") as file:
        text = file.read()
    calls = len(CALL.findall(text))
    if calls == 0 or calls != len(ASYNC.findall(text)):
        sys.exit(f"forward_cancellation: {calls} calls with freeFunc are not all calls of async functions")
    text = once(text, PARAMETER, "    cancelFunc: @escaping @Sendable (UInt64) -> (),\n" + PARAMETER)
    text = once(text, LOOP, CANCELLABLE_LOOP)
    text = once(text, CANCELLED, "throw CancellationError()")
    text = CALL.sub(r"cancelFunc: { \1_cancel_\2($0) },\n            \g<0>", text)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
