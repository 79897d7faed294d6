use parvis_meeting::{RoomCode, SessionId, UnixMillis};

use crate::{
    Epoch, SessionKey, Store, StoreError,
    id::new_id,
    room,
    store::{signed, unsigned},
};

/// A session that an authority runs, and what it begins from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// Which, among those of all rooms.
    pub key: SessionKey,
    /// Which, among those of its room.
    pub id: SessionId,
    /// Under which number this authority writes; an older one's units are refused from then on.
    pub epoch: Epoch,
    /// The state that was saved last.
    pub saved: Option<String>,
    /// What happened since.
    pub entries: Vec<String>,
    /// The number of the next entry.
    pub next_entry: u64,
    /// The number of the next chat message.
    pub next_chat: u64,
}

impl OpenSession {
    /// Whether nothing happened in it so far.
    pub fn is_new(&self) -> bool {
        self.saved.is_none() && self.next_entry == 0
    }
}

impl Store {
    /// Takes over the running session of a room, or begins one.
    pub async fn open_session(
        &self,
        room: &RoomCode,
        now: UnixMillis,
    ) -> Result<OpenSession, StoreError> {
        let mut transaction = self.begin().await?;
        // Locations of chat and state are named from the beginning of the session: a new one begins behind
        // all that the one before it used.
        let before: Option<(i64, i64)> = sqlx::query_as(
            "SELECT started_at, chat_next FROM sessions WHERE room = $1 \
             ORDER BY started_at DESC LIMIT 1",
        )
        .bind(room.compact())
        .fetch_optional(&mut *transaction)
        .await?;
        let used = before.map_or(0, |(started_at, chat)| {
            unsigned(started_at) + unsigned(chat) + 1
        });
        // Where two begin at once, one of them waits here and then takes the other's over.
        sqlx::query(
            "INSERT INTO sessions (id, room, epoch, entries, chat_next, started_at) \
             VALUES ($1, $2, 0, 0, 0, $3) ON CONFLICT DO NOTHING",
        )
        .bind(new_id(now)?)
        .bind(room.compact())
        .bind(signed(now.0.max(used)))
        .execute(&mut *transaction)
        .await?;
        let (key, epoch, entries, chat_next, saved, started_at): (
            String,
            i64,
            i64,
            i64,
            Option<String>,
            i64,
        ) = sqlx::query_as(
            "UPDATE sessions SET epoch = epoch + 1 WHERE room = $1 AND ended_at IS NULL \
             RETURNING id, epoch, entries, chat_next, saved, started_at",
        )
        .bind(room.compact())
        .fetch_one(&mut *transaction)
        .await?;
        let journal: Vec<(String,)> =
            sqlx::query_as("SELECT body FROM journal WHERE session = $1 ORDER BY entry")
                .bind(key.as_str())
                .fetch_all(&mut *transaction)
                .await?;
        transaction.commit().await?;
        Ok(OpenSession {
            key: SessionKey(key),
            id: SessionId(unsigned(started_at)),
            epoch: Epoch(unsigned(epoch)),
            saved,
            entries: journal.into_iter().map(|(body,)| body).collect(),
            next_entry: unsigned(entries),
            next_chat: unsigned(chat_next),
        })
    }

    /// The rooms in which a session runs, as an authority finds them when it starts.
    pub async fn running_rooms(&self) -> Result<Vec<RoomCode>, StoreError> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT room FROM sessions WHERE ended_at IS NULL ORDER BY started_at")
                .fetch_all(self.reads())
                .await?;
        rows.iter().map(|(code,)| room::code(code)).collect()
    }
}
