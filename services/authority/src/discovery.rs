use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parvis::data::{NamespaceEvent, TrackNamespace};
use parvis_meeting::{ParticipantId, RoomCode, tracks};
use tokio::{
    sync::watch,
    task::{Id, JoinSet},
};

use crate::{attendance, registry::Court};

type Who = (RoomCode, ParticipantId);

/// Who publishes commands, and the task of each.
#[derive(Default)]
struct Presence {
    heard: BTreeMap<Who, watch::Sender<bool>>,
    tasks: JoinSet<()>,
    names: BTreeMap<Id, Who>,
    /// Who is there, heard or not.
    there: BTreeSet<Who>,
    /// Who came when there was no place; the connection tells of so many at most.
    waiting: BTreeSet<Who>,
}

/// Hears everybody who publishes commands, until the connection is over. Dropping it hears nobody.
pub(crate) async fn run(court: Arc<Court>) {
    let mut namespaces = court.link.discover(tracks::inboxes());
    let mut presence = Presence::default();
    loop {
        tokio::select! {
            event = namespaces.next() => match event {
                Some(NamespaceEvent::Appeared(suffix)) => {
                    if let Some(who) = who(&suffix) {
                        presence.appeared(&court, who);
                    }
                }
                Some(NamespaceEvent::Missing(suffix)) => {
                    if let Some(who) = who(&suffix) {
                        presence.missing(&court, &who);
                    }
                }
                Some(NamespaceEvent::Vanished(suffix)) => {
                    if let Some(who) = who(&suffix) {
                        presence.vanished(&court, &who);
                    }
                }
                None => {
                    court.present.send_replace(0);
                    return;
                }
            },
            Some(ended) = presence.tasks.join_next_with_id() => {
                let id = match ended {
                    Ok((id, ())) => id,
                    Err(error) => error.id(),
                };
                presence.ended(&court, id);
            }
        }
    }
}

fn who(suffix: &TrackNamespace) -> Option<Who> {
    let prefix = tracks::inboxes();
    let fields = prefix.fields().iter().chain(suffix.fields()).cloned();
    tracks::owner_of_inbox(&TrackNamespace::new(fields).ok()?)
}

impl Presence {
    fn appeared(&mut self, court: &Arc<Court>, who: Who) {
        self.there.insert(who.clone());
        court.present.send_replace(self.there.len());
        if let Some(present) = self.heard.get(&who) {
            present.send_replace(true);
        } else if self.heard.len() >= court.limits.participants {
            if self.waiting.is_empty() {
                tracing::warn!(most = court.limits.participants, "too many participants");
            }
            self.waiting.insert(who);
        } else {
            self.hear(court, who);
        }
    }

    fn hear(&mut self, court: &Arc<Court>, who: Who) {
        let (present, watched) = watch::channel(true);
        let (code, participant) = who.clone();
        let attend = attendance::attend(Arc::clone(court), code, participant, watched);
        let id = self.tasks.spawn(attend).id();
        self.names.insert(id, who.clone());
        self.heard.insert(who, present);
    }

    /// Somebody has left the relay, which stops; it may be at the next one by now.
    fn missing(&mut self, court: &Court, who: &Who) {
        self.there.remove(who);
        court.present.send_replace(self.there.len());
    }

    fn vanished(&mut self, court: &Court, who: &Who) {
        self.missing(court, who);
        self.waiting.remove(who);
        if let Some(present) = self.heard.get(who) {
            present.send_replace(false);
        }
    }

    /// Somebody has been gone for a while.
    fn ended(&mut self, court: &Arc<Court>, id: Id) {
        let Some(who) = self.names.remove(&id) else {
            return;
        };
        if let Some(present) = self.heard.remove(&who)
            && *present.borrow()
        {
            // It came back just then.
            self.hear(court, who);
        } else if let Some(who) = self.waiting.pop_first() {
            self.hear(court, who);
        }
    }
}
