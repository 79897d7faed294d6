use std::time::{Duration, Instant};

use parvis_format::catalog;
use parvis_session::{Session, StreamId};
use tokio::sync::oneshot;

use super::core::Core;
use crate::{CloseReason, TrackInfo};

/// How often the catalog is sent again, for those whom a relay gave no older one.
const CATALOG_BEAT: Duration = Duration::from_secs(2);

/// How long a new track waits to be listed with others: a catalog for each would have subscribers
/// choose before they know all.
const TOGETHER: Duration = Duration::from_millis(20);

/// How long encoders have to hand in their last frames.
const CLOSING: Duration = Duration::from_secs(1);

/// What we publish.
impl Core {
    pub(super) fn stream_gone(&mut self, stream: StreamId) {
        for publication in self.publications.values_mut() {
            publication.stream_gone(stream);
        }
    }

    /// Sends the catalog when the tracks that are published together are all there.
    pub(super) fn list_soon(&mut self, now: Instant) {
        let soon = now + TOGETHER;
        self.next_beat = Some(self.next_beat.map_or(soon, |beat| beat.min(soon)));
    }

    pub(super) fn send_catalog(&mut self, session: &mut Session, now: Instant) {
        let tracks: Vec<TrackInfo> = self
            .publications
            .values()
            .filter_map(|publication| {
                let kind = publication.new.info.clone()?;
                Some(TrackInfo {
                    name: publication.new.track.clone(),
                    kind,
                })
            })
            .collect();
        let json = crate::state::catalog(&tracks).to_json();
        if let Some(publication) = self.publications.get_mut(catalog::TRACK_NAME) {
            publication.send_state(json.into(), session, now);
            self.next_beat = Some(now + CATALOG_BEAT);
        }
    }

    pub(super) fn end_publication(&mut self, track: &str, session: &mut Session, now: Instant) {
        if let Some(publication) = self.publications.remove(track) {
            for key in publication.end(session, now) {
                self.served.remove(&key);
            }
        }
        if self.closing.is_some() && !self.publications.values().any(|p| p.new.threaded) {
            self.finish(session, now);
        }
    }

    pub(super) fn close(
        &mut self,
        reply: oneshot::Sender<()>,
        session: &mut Session,
        now: Instant,
    ) {
        if self.closed.is_some() {
            let _ = reply.send(());
            return;
        }
        self.closing = Some((reply, now + CLOSING));
        for publication in self.publications.values() {
            (publication.new.stop)();
        }
        if !self
            .publications
            .values()
            .any(|publication| publication.new.threaded)
        {
            self.finish(session, now);
        }
    }

    /// Says goodbye: the tracks end, the name is free.
    pub(super) fn finish(&mut self, session: &mut Session, now: Instant) {
        for (_, publication) in std::mem::take(&mut self.publications) {
            publication.end(session, now);
        }
        for (key, _) in self.own.drain() {
            let _ = session.cancel(key, now);
        }
        self.handle_closed(CloseReason::Local);
    }
}
