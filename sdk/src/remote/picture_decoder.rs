use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use parvis_codec::{CodecOutput, DecodeError, VideoFrame};
use parvis_format::{MediaTime, VideoParams};
use parvis_wire::Location;
use tokio::sync::mpsc;

use super::{DecodedVideo, RemoteCounters};
use crate::{
    CodecFallback, CodecInUse, CodecState, ParticipantName, SubscribeError, clock,
    codecs::OpenDecoder,
    engine::{Engine, RemoteFrame},
    temporal_subset::TemporalSubset,
};

/// The work of a video track's thread: packets in, pictures out, by the platform's decoder or,
/// where there is none or it fails, by the built-in one.
pub(super) struct PictureDecoder {
    participant: ParticipantName,
    track: String,
    stream: VideoParams,
    engine: Engine,
    open: OpenDecoder,
    output: Arc<Output>,
    /// Whether what the decoder puts out by itself is taken still.
    alive: Arc<AtomicBool>,
    in_use: Arc<Mutex<CodecInUse>>,
    /// Whether the decoder failed and nothing takes its place.
    undecodable: Arc<AtomicBool>,
    /// Pictures a second that are wanted, at most; 0: all.
    rate: Arc<AtomicU32>,
    subset: TemporalSubset,
    /// Packets in a row that the decoder took for damaged.
    damaged: u32,
    /// Packets since a key frame was asked for.
    asked_key: Option<u32>,
}

/// Where pictures go, whoever makes them.
struct Output {
    sink: mpsc::Sender<DecodedVideo>,
    counters: Arc<RemoteCounters>,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    /// Of packets whose picture has not come, the last few.
    packets: VecDeque<Packet>,
    /// Packets given since the last picture.
    waiting: u32,
    failed: Option<String>,
}

#[derive(Clone, Copy)]
struct Packet {
    time: MediaTime,
    location: Location,
    arrived: MediaTime,
    bytes: usize,
}

/// Packets whose pictures may be under way.
const UNDER_WAY: usize = 32;
/// A decoder that gives nothing for so many packets, beyond its delay, has failed.
const STALLED: u32 = 60;
/// So many damaged packets in a row are the decoder's own fault.
const DAMAGED: u32 = 3;
/// A key frame that does not come within so many packets is asked for again.
const AGAIN: u32 = 30;

impl PictureDecoder {
    pub(super) fn open(
        engine: &Engine,
        participant: &ParticipantName,
        track: &str,
        stream: &VideoParams,
        sink: mpsc::Sender<DecodedVideo>,
        counters: Arc<RemoteCounters>,
    ) -> Result<Self, SubscribeError> {
        let output = Arc::new(Output {
            sink,
            counters,
            progress: Mutex::default(),
        });
        let alive = Arc::new(AtomicBool::new(true));
        let end = codec_output(&output, &alive);
        let open = match engine.codecs().open_decoder(track, stream, end) {
            Ok(open) => open,
            Err(error) => {
                if let SubscribeError::NoDecoder {
                    codec, fallback, ..
                } = &error
                {
                    let (codec, fallback) = (codec.clone(), fallback.clone());
                    let state = CodecState::NoDecoder { codec, fallback };
                    engine.codecs().report(Some(participant), track, state);
                }
                return Err(error);
            }
        };
        let in_use = Arc::new(Mutex::new(open.in_use.clone()));
        let decoder = Self {
            participant: participant.clone(),
            track: track.to_owned(),
            stream: stream.clone(),
            engine: engine.clone(),
            open,
            output,
            alive,
            in_use,
            undecodable: Arc::default(),
            rate: Arc::default(),
            subset: TemporalSubset::default(),
            damaged: 0,
            asked_key: None,
        };
        decoder.report(CodecState::InUse(decoder.open.in_use.clone()));
        Ok(decoder)
    }

    /// The decoder at work, also later.
    pub(super) fn in_use(&self) -> Arc<Mutex<CodecInUse>> {
        Arc::clone(&self.in_use)
    }

