use std::time::Duration;

use parvis_meeting::{
    Input, Output, Policy, Roles, Room, RoomCode, SessionId, Settings, UnixMillis, to_json,
};
use parvis_store::{CommitError, Epoch, OpenSession, SessionKey, Store, StoreError, Unit};

use crate::{
    clock,
    record::{self, Entry},
};

/// A room together with what the store knows of it. What it wants done is told only after what it is
/// caused by was stored.
///
/// A session is in the store from its beginning, when the first one comes in, until its end. Before that
/// people only wait, and what they say is not stored.
#[derive(Debug)]
pub(crate) struct Sitting {
    code: RoomCode,
    store: Store,
    room: Room,
    save_every: u64,
    session: Option<Session>,
    /// What was not stored so far; a session that ends is followed by another part.
    parts: Vec<Part>,
    /// Whether a session runs, after all parts.
    running: bool,
}

#[derive(Debug)]
struct Session {
    key: SessionKey,
    epoch: Epoch,
    next_entry: u64,
    next_chat: u64,
    /// Entries since all of the room was stored.
    unsaved: u64,
}

/// What happened within a session, or between two.
#[derive(Debug, Default)]
struct Part {
    opens: bool,
    entries: Vec<String>,
    outputs: Vec<Output>,
    /// Whether all of the room is stored now.
    saves: bool,
    ends: bool,
}

/// Why a room cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// Another authority runs it.
    #[error("another authority runs this room")]
    Superseded,
    /// The store does not follow; what it has counts.
    #[error("the store and the room do not agree: {0}")]
    Disagreement(CommitError),
    /// Nothing more is stored.
    #[error("the store is closed")]
    Closed,
}

impl Sitting {
    /// A room as nobody has entered it.
    pub(crate) fn new(
        store: Store,
        code: RoomCode,
        (policy, roles): (Policy, Roles),
        settings: Settings,
        save_every: u64,
    ) -> Self {
        let room = Room::new(policy, roles, settings, clock::now());
        Self {
            code,
            store,
            room,
            save_every,
            session: None,
            parts: Vec::new(),
            running: false,
        }
    }

    /// Goes on with the session that runs according to the store.
    pub(crate) async fn restore(&mut self, settings: Settings) -> Result<(), Broken> {
        let now = clock::now();
        let open = take_over(&self.store, &self.code, now).await;
        let mut session = Session::of(&open);
        match replay(open.saved.as_deref(), &open.entries, settings) {
            Ok(room) => {
                self.room = room;
                self.running = true;
                self.session = Some(session);
                self.take(Some(Input::Resumed), now);
                self.part().saves = true;
            }
            Err(error) => {
                tracing::error!(code = %self.code, %error, "a meeting cannot be restored and is over");
                let mut unit = session.unit(now);
                unit.ended = true;
                session.write(&self.store, unit).await?;
                (self.session, self.running) = (None, false);
            }
        }
        Ok(())
    }

    pub(crate) fn room(&self) -> &Room {
        &self.room
    }

    /// The session that runs, as the room and the store know it, and how many messages its chat has.
    pub(crate) fn session(&self) -> Option<(SessionId, SessionKey, u64)> {
        let session = self.session.as_ref()?;
        let id = self.room.view().session();
        Some((id, session.key.clone(), session.next_chat))
    }

    /// Lets something happen, or only time pass.
    pub(crate) fn take(&mut self, input: Option<Input>, now: UnixMillis) {
        let something = input.is_some();
        let entry = self.running.then(|| Entry {
            now,
            input: input.clone(),
        });
        match input {
            Some(input) => self.room.handle(input, now),
            None => self.room.handle_timeout(now),
        }
        let mut output = self.room.poll();
        if let Some(entry) = entry
            && (something || output.is_some())
        {
            let entry = String::from_utf8(to_json(&entry)).expect("JSON is text");
            self.part().entries.push(entry);
        }
        while let Some(next) = output {
            match &next {
                Output::Began { .. } => {
                    self.running = true;
                    self.part().opens = true;
                }
                Output::Ended { .. } => {
                    self.running = false;
                    self.part().ends = true;
                    self.last_part().outputs.push(next);
                    output = self.room.poll();
                    continue;
                }
                _ => {}
            }
            self.part().outputs.push(next);
            output = self.room.poll();
        }
    }

    /// The part that runs.
    fn part(&mut self) -> &mut Part {
        if self.parts.last().is_none_or(|part| part.ends) {
            self.parts.push(Part::default());
        }
        self.last_part()
    }

    fn last_part(&mut self) -> &mut Part {
        self.parts.last_mut().expect("one was just there")
    }

