mod follower;
mod track;

use parvis_format::VideoParams;
use parvis_meeting::{ParticipantId, Source};

use self::{
    follower::Picture,
    track::{Key, key_of},
};
use super::{Meeting, VideoTarget};
use crate::{
    CodecInUse, DecodedVideo, RemoteFrame, RemoteStats, RemoteTrack, RemoteVideo, TrackKind,
    temporal_subset::TemporalSubset, thinning::Thinning,
};

/// Somebody's camera or screen, in the layer that fits what is shown.
#[derive(Debug)]
pub struct RemotePicture {
    picture: Picture<RemoteVideo>,
    thinning: Thinning,
}

/// Somebody's camera or screen as it was encoded, for a decoder of the app, in the layer that fits
/// what is shown.
#[derive(Debug)]
pub struct RemoteEncodedPicture {
    picture: Picture<RemoteTrack>,
    /// The layer of the frame before.
    shown: Option<Key>,
    subset: TemporalSubset,
}

/// An encoded picture of somebody.
#[derive(Debug, Clone)]
pub struct EncodedPicture {
    /// The frame, its place, and when it came.
    pub received: RemoteFrame,
    /// Whether it begins another layer or codec, with a key frame: a decoder is opened anew, for
    /// what [`RemoteEncodedPicture::params`] says.
    pub begins: bool,
}

impl Meeting {
    /// Says what is shown of somebody from here on, to all pictures of that source that there are.
    pub fn set_video_target(&self, who: &ParticipantId, source: Source, target: VideoTarget) {
        self.shared.targets.set(who, source, target);
    }

    /// Receives somebody's camera or screen, for what is shown of it.
    pub fn picture(
        &self,
        who: &ParticipantId,
        source: Source,
        target: VideoTarget,
    ) -> RemotePicture {
        RemotePicture {
            picture: self.follow(who, source, target),
            thinning: Thinning::default(),
        }
    }

    /// Receives somebody's camera or screen as it was encoded, for what is shown of it.
    pub fn picture_encoded(
        &self,
        who: &ParticipantId,
        source: Source,
        target: VideoTarget,
    ) -> RemoteEncodedPicture {
        RemoteEncodedPicture {
            picture: self.follow(who, source, target),
            shown: None,
            subset: TemporalSubset::default(),
        }
    }
}

impl RemotePicture {
    /// Says what is shown of it from here on.
    pub fn set_target(&self, target: VideoTarget) {
        self.picture.set_target.send_replace(target);
    }

    /// What became of the frames of the track that is received.
    pub fn stats(&self) -> RemoteStats {
        self.picture.stats()
    }

    /// The track that is received; `None`: none.
    pub fn layer(&self) -> Option<&str> {
        self.picture.layer()
    }

    /// The decoder at work; `None`: nothing is received.
    pub fn codec(&self) -> Option<CodecInUse> {
        self.picture.track.as_ref().map(RemoteVideo::codec)
    }

    /// Codec strings of layers that nobody here decodes: why there is no picture, or not the one
    /// that would fit.
    pub fn undecodable(&self) -> Vec<String> {
        self.picture.undecodable()
    }

    /// The next picture; `None`: it left, or the meeting is over. Cancel safe.
    pub async fn next(&mut self) -> Option<DecodedVideo> {
        loop {
            let picture = self.picture.next().await?;
            self.thinning.set_rate(self.picture.target.borrow().fps);
            if self.thinning.admits(picture.frame.time()) {
                return Some(picture);
            }
        }
    }
}

impl RemoteEncodedPicture {
    /// Says what is shown of it from here on.
    pub fn set_target(&self, target: VideoTarget) {
        self.picture.set_target.send_replace(target);
    }

    /// What became of the frames of the track that is received.
    pub fn stats(&self) -> RemoteStats {
        self.picture.stats()
    }

    /// The track that is received; `None`: none.
    pub fn layer(&self) -> Option<&str> {
        self.picture.layer()
    }

    /// Codec, size and configuration of the track that is received.
    pub fn params(&self) -> Option<VideoParams> {
        match &self.picture.track.as_ref()?.info().kind {
            TrackKind::Video(params) => Some(params.clone()),
            TrackKind::Audio(_) => None,
        }
    }

    /// Asks for a key frame, as a decoder needs one that has lost its references.
    pub fn ask_key(&self) {
        if let Some(track) = &self.picture.track {
            track.ask_key();
        }
    }

    /// The next frame, in order; `None`: it left, or the meeting is over. Cancel safe.
    pub async fn next(&mut self) -> Option<EncodedPicture> {
        loop {
            let received = self.picture.next().await?;
            let layer = self.picture.track.as_ref().map(key_of);
            let begins = layer != self.shown;
            if begins {
                self.shown = layer;
                self.subset = TemporalSubset::default();
            }
            self.subset.set_rate(self.picture.target.borrow().fps);
            if self.subset.admits(&received.frame) {
                return Some(EncodedPicture { received, begins });
            }
        }
    }
}
