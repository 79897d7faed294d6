use std::{collections::BTreeSet, future::Future, sync::Arc, time::Duration};

use parvis_format::VideoParams;
use parvis_meeting::{ParticipantId, Source};
use tokio::sync::watch;

use super::{
    Meeting, MeetingState, VideoTarget, layers::choose, shared::Shared, voice::is_over,
    wishes::Wishes,
};
use crate::{
    CodecInUse, DecodedVideo, ParticipantName, RemoteFrame, RemoteStats, RemoteTrack, RemoteVideo,
    Room, RoomState, SubscribeError, TrackInfo, TrackKind, temporal_subset::TemporalSubset,
    thinning::Thinning,
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

/// How a picture's track is received.
trait PictureTrack: Sized + Send {
    type Item: Send;

    fn open(
        room: &Room,
        who: &ParticipantName,
        track: &str,
    ) -> impl Future<Output = Result<Self, SubscribeError>> + Send;
    fn info(&self) -> &TrackInfo;
    fn next(&mut self) -> impl Future<Output = Option<Self::Item>> + Send;
    fn stats(&self) -> RemoteStats;
    fn set_priority(&self, priority: u8);
    fn set_max_rate(&self, pictures_per_second: Option<u32>);
}

/// Follows what is shown from layer to layer, whether it is decoded or not.
#[derive(Debug)]
struct Picture<T> {
    who: ParticipantId,
    source: Source,
    shared: Arc<Shared>,
    state: watch::Receiver<Arc<MeetingState>>,
    catalogs: Option<watch::Receiver<Arc<RoomState>>>,
    target: watch::Receiver<VideoTarget>,
    set_target: Arc<watch::Sender<VideoTarget>>,
    wishes: watch::Receiver<Wishes>,
    track: Option<T>,
    /// A layer that takes the place of the other once it has a picture.
    next: Option<T>,
    /// What nobody here decodes.
    undecodable: BTreeSet<Key>,
}

/// A layer: the name of its track, and its codec string.
type Key = (String, String);

/// How long it takes until a track that does not come is asked for again.
const AGAIN: Duration = Duration::from_millis(250);

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

    fn follow<T>(&self, who: &ParticipantId, source: Source, target: VideoTarget) -> Picture<T> {
        let (set_target, target) = watch::channel(target);
        let set_target = Arc::new(set_target);
        self.shared.targets.add(who, source, &set_target);
        Picture {
            who: who.clone(),
            source,
            shared: Arc::clone(&self.shared),
            state: self.state.clone(),
            catalogs: None,
            target,
            set_target,
            wishes: self.shared.wishes.subscribe(),
            track: None,
            next: None,
            undecodable: BTreeSet::new(),
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

impl<T: PictureTrack> Picture<T> {
    fn stats(&self) -> RemoteStats {
        self.track.as_ref().map(T::stats).unwrap_or_default()
    }

    fn layer(&self) -> Option<&str> {
        self.track.as_ref().map(|track| track.info().name.as_str())
    }

    fn undecodable(&self) -> Vec<String> {
        let codecs: BTreeSet<&String> = self.undecodable.iter().map(|(_, codec)| codec).collect();
        codecs.into_iter().cloned().collect()
    }

    /// The next frame or picture; cancel safe.
    async fn next(&mut self) -> Option<T::Item> {
        loop {
            if self.catalogs.is_none() {
                self.catalogs = Some(self.shared.room()?.watch());
            }
            let wanted = self.wanted();
            self.tell_tracks();
            if wanted != self.has() {
                self.change(wanted).await?;
                continue;
            }
            if self.track.is_none() && is_over(&self.state.borrow(), &self.who) {
                return None;
            }
            tokio::select! {
                picture = of(&mut self.next) => match picture {
                    // It begins with a key frame: the other one is not needed any more.
                    Some(picture) => {
                        self.track = self.next.take();
                        return Some(picture);
                    }
                    None => self.next = None,
                },
                picture = of(&mut self.track) => match picture {
                    Some(picture) => return Some(picture),
                    None => self.track = None,
                },
                changed = changed(&mut self.catalogs) => changed.ok()?,
                changed = self.target.changed() => changed.ok()?,
                changed = self.wishes.changed() => changed.ok()?,
                changed = self.state.changed() => changed.ok()?,
            }
        }
    }

    /// Tells what is received how much it matters, and how many pictures a second are wanted.
    fn tell_tracks(&mut self) {
        let priority = self.wishes.borrow().priority(&self.who);
        let fps = self.target.borrow().fps;
        let tracks = [&self.track, &self.next].into_iter().flatten();
        for track in tracks {
            track.set_max_rate(fps);
            track.set_priority(priority);
        }
    }

    fn has(&self) -> Option<Key> {
        self.next.as_ref().or(self.track.as_ref()).map(key_of)
    }

    /// The layer that fits.
    fn wanted(&mut self) -> Option<Key> {
        let name = ParticipantName::new(self.who.as_str()).ok()?;
        let known = Arc::clone(&self.catalogs.as_mut()?.borrow_and_update());
        // Who is not known for a moment, while the room moves, is there still.
        let Some(participant) = known.participants.get(&name) else {
            return self.has();
        };
        let layers: Vec<(&str, &VideoParams)> = participant
            .video_tracks()
            .into_iter()
            .filter(|(track, _)| Source::of_track(track) == Some(self.source))
            .filter(|(track, params)| {
                let key = ((*track).to_owned(), params.codec.clone());
                !self.undecodable.contains(&key)
            })
            .collect();
        let target = *self.target.borrow_and_update();
        let wishes = self.wishes.borrow_and_update();
        let (receive, floor) = wishes.of(&self.who, self.source);
        let chosen = choose(&layers, target, receive, floor)?;
        let (_, params) = layers.iter().find(|(track, _)| *track == chosen)?;
        Some((chosen.to_owned(), params.codec.clone()))
    }

    /// Goes over to a layer; `None`: there is nothing any more.
    async fn change(&mut self, wanted: Option<Key>) -> Option<()> {
        let Some(wanted) = wanted else {
            (self.track, self.next) = (None, None);
            return Some(());
        };
        if self.track.as_ref().map(key_of).as_ref() == Some(&wanted) {
            self.next = None;
            return Some(());
        }
        // A relay takes one subscription of a session to a track.
        let is_same = |track: &Option<T>| {
            let track = track.as_ref();
            track.is_some_and(|track| track.info().name == wanted.0)
        };
        if is_same(&self.track) {
            self.track = None;
        }
        if is_same(&self.next) {
            self.next = None;
        }
        let room = self.shared.room()?;
        let name = ParticipantName::new(self.who.as_str()).ok()?;
        match T::open(&room, &name, &wanted.0).await {
            Ok(track) => self.next = Some(track),
            Err(error @ SubscribeError::NoDecoder { .. }) => {
                tracing::warn!(who = %self.who, %error, "no picture of this layer");
                self.undecodable.insert(wanted);
            }
            Err(error) => {
                tracing::debug!(who = %self.who, %error, "no picture yet");
                if is_over(&self.state.borrow(), &self.who) {
                    return None;
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
        Some(())
    }
}

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

    fn stats(&self) -> RemoteStats {
        self.stats()
    }

    fn set_priority(&self, priority: u8) {
        self.set_priority(priority);
    }

    // What is left out is so before it is handed on.
    fn set_max_rate(&self, _: Option<u32>) {}
}

fn key_of(track: &impl PictureTrack) -> Key {
    let info = track.info();
    let codec = match &info.kind {
        TrackKind::Video(params) => params.codec.clone(),
        TrackKind::Audio(params) => params.codec.clone(),
    };
    (info.name.clone(), codec)
}

async fn of<T: PictureTrack>(track: &mut Option<T>) -> Option<T::Item> {
    match track {
        Some(track) => track.next().await,
        None => std::future::pending().await,
    }
}

async fn changed(
    catalogs: &mut Option<watch::Receiver<Arc<RoomState>>>,
) -> Result<(), watch::error::RecvError> {
    match catalogs {
        Some(catalogs) => catalogs.changed().await,
        None => std::future::pending().await,
    }
}
