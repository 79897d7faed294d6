//! libdav1d's settings, with its log turned off: it writes to standard error for each damaged
//! packet, so that a peer could fill a disk. The crate dav1d has no option for it.

#![allow(unsafe_code)]

use std::ptr;

use dav1d_sys::Dav1dSettings;

/// The library's defaults without a log.
pub(super) fn quiet_settings() -> ::dav1d::Settings {
    let mut settings = ::dav1d::Settings::new();
    // The crate's type is a wrapper of one field. Both the size, above, and a value written through
    // the front and read through the back, here, tell that this is still so.
    settings.set_frame_size_limit(MARK);
    let inner: *mut Dav1dSettings = (&raw mut settings).cast();
    // SAFETY: the sizes are equal, so `inner` is valid for reads and writes of this plain data, and
    // null is how libdav1d is told to have no log.
    unsafe {
        if (*inner).frame_size_limit == MARK {
            (*inner).logger.callback = ptr::null_mut();
        }
    }
    settings.set_frame_size_limit(0);
    settings
}

const MARK: u32 = 0x5eed_cafe;
const _: () = assert!(
    size_of::<::dav1d::Settings>() == size_of::<Dav1dSettings>()
        && align_of::<::dav1d::Settings>() == align_of::<Dav1dSettings>()
);
