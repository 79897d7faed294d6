use std::time::{Duration, Instant};

use parvis_format::catalog;
use parvis_session::{Session, StreamId};
use tokio::sync::oneshot;

use super::{core::Core, link::LinkId, publications::Publication};
use crate::{CloseReason, TrackInfo, TrackKind};

/// How often the catalog is sent again, for those whom a relay gave no older one.
const CATALOG_BEAT: Duration = Duration::from_secs(2);

/// How long a new track waits to be listed with others: a catalog for each would have subscribers
/// choose before they know all.
const TOGETHER: Duration = Duration::from_millis(20);

/// How long encoders have to hand in their last frames.
const CLOSING: Duration = Duration::from_secs(1);

/// What we publish.
impl Core {
    /// Sends what encoders have made, sound first.
    pub(super) fn handle_media(&mut self, link: LinkId, session: &mut Session, now: Instant) {
        self.take_outboxes();
        let mut by_priority: Vec<&mut Publication> = self.publications.values_mut().collect();
        by_priority.sort_by_key(|publication| publication.new.priority);
        let mut others = false;
        for publication in by_priority.into_iter().chain(&mut self.ended) {
            publication.flush(link, session, now);
            others |= publication.has_steps(link);
        }
        self.ended.retain(|publication| !publication.is_over());
        self.flush_data(link, session, now);
        others |= self.data.has_steps(link);
        if others {
            self.flusher.flush_others(link);
        }
        self.end_publications(link, session, now);
    }

    /// Takes what encoders have made; without a connection it is lost.
    pub(super) fn take_outboxes(&mut self) {
        for publication in self.publications.values_mut() {
            publication.take_outbox();
        }
    }

    fn end_publications(&mut self, link: LinkId, session: &mut Session, now: Instant) {
        let over: Vec<String> = self
            .publications
            .values()
            .filter(|publication| publication.outbox.is_over())
            .map(|publication| publication.new.track.clone())
            .collect();
        if over.is_empty() {
            return;
        }
        for track in over {
            self.end_publication(&track);
        }
        self.send_catalog(now);
        if self.closing.is_some() && !self.publications.values().any(|p| p.new.threaded) {
            self.finish(link, session, now);
        } else {
            self.flusher.wake();
        }
    }

    pub(super) fn stream_gone(&mut self, link: LinkId, stream: StreamId, now: Instant) {
        self.data_stream_gone(link, stream, now);
        for publication in self.publications.values_mut() {
            publication.stream_gone(link, stream);
        }
    }

    /// Sends the catalog when the tracks that are published together are all there.
    pub(super) fn list_soon(&mut self, now: Instant) {
        let soon = now + TOGETHER;
        self.next_beat = Some(self.next_beat.map_or(soon, |beat| beat.min(soon)));
    }

    pub(super) fn set_info(&mut self, track: &str, kind: TrackKind, now: Instant) {
        if let Some(publication) = self.publications.get_mut(track) {
            publication.new.info = Some(kind);
            self.list_soon(now);
        }
    }

    pub(super) fn send_catalog(&mut self, now: Instant) {
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
            publication.add_state(json.into());
            self.next_beat = Some(now + CATALOG_BEAT);
        }
    }

    fn end_publication(&mut self, track: &str) {
        if let Some(mut publication) = self.publications.remove(track) {
            publication.end();
            for link in self.links.values_mut() {
                link.served.retain(|_, name| name != track);
            }
            self.ended.push(publication);
        }
    }

    pub(super) fn close(
        &mut self,
        reply: oneshot::Sender<()>,
        link: LinkId,
        session: &mut Session,
        now: Instant,
    ) {
        if self.closed.is_some() {
            let _ = reply.send(());
            return;
        }
        if self.links.is_empty() {
            // The connection was lost meanwhile.
            self.handle_closed(CloseReason::Local);
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
            self.finish(link, session, now);
        }
    }

    /// Says goodbye: the tracks end, the name is free. A second connection hears of it by its
    /// end.
    pub(super) fn finish(&mut self, id: LinkId, session: &mut Session, now: Instant) {
        let tracks: Vec<String> = self.publications.keys().cloned().collect();
        for track in tracks {
            self.end_publication(&track);
        }
        for publication in &mut self.ended {
            publication.flush(id, session, now);
        }
        if let Some(link) = self.links.get_mut(&id) {
            for (key, _) in link.own.drain() {
                let _ = session.cancel(key, now);
            }
        }
        self.handle_closed(CloseReason::Local);
    }
}
