use std::sync::{Arc, Mutex, PoisonError};

use parvis::meeting::{self, ParticipantId};
use tokio::sync::watch;

use crate::{
    EncodedFrame, Meeting, ParvisError, RemoteStats, Source, VideoParams, VideoTarget,
    numbers::signed, pull::Pull,
};

/// Somebody's camera or screen as it was encoded, for a decoder of the app, in the layer that fits what
/// is shown.
#[derive(uniffi::Object)]
pub struct RemoteEncodedPicture {
    picture: Pull<Received>,
    wishes: watch::Sender<Wishes>,
    /// As of the last frame.
    shown: Arc<Mutex<Shown>>,
}

/// An encoded picture of somebody.
#[derive(Clone, uniffi::Record)]
pub struct EncodedPicture {
    /// The frame.
    pub frame: Arc<EncodedFrame>,
    /// Set where it begins another layer or codec, with a key frame: a decoder is opened anew, for this.
    pub begins: Option<VideoParams>,
    /// When it had come whole, by this machine's wall clock, microseconds since 1970.
    pub arrived_us: i64,
    /// How many frames are known to be missing right before it.
    pub gap: i64,
}

#[derive(Debug, Clone, Copy)]
struct Wishes {
    target: meeting::VideoTarget,
    /// How often a key frame was asked for.
    keys: u64,
}

#[derive(Debug, Default)]
struct Shown {
    stats: RemoteStats,
    params: Option<VideoParams>,
}

struct Received {
    picture: meeting::RemoteEncodedPicture,
    wishes: watch::Receiver<Wishes>,
    asked_keys: u64,
    shown: Arc<Mutex<Shown>>,
}

#[uniffi::export]
impl Meeting {
    /// Receives somebody's camera or screen as it was encoded, for what is shown of it.
    pub fn picture_encoded(
        &self,
        who: String,
        source: Source,
        target: VideoTarget,
    ) -> Result<Arc<RemoteEncodedPicture>, ParvisError> {
        let who = ParticipantId::new(&who)?;
        let target = meeting::VideoTarget::from(target);
        let picture = self
            .inner
            .look(|meeting| meeting.picture_encoded(&who, source.into(), target))?;
        let (send, wishes) = watch::channel(Wishes { target, keys: 0 });
        let shown: Arc<Mutex<Shown>> = Arc::default();
        let received = Received {
            picture,
            wishes,
            asked_keys: 0,
            shown: Arc::clone(&shown),
        };
        Ok(Arc::new(RemoteEncodedPicture {
            picture: Pull::new(self.inner.handle().clone(), Some(received)),
            wishes: send,
            shown,
        }))
    }
}

#[uniffi::export]
impl RemoteEncodedPicture {
    /// The next frame, in order; none: it left, the meeting is over, or this was cancelled.
    pub async fn next(&self) -> Option<EncodedPicture> {
        self.picture
            .next(|received| Box::pin(received.next()))
            .await
    }

    /// Says what is shown of it from here on.
    pub fn set_target(&self, target: VideoTarget) {
        let target = target.into();
        self.wishes.send_modify(|wishes| wishes.target = target);
    }

    /// Asks for a key frame, as a decoder needs one that has lost its references.
    pub fn ask_key(&self) {
        self.wishes.send_modify(|wishes| wishes.keys += 1);
    }

    /// The track that is received, such as `camera/360p`, as of the last frame; none: none.
    pub fn layer(&self) -> Option<String> {
        lock(&self.shown).stats.track.clone()
    }

    /// Codec, size and configuration of the track that is received, as of the last frame.
    pub fn params(&self) -> Option<VideoParams> {
        lock(&self.shown).params.clone()
    }

    /// What became of the frames of the track that is received, as of the last frame.
    pub fn stats(&self) -> RemoteStats {
        lock(&self.shown).stats.clone()
    }

    /// Ends it: a `next` that waits returns none, and nothing more of it is received.
    pub fn cancel(&self) {
        self.picture.cancel();
    }
}

impl Received {
    async fn next(&mut self) -> Option<EncodedPicture> {
        loop {
            let picture = tokio::select! {
                picture = self.picture.next() => picture?,
                changed = self.wishes.changed() => {
                    changed.ok()?;
                    let wishes = *self.wishes.borrow_and_update();
                    self.picture.set_target(wishes.target);
                    if std::mem::replace(&mut self.asked_keys, wishes.keys) != wishes.keys {
                        self.picture.ask_key();
                    }
                    continue;
                }
            };
            let params = self.picture.params().map(VideoParams::from);
            let layer = self.picture.layer().map(str::to_owned);
            *lock(&self.shown) = Shown {
                stats: RemoteStats::new(layer, &self.picture.stats()),
                params: params.clone(),
            };
            return Some(EncodedPicture {
                begins: params.filter(|_| picture.begins),
                arrived_us: picture.received.arrived.as_micros(),
                gap: signed(picture.received.gap),
                frame: Arc::new(EncodedFrame::from(picture.received.frame)),
            });
        }
    }
}

fn lock(shown: &Mutex<Shown>) -> std::sync::MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}
