use std::future::Future;

use crate::{
    DecodedVideo, ParticipantName, RemoteFrame, RemoteStats, RemoteTrack, RemoteVideo, Room,
    SubscribeError, TrackInfo, TrackKind,
};

/// How a picture's track is received.
pub(super) trait PictureTrack: Sized + Send {
    type Item: Send;

    fn open(
        room: &Room,
        who: &ParticipantName,
        track: &str,
    ) -> impl Future<Output = Result<Self, SubscribeError>> + Send;
    fn info(&self) -> &TrackInfo;
    fn next(&mut self) -> impl Future<Output = Option<Self::Item>> + Send;
    /// Whether it has ended since nothing here decodes it any more.
    fn is_undecodable(&self) -> bool;
    fn stats(&self) -> RemoteStats;
    fn set_priority(&self, priority: u8);
    fn set_max_rate(&self, pictures_per_second: Option<u32>);
}

/// A layer: the name of its track, and its codec string.
pub(super) type Key = (String, String);

impl PictureTrack for RemoteVideo {
    type Item = DecodedVideo;

    async fn open(room: &Room, who: &ParticipantName, track: &str) -> Result<Self, SubscribeError> {
        room.subscribe_video(who, track).await
    }

    fn info(&self) -> &TrackInfo {
        self.info()
    }

    async fn next(&mut self) -> Option<DecodedVideo> {
        self.next().await
    }

    fn is_undecodable(&self) -> bool {
        self.is_undecodable()
    }

    fn stats(&self) -> RemoteStats {
        self.stats()
    }

    fn set_priority(&self, priority: u8) {
        self.set_priority(priority);
    }

    fn set_max_rate(&self, pictures_per_second: Option<u32>) {
        self.set_max_rate(pictures_per_second);
    }
}

impl PictureTrack for RemoteTrack {
    type Item = RemoteFrame;

    async fn open(room: &Room, who: &ParticipantName, track: &str) -> Result<Self, SubscribeError> {
        room.subscribe(who, track).await
    }

    fn info(&self) -> &TrackInfo {
        self.info()
    }

    async fn next(&mut self) -> Option<RemoteFrame> {
        self.next().await
    }

    fn is_undecodable(&self) -> bool {
        false
    }

    fn stats(&self) -> RemoteStats {
        self.stats()
    }

    fn set_priority(&self, priority: u8) {
        self.set_priority(priority);
    }

    // What is left out is so before it is handed on.
    fn set_max_rate(&self, _: Option<u32>) {}
}

pub(super) fn key_of(track: &impl PictureTrack) -> Key {
    let info = track.info();
    let codec = match &info.kind {
        TrackKind::Video(params) => params.codec.clone(),
        TrackKind::Audio(params) => params.codec.clone(),
    };
    (info.name.clone(), codec)
}
