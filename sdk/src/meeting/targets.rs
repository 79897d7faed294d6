use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use parvis_meeting::{ParticipantId, Source};
use tokio::sync::watch;

use super::VideoTarget;

/// The pictures that there are, by whom they show.
#[derive(Debug, Default)]
pub(super) struct Targets(Mutex<Known>);

type Known = BTreeMap<(ParticipantId, Source), Vec<Weak<watch::Sender<VideoTarget>>>>;

impl Targets {
    /// Takes note of a picture, until it is dropped.
    pub(super) fn add(
        &self,
        who: &ParticipantId,
        source: Source,
        picture: &Arc<watch::Sender<VideoTarget>>,
    ) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, pictures| {
            pictures.retain(|picture| picture.strong_count() > 0);
            !pictures.is_empty()
        });
        let pictures = known.entry((who.clone(), source)).or_default();
        pictures.push(Arc::downgrade(picture));
    }

    /// Tells all pictures of a source.
    pub(super) fn set(&self, who: &ParticipantId, source: Source, target: VideoTarget) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pictures = known.get(&(who.clone(), source)).into_iter().flatten();
        for picture in pictures.filter_map(Weak::upgrade) {
            picture.send_replace(target);
        }
    }
}
