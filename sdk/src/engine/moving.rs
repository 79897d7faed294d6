use std::time::{Duration, Instant};

use parvis_session::Session;
use parvis_wire::Draft;

use super::{
    core::{Core, GRACE, Notice},
    link::{Link, LinkId, Purpose, Standing},
    subscription::TrackKey,
};
use crate::{CloseReason, Connectivity};

/// How long a connection that was moved away from stays for those who have not moved yet.
const LAST: Duration = Duration::from_millis(100);

/// From one connection to the next.
impl Core {
    /// There is a new connection; everything goes there from now on.
    pub(super) fn add_link(&mut self, id: LinkId, draft: Draft, now: Instant) {
        self.draft = Some(draft);
        let mut link = Link::default();
        // Its SETUP said them.
        link.data.shown = self.data.tokens.shown();
        self.links.insert(id, link);
        let first = self.current.is_none() && !self.entered;
        self.current = Some(id);
        if !first {
            let grace = now + GRACE;
            self.grace = Some(grace);
            self.directory.expect_until(grace);
            self.expect_data(grace);
            for track in self.tracks.values_mut() {
                track.retry = None;
                track.arrivals.moved();
            }
        }
    }

    /// What a connection had is to be had on another one, if there is one.
    pub(super) fn link_gone(&mut self, id: LinkId) {
        if self.links.remove(&id).is_none() {
            return;
        }
        if self.current == Some(id) {
            self.current = None;
        }
        for track in self.tracks.values_mut() {
            track.sources.remove(&id);
        }
        self.unwanted.retain(|(link, _)| *link != id);
        for publication in self.publications.values_mut().chain(&mut self.ended) {
            publication.link_gone(id);
        }
        self.ended.retain(|publication| !publication.is_over());
        self.directory.link_gone(id);
        self.data.link_gone(id, Instant::now() + GRACE);
        // Waits for a farewell that nobody hears.
        if self.links.is_empty() && self.closing.is_some() {
            self.handle_closed(CloseReason::Local);
        }
    }

    /// A connection is over that was not to be.
    pub(super) fn link_lost(&mut self, link: LinkId, reason: CloseReason, retry: bool) {
        if let Some(let_in) = self.links.get(&link).map(|link| link.let_in) {
            self.lost.send_replace(Some(reason.clone()));
            self.link_gone(link);
            let _ = self.notices.send(Notice::Lost {
                link,
                reason,
                retry,
                let_in,
            });
        }
    }

    pub(super) fn set_connectivity(&self, connectivity: Connectivity, moved: bool) {
        self.directory.set_connectivity(connectivity, moved);
    }

    /// Ends a track's subscription on the old connection once the new one brings it.
    pub(super) fn leave_overlapping(
        &mut self,
        key: TrackKey,
        id: LinkId,
        session: &mut Session,
        now: Instant,
    ) {
        let moved = self.current.is_some_and(|current| current != id)
            && self.tracks.get(&key).is_some_and(|t| t.has_moved(id, now));
        if moved {
            self.leave_source(key, id, session, now);
        }
    }

    /// Tells the supervisor when nothing is left on a connection that was moved away from.
    pub(super) fn check_settled(&mut self, id: LinkId, session: &mut Session, now: Instant) {
        let Some(current) = self.current.filter(|current| *current != id) else {
            return;
        };
        let Some(new) = self.links.get(&current) else {
            return;
        };
        let at_home = !self.entered
            || (new.discovery == Standing::Accepted
                && (self.me.is_none() || !self.visible || new.visibility == Standing::Accepted));
        if !at_home || !self.data.has_left(id, &new.data) {
            return;
        }
        self.leave_catalogs(id, current, session, now);
        let empty = !self.tracks.values().any(|t| t.sources.contains_key(&id));
        // Whoever has just found this participant on the new connection may still ask here.
        let last = self.grace.is_some_and(|grace| now + GRACE >= grace + LAST);
        let Some(old) = self.links.get_mut(&id) else {
            return;
        };
        if empty && last && old.served.is_empty() && old.data.served.is_empty() && !old.settled {
            old.settled = true;
            let _ = self.notices.send(Notice::Settled { link: id });
        }
    }

    /// Ends the old subscriptions to catalogs of those who have moved too: two participants must
    /// not wait for each other.
    fn leave_catalogs(&mut self, id: LinkId, current: LinkId, session: &mut Session, now: Instant) {
        let Some(old) = self.links.get_mut(&id) else {
            return;
        };
        let moved = old.own.extract_if(|_, purpose| {
            matches!(purpose, Purpose::Catalog(name) if self.directory.is_announced(current, name))
        });
        for (key, _) in moved {
            let _ = session.cancel(key, now);
        }
    }
}
