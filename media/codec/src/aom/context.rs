//! The safe side of libaom's encoder interface.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;
use std::ptr;
use std::time::Duration;

use bytes::Bytes;
use libaom_sys as sys;

use crate::{Bitrate, Content, Plane, VideoEncoderConfig, VideoFrame};

/// An open encoder.
pub(super) struct Context {
    // Boxed: libaom may keep pointers into both.
    codec: Box<sys::aom_codec_ctx_t>,
    config: Box<sys::aom_codec_enc_cfg_t>,
}

// SAFETY: libaom ties an encoder to no thread; `&mut self` makes every call exclusive.
unsafe impl Send for Context {}

/// What libaom says about a call that failed.
#[derive(Debug, thiserror::Error)]
#[error("{call}: {reason}")]
pub(super) struct LibraryError {
    call: &'static str,
    reason: String,
}

/// An encoded frame.
pub(super) struct Packet {
    pub(super) key: bool,
    pub(super) data: Bytes,
}

impl Context {
    pub(super) fn open(wanted: &VideoEncoderConfig) -> Result<Self, LibraryError> {
        let config = Box::new(real_time_config(wanted)?);
        let mut codec = Box::new(MaybeUninit::<sys::aom_codec_ctx_t>::zeroed());
        // SAFETY: all three pointers are valid for the call; libaom fills the context, for which
        // zeroed memory is the documented start.
        let status = unsafe {
            sys::aom_codec_enc_init_ver(
                codec.as_mut_ptr(),
                sys::aom_codec_av1_cx(),
                &raw const *config,
                0,
                sys::AOM_ENCODER_ABI_VERSION.cast_signed(),
            )
        };
        // A failed init needs no destroy.
        check("open", status)?;
        // SAFETY: zeroed memory is a valid context (pointers and integers), and init succeeded.
        let codec = unsafe { codec.assume_init() };
        let mut context = Self { codec, config };
        for &(control, value) in CONTROLS {
            context.control(control, value)?;
        }
        let screen = c_int::from(wanted.content == Content::Screen);
        let parallel = c_int::from(wanted.threads > 1);
        context.control(sys::AV1E_SET_TUNE_CONTENT, screen)?;
        context.control(sys::AV1E_SET_ENABLE_PALETTE, screen)?;
        context.control(sys::AV1E_SET_ROW_MT, parallel)?;
        context.control(sys::AV1E_SET_TILE_COLUMNS, parallel)?;
        Ok(context)
    }

    /// pts: microseconds, increasing.
    pub(super) fn encode(
        &mut self,
        frame: &VideoFrame,
        pts: i64,
        duration: Duration,
        force_key: bool,
    ) -> Result<Vec<Packet>, LibraryError> {
        let image = image_of(frame)?;
        let flags = if force_key {
            sys::AOM_EFLAG_FORCE_KF
        } else {
            0
        };
        let duration = duration.as_micros().clamp(1, u128::from(u32::MAX));
        // SAFETY: the context is open; the image points into `frame`, which outlives the call, and
        // libaom copies the pixels (with denoising off it does not write to them).
        let status = unsafe {
            sys::aom_codec_encode(
                &raw mut *self.codec,
                &raw const image,
                pts,
                duration as _,
                flags.into(),
            )
        };
        check("encode", status).map_err(|error| self.with_detail(error))?;
        Ok(self.packets())
    }

    pub(super) fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), LibraryError> {
        self.config.rc_target_bitrate = bitrate.as_kbps();
        // SAFETY: the context is open and the configuration is the one it was opened with, but for
        // the bitrate.
        let status =
            unsafe { sys::aom_codec_enc_config_set(&raw mut *self.codec, &raw const *self.config) };
        check("set bitrate", status).map_err(|error| self.with_detail(error))
    }

    fn packets(&mut self) -> Vec<Packet> {
        let mut packets = Vec::new();
        let mut cursor = ptr::null();
        loop {
            // SAFETY: the context is open; the cursor starts null and is only passed back.
            let packet =
                unsafe { sys::aom_codec_get_cx_data(&raw mut *self.codec, &raw mut cursor) };
            // SAFETY: a packet is valid until the next call on the context, and null ends the list.
            let Some(packet) = (unsafe { packet.as_ref() }) else {
                break;
            };
            if packet.kind != sys::AOM_CODEC_CX_FRAME_PKT {
                continue;
            }
            // SAFETY: this kind of packet holds a frame.
            let frame = unsafe { packet.data.frame };
            if frame.buf.is_null() || frame.sz == 0 {
                continue;
            }
            // SAFETY: libaom gives the buffer with its length; it is valid until the next call.
            let data = unsafe { std::slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz) };
            packets.push(Packet {
                key: frame.flags & sys::AOM_FRAME_IS_KEY != 0,
                data: Bytes::copy_from_slice(data),
            });
        }
        packets
    }

    /// Sets one of the controls that take an integer, as all of ours do.
    fn control(
        &mut self,
        control: sys::aome_enc_control_id,
        value: c_int,
    ) -> Result<(), LibraryError> {
        // SAFETY: the context is open; the controls named in this file take one int by value.
        let status =
            unsafe { sys::aom_codec_control(&raw mut *self.codec, control.cast_signed(), value) };
        check("control", status).map_err(|mut error| {
            error.reason = format!("{control} = {value}: {}", error.reason);
            self.with_detail(error)
        })
    }

    fn with_detail(&self, mut error: LibraryError) -> LibraryError {
        // SAFETY: the context is open; the answer is null or a C string that lives as long.
        let detail = unsafe {
            let detail = sys::aom_codec_error_detail(&raw const *self.codec);
            (!detail.is_null()).then(|| CStr::from_ptr(detail))
        };
        if let Some(detail) = detail {
            error.reason = format!("{} ({})", error.reason, detail.to_string_lossy());
        }
        error
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context is open, and nothing uses it afterwards.
        unsafe { sys::aom_codec_destroy(&raw mut *self.codec) };
    }
}

