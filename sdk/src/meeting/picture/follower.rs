use std::{collections::BTreeSet, sync::Arc, time::Duration};

use parvis_format::VideoParams;
use parvis_meeting::{ParticipantId, Source};
use tokio::sync::watch;

use super::track::{Key, PictureTrack, key_of};
use crate::{
    ParticipantName, RemoteStats, RoomState, SubscribeError,
    meeting::{
        Meeting, MeetingState, VideoTarget, asking_again::AskingAgain, layers::choose,
        shared::Shared, voice::is_over, wishes::Wishes,
    },
};

/// Follows what is shown from layer to layer, whether it is decoded or not.
#[derive(Debug)]
pub(super) struct Picture<T> {
    who: ParticipantId,
    source: Source,
    shared: Arc<Shared>,
    state: watch::Receiver<Arc<MeetingState>>,
    catalogs: Option<watch::Receiver<Arc<RoomState>>>,
    pub(super) target: watch::Receiver<VideoTarget>,
    pub(super) set_target: Arc<watch::Sender<VideoTarget>>,
    wishes: watch::Receiver<Wishes>,
    pub(super) track: Option<T>,
    /// A layer that takes the place of the other once it has a picture.
    next: Option<T>,
    /// What nobody here decodes.
    undecodable: BTreeSet<Key>,
    asking: AskingAgain,
}

/// How long it takes until a layer that does not come is asked for again: at most, while another one is
/// shown and while none is.
const LONGEST: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(8)];

impl Meeting {
    pub(super) fn follow<T>(
        &self,
        who: &ParticipantId,
        source: Source,
        target: VideoTarget,
    ) -> Picture<T> {
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
            asking: AskingAgain::default(),
        }
    }
}

impl<T: PictureTrack> Picture<T> {
    pub(super) fn stats(&self) -> RemoteStats {
        self.track.as_ref().map(T::stats).unwrap_or_default()
    }

    pub(super) fn layer(&self) -> Option<&str> {
        self.track.as_ref().map(|track| track.info().name.as_str())
    }

    pub(super) fn undecodable(&self) -> Vec<String> {
        let codecs: BTreeSet<&String> = self.undecodable.iter().map(|(_, codec)| codec).collect();
        codecs.into_iter().cloned().collect()
    }

    /// The next frame or picture; cancel safe.
    pub(super) async fn next(&mut self) -> Option<T::Item> {
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
                    None => self.undecodable.extend(undecodable(self.next.take())),
                },
                picture = of(&mut self.track) => match picture {
                    Some(picture) => return Some(picture),
                    None => self.undecodable.extend(undecodable(self.track.take())),
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
            Ok(track) => {
                self.asking.done();
                self.next = Some(track);
            }
            Err(error @ SubscribeError::NoDecoder { .. }) => {
                tracing::warn!(who = %self.who, %error, "no picture of this layer");
                self.undecodable.insert(wanted);
            }
            Err(error) => {
                tracing::debug!(who = %self.who, %error, "no picture yet");
                if is_over(&self.state.borrow(), &self.who) {
                    return None;
                }
                let longest = LONGEST[usize::from(self.track.is_none())];
                let pause = self.asking.pause(longest);
                // Something else may be wanted meanwhile.
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    changed = self.target.changed() => changed.ok()?,
                    changed = self.wishes.changed() => changed.ok()?,
                }
            }
        }
        Some(())
    }
}

/// What has ended, if that is since nothing here decodes it.
fn undecodable<T: PictureTrack>(ended: Option<T>) -> Option<Key> {
    ended.filter(T::is_undecodable).as_ref().map(key_of)
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
