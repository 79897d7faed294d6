//! Keeps threads of this library attached to the JVM: attaching at each call from it costs up to 290 µs.
#![allow(
    unsafe_code,
    reason = "the JVM is told of threads by a table of C functions"
)]

use std::{
    ffi::c_void,
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use jni_sys::{JNI_OK, JNI_VERSION_1_6, JavaVM, JavaVMAttachArgs, jint};

static VM: AtomicPtr<JavaVM> = AtomicPtr::new(ptr::null_mut());

/// The JVM calls this when `System.load` loads the library.
// SAFETY: no other library of a process exports what the JVM looks for in this one.
#[unsafe(no_mangle)]
pub extern "system" fn JNI_OnLoad(vm: *mut JavaVM, _reserved: *mut c_void) -> jint {
    VM.store(vm, Ordering::Release);
    JNI_VERSION_1_6
}

thread_local! {
    static ATTACHED: Attached = attach_thread();
}

/// Attaches this thread until it ends, as a daemon; does nothing where there is no JVM.
pub(crate) fn attach() {
    // A thread that ends calls nobody any more.
    let _ = ATTACHED.try_with(|_| {});
}

/// Detaches when its thread ends.
struct Attached(Option<ptr::NonNull<JavaVM>>);

fn attach_thread() -> Attached {
    let Some(vm) = ptr::NonNull::new(VM.load(Ordering::Acquire)) else {
        return Attached(None);
    };
    let mut environment: *mut c_void = ptr::null_mut();
    // SAFETY: `vm` came from the JVM, which lives as long as the process, and with it the table of functions
    // that it points to; a thread that is attached already is answered by the same environment.
    let is_attached = unsafe {
        let functions = &(**vm.as_ptr()).v1_4;
        let known = (functions.GetEnv)(vm.as_ptr(), &raw mut environment, JNI_VERSION_1_6);
        if known == JNI_OK {
            return Attached(None);
        }
        let mut arguments = JavaVMAttachArgs {
            version: JNI_VERSION_1_6,
            name: c"parvis".as_ptr().cast_mut(),
            group: ptr::null_mut(),
        };
        let arguments = (&raw mut arguments).cast();
        (functions.AttachCurrentThreadAsDaemon)(vm.as_ptr(), &raw mut environment, arguments)
    };
    Attached((is_attached == JNI_OK).then_some(vm))
}

impl Drop for Attached {
    fn drop(&mut self) {
        if let Some(vm) = self.0 {
            // SAFETY: as in `attach_thread`; this thread was attached there and runs no Java code now.
            unsafe { ((**vm.as_ptr()).v1_4.DetachCurrentThread)(vm.as_ptr()) };
        }
    }
}
