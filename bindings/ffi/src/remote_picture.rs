use std::sync::{Arc, Mutex, PoisonError};

use parvis::{
    DecodedVideo,
    meeting::{self, ParticipantId},
};
use tokio::sync::watch;

use crate::{
    Meeting, ParvisError, Receive, Source, VideoFrame, VideoTarget, numbers::signed, pull::Pull,
};

/// Somebody's camera or screen, in the layer that fits what is shown.
#[derive(uniffi::Object)]
pub struct RemotePicture {
    picture: Pull<Received>,
    target: watch::Sender<meeting::VideoTarget>,
    /// As of the last picture.
    shown: Arc<Mutex<RemoteStats>>,
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
    /// Frames dropped because they were not taken as fast as they came.
    pub skipped: i64,
    /// Frames that did not decode.
    pub undecodable: i64,
}

struct Received {
    picture: meeting::RemotePicture,
    targets: watch::Receiver<meeting::VideoTarget>,
    shown: Arc<Mutex<RemoteStats>>,
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
        let shown: Arc<Mutex<RemoteStats>> = Arc::default();
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
        lock(&self.shown).clone()
    }

    /// Ends it: a `next` that waits returns none, and nothing more of it is received.
    pub fn cancel(&self) {
        self.picture.cancel();
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
            *lock(&self.shown) = RemoteStats {
                track: self.picture.layer().map(str::to_owned),
                received: signed(stats.received),
                bytes: signed(stats.bytes),
                missing: signed(stats.missing),
                late: signed(stats.late),
                skipped: signed(stats.skipped),
                undecodable: signed(stats.undecodable),
            };
            return Some(picture);
        }
    }
}

fn lock(shown: &Mutex<RemoteStats>) -> std::sync::MutexGuard<'_, RemoteStats> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}