/// Constant bitrate, no lookahead, key frames on request only.
fn real_time_config(wanted: &VideoEncoderConfig) -> Result<sys::aom_codec_enc_cfg_t, LibraryError> {
    let mut config = MaybeUninit::zeroed();
    // SAFETY: libaom fills the whole configuration.
    let status = unsafe {
        sys::aom_codec_enc_config_default(
            sys::aom_codec_av1_cx(),
            config.as_mut_ptr(),
            sys::AOM_USAGE_REALTIME,
        )
    };
    check("default configuration", status)?;
    // SAFETY: the call succeeded.
    let mut config: sys::aom_codec_enc_cfg_t = unsafe { config.assume_init() };
    config.g_w = wanted.width;
    config.g_h = wanted.height;
    config.g_threads = wanted.threads.clamp(1, 16);
    config.g_timebase.num = 1;
    config.g_timebase.den = 1_000_000;
    config.g_lag_in_frames = 0;
    config.g_error_resilient = 0;
    config.kf_mode = sys::AOM_KF_DISABLED;
    config.rc_end_usage = sys::AOM_CBR;
    config.rc_target_bitrate = wanted.bitrate.as_kbps();
    config.rc_min_quantizer = 2;
    config.rc_max_quantizer = 58;
    config.rc_undershoot_pct = 50;
    config.rc_overshoot_pct = 50;
    config.rc_buf_sz = 1000;
    config.rc_buf_initial_sz = 600;
    config.rc_buf_optimal_sz = 600;
    config.rc_dropframe_thresh = 0;
    Ok(config)
}

fn image_of(frame: &VideoFrame) -> Result<sys::aom_image_t, LibraryError> {
    let mut image = MaybeUninit::<sys::aom_image_t>::zeroed();
    // SAFETY: the descriptor is ours; libaom only notes the pixel pointer here.
    let wrapped = unsafe {
        sys::aom_img_wrap(
            image.as_mut_ptr(),
            sys::AOM_IMG_FMT_I420,
            frame.width(),
            frame.height(),
            1,
            frame.plane(Plane::Y).as_ptr().cast_mut(),
        )
    };
    if wrapped.is_null() {
        return Err(LibraryError {
            call: "wrap image",
            reason: format!("{}x{}", frame.width(), frame.height()),
        });
    }
    // SAFETY: zeroed memory is a valid descriptor, and the call filled it.
    let mut image = unsafe { image.assume_init() };
    for (index, plane) in Plane::ALL.into_iter().enumerate() {
        image.planes[index] = frame.plane(plane).as_ptr().cast_mut();
        image.stride[index] = c_int::try_from(frame.stride(plane)).map_err(|_| LibraryError {
            call: "wrap image",
            reason: "the stride is too long".to_owned(),
        })?;
    }
    Ok(image)
}

fn check(call: &'static str, status: sys::aom_codec_err_t) -> Result<(), LibraryError> {
    if status == sys::AOM_CODEC_OK {
        return Ok(());
    }
    // SAFETY: libaom answers any status with a static C string.
    let reason = unsafe { CStr::from_ptr(sys::aom_codec_err_to_string(status)) };
    Err(LibraryError {
        call,
        reason: reason.to_string_lossy().into_owned(),
    })
}

/// The tools that pay for themselves in real time; the others cost more than they save.
const CONTROLS: &[(sys::aome_enc_control_id, c_int)] = &[
    (sys::AOME_SET_CPUUSED, 10),
    (sys::AOME_SET_MAX_INTRA_BITRATE_PCT, 300),
    (sys::AV1E_SET_AQ_MODE, 3),
    (sys::AV1E_SET_ENABLE_CDEF, 1),
    (sys::AV1E_SET_COEFF_COST_UPD_FREQ, 3),
    (sys::AV1E_SET_MODE_COST_UPD_FREQ, 3),
    (sys::AV1E_SET_MV_COST_UPD_FREQ, 3),
    (sys::AV1E_SET_INTRA_DEFAULT_TX_ONLY, 1),
    (sys::AV1E_SET_DELTAQ_MODE, 0),
    (sys::AV1E_SET_ENABLE_TPL_MODEL, 0),
    (sys::AV1E_SET_ENABLE_ORDER_HINT, 0),
    (sys::AV1E_SET_ENABLE_OBMC, 0),
    (sys::AV1E_SET_ENABLE_WARPED_MOTION, 0),
    (sys::AV1E_SET_ENABLE_GLOBAL_MOTION, 0),
    (sys::AV1E_SET_ENABLE_REF_FRAME_MVS, 0),
    (sys::AV1E_SET_ENABLE_CFL_INTRA, 0),
    (sys::AV1E_SET_ENABLE_SMOOTH_INTRA, 0),
    (sys::AV1E_SET_ENABLE_ANGLE_DELTA, 0),
    (sys::AV1E_SET_ENABLE_FILTER_INTRA, 0),
    (sys::AV1E_SET_ENABLE_RESTORATION, 0),
    (sys::AV1E_SET_NOISE_SENSITIVITY, 0),
];
