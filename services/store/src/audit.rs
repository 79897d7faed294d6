use parvis_meeting::{RoomCode, UnixMillis};
use sqlx::{Any, Transaction};

use crate::{
    SessionKey, Store, StoreError,
    id::new_id,
    store::{signed, unsigned},
};

/// Something that somebody did and that is to be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: UnixMillis,
    /// Who: an account, a participant, or an application.
    pub actor: String,
    /// What, as in `remove`.
    pub action: String,
    /// To whom and how, as JSON.
    pub details: String,
}

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// The session it happened in.
    pub session: Option<SessionKey>,
    /// What happened.
    pub entry: AuditEntry,
}

type Row = (i64, Option<String>, String, String, String);

impl Store {
    /// The newest lines of a room, newest first, 1000 at most.
    pub async fn audit_log(&self, room: &RoomCode) -> Result<Vec<AuditLine>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT at, session, actor, action, details FROM audit WHERE room = $1 \
             ORDER BY at DESC, id DESC LIMIT 1000",
        )
        .bind(room.compact())
        .fetch_all(self.reads())
        .await?;
        Ok(rows.into_iter().map(line).collect())
    }

    /// The newest lines of what somebody did, newest first, 1000 at most.
    pub async fn audit_log_of(&self, actor: &str) -> Result<Vec<AuditLine>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT at, session, actor, action, details FROM audit WHERE actor = $1 \
             ORDER BY at DESC, id DESC LIMIT 1000",
        )
        .bind(actor)
        .fetch_all(self.reads())
        .await?;
        Ok(rows.into_iter().map(line).collect())
    }
}

fn line((at, session, actor, action, details): Row) -> AuditLine {
    AuditLine {
        session: session.map(SessionKey),
        entry: AuditEntry {
            at: UnixMillis(unsigned(at)),
            actor,
            action,
            details,
        },
    }
}

pub(crate) async fn write(
    transaction: &mut Transaction<'static, Any>,
    entry: &AuditEntry,
    room: Option<&RoomCode>,
    session: Option<&SessionKey>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (id, at, room, session, actor, action, details) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(new_id(entry.at)?)
    .bind(signed(entry.at.0))
    .bind(room.map(|room| room.compact().to_owned()))
    .bind(session.map(|session| session.as_str().to_owned()))
    .bind(entry.actor.as_str())
    .bind(entry.action.as_str())
    .bind(entry.details.as_str())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
