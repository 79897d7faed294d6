use std::{sync::Arc, time::Duration};

use parvis::data::{DataSubscribe, Grouping};
use parvis_meeting::{DeviceId, Identity, Input, ParticipantId, RoomCode, tracks};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    time::Instant,
};

use crate::{
    clock,
    docket::{Event, RoomKey},
    registry::Court,
    replies::Replies,
    sitting::wait_for_store,
};

/// One participant: hears its commands while it is there.
struct Attendance {
    court: Arc<Court>,
    code: RoomCode,
    who: ParticipantId,
    replies: Arc<Replies>,
    share: Arc<Semaphore>,
    pace: Pace,
    /// The room that knows of it.
    room: Option<mpsc::Sender<Event>>,
}

/// How many commands are heard.
struct Pace {
    per_second: f64,
    left: f64,
    since: Instant,
}

/// How long somebody waits until there may be a place for its room.
const NO_PLACE: Duration = Duration::from_secs(1);

/// Hears a participant, until it has been gone for a while.
pub(crate) async fn attend(
    court: Arc<Court>,
    code: RoomCode,
    who: ParticipantId,
    mut present: watch::Receiver<bool>,
) {
    let replies = match Replies::publish(&court.link, &code, &who) {
        Ok(replies) => Arc::new(replies),
        Err(error) => {
            tracing::warn!(%code, %who, %error, "nobody can be answered");
            return;
        }
    };
    let limits = court.limits;
    let mut attendance = Attendance {
        share: Arc::new(Semaphore::new(limits.share.max(1))),
        pace: Pace::new(limits.commands_per_second, Instant::now()),
        room: None,
        court,
        code,
        who,
        replies,
    };
    loop {
        tokio::select! {
            Ok(_) = present.wait_for(|present| !present) => {}
            () = attendance.hear() => {}
            else => {}
        }
        attendance.leave().await;
        let back = present.wait_for(|present| *present);
        match tokio::time::timeout(limits.linger, back).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

impl Attendance {
    /// Reads commands until the connection is over.
    async fn hear(&mut self) {
        let name = tracks::track(tracks::inbox(&self.code, &self.who), tracks::COMMANDS);
        let wanted = DataSubscribe::current_group(Grouping::Sequence(1));
        let mut commands = match self.court.link.subscribe(name, wanted).await {
            Ok(commands) => commands,
            Err(error) => {
                tracing::warn!(code = %self.code, who = %self.who, %error, "nobody is heard");
                return std::future::pending().await;
            }
        };
        self.enter().await;
        while let Some(object) = commands.next().await {
            // What is beyond is not heard; clients say again what nobody answers.
            if !self.pace.take(Instant::now()) {
                continue;
            }
            let Ok(share) = Arc::clone(&self.share).try_acquire_owned() else {
                continue;
            };
            let input = Input::from_object(self.who.clone(), &object.payload);
            self.tell(Event::Said { input, share }).await;
        }
    }

    /// Tells the room; one that has ended is opened anew.
    async fn tell(&mut self, mut event: Event) {
        loop {
            if let Some(room) = &self.room {
                match room.try_send(event) {
                    Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => return,
                    Err(mpsc::error::TrySendError::Closed(back)) => event = back,
                }
            }
            self.enter().await;
        }
    }

    /// Makes itself known to its room.
    async fn enter(&mut self) {
        loop {
            let (key, identity) = self.identify().await;
            let Ok(room) = self.court.room(key) else {
                tokio::time::sleep(NO_PLACE).await;
                continue;
            };
            let arrived = Event::Arrived {
                participant: self.who.clone(),
                identity,
                replies: Arc::downgrade(&self.replies),
            };
            self.room = Some(room.clone());
            if room.send(arrived).await.is_ok() {
                return;
            }
        }
    }

    /// Who it is by its ticket, and so where it belongs.
    async fn identify(&self) -> (RoomKey, Identity) {
        let mut tries = 0;
        let join = loop {
            match self.court.store.join(&self.who, clock::now()).await {
                Ok(join) => break join,
                Err(error) => wait_for_store(&error, &mut tries).await,
            }
        };
        match join {
            Some(join) if join.room == self.code => (RoomKey::Real(self.code), join.identity),
            _ => {
                let device = DeviceId::new(self.who.as_str()).expect("letters and digits");
                let name = self.who.to_string();
                (RoomKey::Decoy(self.code), Identity::Guest { device, name })
            }
        }
    }

    async fn leave(&mut self) {
        if let Some(room) = self.room.take() {
            let participant = self.who.clone();
            // A room that has ended misses nobody.
            let _ = room.send(Event::Left { participant }).await;
        }
    }
}

impl Pace {
    fn new(per_second: u32, now: Instant) -> Self {
        let per_second = f64::from(per_second.max(1));
        Self {
            per_second,
            left: 2.0 * per_second,
            since: now,
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        let more = (now - self.since).as_secs_f64() * self.per_second;
        self.since = now;
        self.left = (self.left + more).min(2.0 * self.per_second) - 1.0;
        if self.left < 0.0 {
            self.left += 1.0;
            return false;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_too_much_is_heard_at_the_pace_that_is_allowed() {
        let now = Instant::now();
        let mut pace = Pace::new(10, now);
        let heard = |pace: &mut Pace, at| (0..100).filter(|_| pace.take(at)).count();
        assert_eq!(heard(&mut pace, now), 20);
        assert_eq!(heard(&mut pace, now + Duration::from_millis(500)), 5);
        assert_eq!(heard(&mut pace, now + Duration::from_mins(1)), 20);
    }
}