    /// Whether it has ended since nothing here decodes the track any more.
    pub(super) fn undecodable(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.undecodable)
    }

    /// How many pictures a second are wanted, at most; 0: all.
    pub(super) fn rate(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.rate)
    }

    pub(super) fn run(mut self, mut frames: mpsc::Receiver<RemoteFrame>, ask_key: impl Fn()) {
        while let Some(received) = frames.blocking_recv() {
            if let Some(reason) = self.failure()
                && !self.replace(reason)
            {
                break;
            }
            if received.gap > 0 {
                self.open.decoder.reset();
            }
            let rate = self.rate.load(Ordering::Relaxed);
            self.subset.set_rate((rate > 0).then_some(rate));
            if !self.subset.admits(&received.frame) {
                continue;
            }
            let mut decoded = self.decode(&received);
            if let Err(error) = &decoded
                && self.open.is_platforms
                && self.is_its_fault(error)
            {
                if !self.replace(error.to_string()) {
                    break;
                }
                decoded = self.decode(&received);
            }
            if let Err(error) = decoded {
                tracing::debug!(location = %received.location, %error, "a frame does not decode");
                self.output.counters.count_undecodable();
            }
            self.ask_for_key(&ask_key);
            if self.output.sink.is_closed() {
                break;
            }
        }
        self.alive.store(false, Ordering::Release);
    }

    fn decode(&mut self, received: &RemoteFrame) -> Result<(), DecodeError> {
        let frame = &received.frame;
        {
            let mut progress = self.output.progress();
            if progress.packets.len() >= UNDER_WAY {
                progress.packets.pop_front();
            }
            progress.packets.push_back(Packet {
                time: frame.time,
                location: received.location,
                arrived: received.arrived,
                bytes: frame.payload.len(),
            });
            progress.waiting += 1;
        }
        let pictures = self.open.decoder.decode(frame).inspect_err(|_| {
            let mut progress = self.output.progress();
            progress.waiting = progress.waiting.saturating_sub(1);
            progress.packets.pop_back();
        })?;
        for picture in pictures {
            self.output.take(picture);
        }
        self.damaged = 0;
        Ok(())
    }

    /// Whether another decoder may do better with what this one refused.
    fn is_its_fault(&mut self, error: &DecodeError) -> bool {
        match error {
            DecodeError::NeedsKeyFrame => false,
            DecodeError::Corrupt(_) => {
                self.damaged += 1;
                self.damaged >= DAMAGED
            }
            _ => true,
        }
    }

    /// Why the decoder is of no use any more, if so.
    fn failure(&self) -> Option<String> {
        if !self.open.is_platforms {
            return None;
        }
        let mut progress = self.output.progress();
        let patience = STALLED + self.open.decoder.caps().delay_frames;
        if progress.waiting > patience {
            return Some(format!("nothing came for {} packets", progress.waiting));
        }
        progress.failed.take()
    }

    /// Puts the built-in decoder in the place of the platform's, which failed; returns whether there is one.
    fn replace(&mut self, reason: String) -> bool {
        let open = match OpenDecoder::after(reason.clone(), &self.track, &self.stream) {
            Ok(open) => open,
            Err(error) => {
                tracing::warn!(track = self.track, %error, "there is no other decoder");
                self.report(CodecState::NoDecoder {
                    codec: self.stream.codec.clone(),
                    fallback: Some(CodecFallback::Failed(reason)),
                });
                self.undecodable.store(true, Ordering::Release);
                return false;
            }
        };
        self.alive.store(false, Ordering::Release);
        self.open = open;
        self.damaged = 0;
        self.asked_key = None;
        *self.output.progress() = Progress::default();
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        in_use.clone_from(&self.open.in_use);
        drop(in_use);
        self.report(CodecState::InUse(self.open.in_use.clone()));
        true
    }

    /// Asks for a key frame where nothing can be decoded without.
    fn ask_for_key(&mut self, ask_key: &impl Fn()) {
        if !self.open.decoder.needs_key_frame() {
            self.asked_key = None;
            return;
        }
        let since = self.asked_key.map_or(AGAIN, |since| since + 1);
        self.asked_key = Some(since % AGAIN);
        if since >= AGAIN {
            ask_key();
        }
    }

    fn report(&self, state: CodecState) {
        let codecs = self.engine.codecs();
        codecs.report(Some(&self.participant), &self.track, state);
    }
}

/// The end of the output that a decoder of its own time gets.
fn codec_output(
    output: &Arc<Output>,
    alive: &Arc<AtomicBool>,
) -> CodecOutput<VideoFrame, DecodeError> {
    // Weak: a decoder that is never dropped must not keep the channel open.
    let (output, alive): (Weak<Output>, _) = (Arc::downgrade(output), Arc::clone(alive));
    CodecOutput::new(move |made: Result<VideoFrame, DecodeError>| {
        let Some(output) = output.upgrade().filter(|_| alive.load(Ordering::Acquire)) else {
            return;
        };
        match made {
            Ok(picture) => output.take(picture),
            Err(error) => output.progress().failed = Some(error.to_string()),
        }
    })
}

impl Output {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, picture: VideoFrame) {
        let packet = {
            let mut progress = self.progress();
            progress.waiting = 0;
            let place = progress
                .packets
                .iter()
                .position(|p| p.time == picture.time());
            let packet = place.and_then(|place| progress.packets.drain(..=place).next_back());
            // A decoder that keeps no times gives the picture of the oldest packet.
            packet.or_else(|| progress.packets.pop_front())
        };
        let Some(packet) = packet else { return };
        let decoded = DecodedVideo {
            frame: picture,
            location: packet.location,
            arrived: packet.arrived,
            decoded: clock::now(),
            bytes: packet.bytes,
        };
        if let Err(mpsc::error::TrySendError::Full(_)) = self.sink.try_send(decoded) {
            self.counters.count_skipped();
        }
    }
}
