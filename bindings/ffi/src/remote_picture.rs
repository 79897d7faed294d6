use std::sync::{Arc, Mutex, PoisonError};

use parvis::{
    DecodedVideo,
    meeting::{self, ParticipantId},
};
use tokio::sync::watch;

use crate::{
    CodecInUse, Meeting, ParvisError, Receive, Source, VideoFrame, VideoTarget, numbers::signed,
    pull::Pull, state::ids,
};

/// Somebody's camera or screen, in the layer that fits what is shown.
#[derive(uniffi::Object)]
pub struct RemotePicture {
    picture: Pull<Received>,
    target: watch::Sender<meeting::VideoTarget>,
    /// As of the last picture.
    shown: Arc<Mutex<Shown>>,
}

/// What became of the frames of a received track.
#[derive(Debug, Clone, PartialEq, Eq, Default, uniffi::Record)]
pub struct RemoteStats {
    /// The track that is received, such as `camera/360p`; none: none.
    pub track: Option<String>,
    /// Frames that came.
    pub received: i64,
    /// Bytes of these frames.
    pub bytes: i64,
    /// Frames that had not come when it was their turn.
    pub missing: i64,
    /// Frames that came after their turn, or without the ones they need.
    pub late: i64,
    /// Frames that came a second time, as over two connections while the room moves.
    pub duplicate: i64,
    /// Frames dropped because they were not taken as fast as they came.
    pub skipped: i64,
    /// Objects that are no frames.
    pub malformed: i64,
    /// Frames that did not decode.
    pub undecodable: i64,
}

#[derive(Debug, Default)]
struct Shown {
    stats: RemoteStats,
    codec: Option<CodecInUse>,
}

struct Received {
    picture: meeting::RemotePicture,
    targets: watch::Receiver<meeting::VideoTarget>,
    shown: Arc<Mutex<Shown>>,
}

#[uniffi::export]
impl Meeting {
    /// Receives somebody's camera or screen, for what is shown of it.
    pub fn picture(
        &self,
        who: String,
        source: Source,
        target: VideoTarget,
    ) -> Result<Arc<RemotePicture>, ParvisError> {
        let who = ParticipantId::new(&who)?;
        let target = meeting::VideoTarget::from(target);
        let picture = self
            .inner
            .look(|meeting| meeting.picture(&who, source.into(), target))?;
        let (target, targets) = watch::channel(target);
        let shown: Arc<Mutex<Shown>> = Arc::default();
        let received = Received {
            picture,
            targets,
            shown: Arc::clone(&shown),
        };
        Ok(Arc::new(RemotePicture {
            picture: Pull::new(self.inner.handle().clone(), Some(received)),
            target,
            shown,
        }))
    }

    /// Says what is shown of somebody from here on, to all pictures of that source that there are.
    pub fn set_video_target(
        &self,
        who: String,
        source: Source,
        target: VideoTarget,
    ) -> Result<(), ParvisError> {
        let who = ParticipantId::new(&who)?;
        self.inner
            .look(|meeting| meeting.set_video_target(&who, source.into(), target.into()))
    }

    /// Pins somebody, such as a sign-language interpreter, or no longer: the relay sends their pictures
    /// before all others, they have at least 360 lines, and are not given up when the network is short.
    /// What is not visible, or [`Receive::AudioOnly`], still stops them.
    pub fn set_pinned(&self, who: String, pinned: bool) -> Result<(), ParvisError> {
        let who = ParticipantId::new(&who)?;
        self.inner.look(|meeting| meeting.set_pinned(&who, pinned))
    }

    /// Who is pinned.
    pub fn pinned(&self) -> Result<Vec<String>, ParvisError> {
        let pinned = self.inner.look(meeting::Meeting::pinned)?;
        Ok(ids(&pinned))
    }

    /// Receives all pictures, their smallest layers, or sound only.
    pub fn set_receive(&self, receive: Receive) -> Result<(), ParvisError> {
        self.inner
            .look(|meeting| meeting.set_receive(receive.into()))
    }
}

#[uniffi::export]
impl RemotePicture {
    /// The next picture; none: it left, the meeting is over, or this was cancelled.
    pub async fn next(&self) -> Option<Arc<VideoFrame>> {
        let picture = self.picture.next(|received| Box::pin(received.next()));
        let picture = picture.await?;
        Some(Arc::new(VideoFrame::from(picture)))
    }

    /// Says what is shown of it from here on.
    pub fn set_target(&self, target: VideoTarget) {
        self.target.send_replace(target.into());
    }

    /// What became of the frames of the track that is received, as of the last picture.
    pub fn stats(&self) -> RemoteStats {
        lock(&self.shown).stats.clone()
    }

    /// The track that is received, such as `camera/360p`, as of the last picture; none: none.
    pub fn layer(&self) -> Option<String> {
        lock(&self.shown).stats.track.clone()
    }

    /// The decoder at work, as of the last picture; none: nothing was received.
    pub fn codec(&self) -> Option<CodecInUse> {
        lock(&self.shown).codec.clone()
    }

    /// Codec strings of layers that nobody here decodes: why there is no picture, or not the one that
    /// would fit.
    pub async fn undecodable(&self) -> Vec<String> {
        let known = self.picture.look(|received| received.picture.undecodable());
        known.await.unwrap_or_default()
    }

    /// Ends it: a `next` that waits returns none, and nothing more of it is received.
    pub fn cancel(&self) {
        self.picture.cancel();
    }
}

impl RemoteStats {
    pub(crate) fn new(track: Option<String>, stats: &parvis::RemoteStats) -> Self {
        Self {
            track,
            received: signed(stats.received),
            bytes: signed(stats.bytes),
            missing: signed(stats.missing),
            late: signed(stats.late),
            duplicate: signed(stats.duplicate),
            skipped: signed(stats.skipped),
            malformed: signed(stats.malformed),
            undecodable: signed(stats.undecodable),
        }
    }
}

impl Received {
    async fn next(&mut self) -> Option<DecodedVideo> {
        loop {
            let picture = tokio::select! {
                picture = self.picture.next() => picture?,
                changed = self.targets.changed() => {
                    changed.ok()?;
                    let target = *self.targets.borrow_and_update();
                    self.picture.set_target(target);
                    continue;
                }
            };
            let stats = self.picture.stats();
            let layer = self.picture.layer().map(str::to_owned);
            *lock(&self.shown) = Shown {
                stats: RemoteStats::new(layer, &stats),
                codec: self.picture.codec().map(CodecInUse::from),
            };
            return Some(picture);
        }
    }
}

fn lock(shown: &Mutex<Shown>) -> std::sync::MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}