    /// Stores what happened; returns what is to be done now.
    pub(crate) async fn commit(&mut self) -> Result<Vec<Output>, Broken> {
        let now = clock::now();
        let mut outputs = Vec::new();
        let mut parts = std::mem::take(&mut self.parts).into_iter().peekable();
        while let Some(part) = parts.next() {
            if part.opens {
                self.session = Some(open(&self.store, &self.code, now).await?);
            }
            if let Some(session) = &mut self.session {
                let mut unit = session.unit(now);
                record::add_outputs(&mut unit, &part.outputs);
                session.unsaved += part.entries.len() as u64;
                let due = part.opens || part.saves || session.unsaved >= self.save_every;
                if due && !part.ends && parts.peek().is_none() {
                    let saved = to_json(&self.room.save());
                    unit.saved = Some(String::from_utf8(saved).expect("JSON is text"));
                    session.unsaved = 0;
                }
                unit.entries = part.entries;
                unit.ended = part.ends;
                if unit.ended || unit.saved.is_some() || !unit.entries.is_empty() {
                    session.write(&self.store, unit).await?;
                }
                if part.ends {
                    self.session = None;
                }
            }
            outputs.extend(part.outputs);
        }
        Ok(outputs)
    }

    /// Whether nobody needs it any more.
    pub(crate) fn is_over(&self) -> bool {
        self.parts.is_empty() && self.session.is_none() && self.room.is_deserted()
    }
}

impl Session {
    fn of(open: &OpenSession) -> Self {
        Self {
            key: open.key.clone(),
            epoch: open.epoch,
            next_entry: open.next_entry,
            next_chat: open.next_chat,
            unsaved: 0,
        }
    }

    fn unit(&self, now: UnixMillis) -> Unit {
        Unit::new(self.key.clone(), self.epoch, self.next_entry, now)
    }

    /// Writes until it is written. Who waits for this room waits with it, others do not.
    async fn write(&mut self, store: &Store, unit: Unit) -> Result<(), Broken> {
        let after = unit.first_entry + unit.entries.len() as u64;
        let mut tries = 0;
        loop {
            let error = match store.commit(vec![unit.clone()]).await {
                Ok(()) => break,
                Err(error) => error,
            };
            match error {
                CommitError::Closed => return Err(Broken::Closed),
                // It was written, and the answer was lost.
                CommitError::EntryOutOfOrder { expected, .. }
                    if tries > 0 && expected == after && after > unit.first_entry =>
                {
                    break;
                }
                CommitError::Superseded if tries > 0 && unit.ended => break,
                CommitError::Superseded => return Err(Broken::Superseded),
                CommitError::Store(error) => wait_for_store(&error, &mut tries).await,
                error @ (CommitError::EntryOutOfOrder { .. }
                | CommitError::ChatOutOfOrder { .. }
                | CommitError::DuplicateMessage(_)) => return Err(Broken::Disagreement(error)),
            }
        }
        self.next_entry = after;
        self.next_chat += unit.chat.len() as u64;
        Ok(())
    }
}

async fn take_over(store: &Store, code: &RoomCode, now: UnixMillis) -> OpenSession {
    let mut tries = 0;
    loop {
        match store.open_session(code, now).await {
            Ok(open) => return open,
            Err(error) => wait_for_store(&error, &mut tries).await,
        }
    }
}

/// Tries again, less and less often.
pub(crate) async fn wait_for_store(error: &StoreError, tries: &mut u32) {
    tracing::warn!(%error, "a meeting waits for the store");
    tokio::time::sleep(Duration::from_millis(50 << (*tries).min(5))).await;
    *tries += 1;
}

/// Opens a session in which nothing has happened.
async fn open(store: &Store, code: &RoomCode, now: UnixMillis) -> Result<Session, Broken> {
    loop {
        let open = take_over(store, code, now).await;
        let mut session = Session::of(&open);
        if open.is_new() {
            return Ok(session);
        }
        tracing::warn!(%code, "a session that nobody ran is over");
        let mut unit = session.unit(now);
        unit.ended = true;
        session.write(store, unit).await?;
    }
}

/// The room after all that was stored.
fn replay(
    saved: Option<&str>,
    entries: &[String],
    settings: Settings,
) -> Result<Room, serde_json::Error> {
    let saved = serde_json::from_str(saved.unwrap_or_default())?;
    let mut room = Room::restore(saved, settings);
    for entry in entries {
        let Entry { now, input } = serde_json::from_str(entry)?;
        match input {
            Some(input) => room.handle(input, now),
            None => room.handle_timeout(now),
        }
        // It was said then.
        while room.poll().is_some() {}
    }
    Ok(room)
}
