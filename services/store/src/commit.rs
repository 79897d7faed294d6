use std::time::Duration;

use parvis_meeting::{AccountId, ParticipantId, Policy, Role, RoomCode, UnixMillis};
use sqlx::{Any, Transaction};

use crate::{
    AuditEntry, ChatLine, CommitError, Epoch, NewMail, SessionKey, Store, audit, join, outbox,
    role, room,
    store::{signed, unsigned},
};

/// What one or more inputs of a session caused: written whole or not at all.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Whose it is.
    pub session: SessionKey,
    /// Who writes it: [`OpenSession::epoch`](crate::OpenSession).
    pub epoch: Epoch,
    /// When.
    pub now: UnixMillis,
    /// The number of the first of the entries: as many as the session had before.
    pub first_entry: u64,
    /// What happened, as the meeting restores itself from it.
    pub entries: Vec<String>,
    /// The state after all of this; it replaces an older one and all entries.
    pub saved: Option<String>,
    /// Messages that everybody reads, with numbers that follow each other.
    pub chat: Vec<ChatLine>,
    /// Roles given or taken.
    pub roles: Vec<RoleChange>,
    /// The room's policy from then on.
    pub policy: Option<Policy>,
    /// Who cannot come back with the ticket it had.
    pub revoked: Vec<ParticipantId>,
    /// What is to be remembered of who did what.
    pub audit: Vec<AuditEntry>,
    /// E-mail to be sent.
    pub mail: Vec<NewMail>,
    /// Whether the session is over: its chat is purged 60 s later, or after the room's retention.
    pub ended: bool,
}

/// A role that an account has in a room from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleChange {
    /// Whose.
    pub account: AccountId,
    /// Which; `Guest`: none any more.
    pub role: Role,
}

impl Unit {
    /// A unit that does nothing so far.
    pub fn new(session: SessionKey, epoch: Epoch, first_entry: u64, now: UnixMillis) -> Self {
        Self {
            session,
            epoch,
            now,
            first_entry,
            entries: Vec::new(),
            saved: None,
            chat: Vec::new(),
            roles: Vec::new(),
            policy: None,
            revoked: Vec::new(),
            audit: Vec::new(),
            mail: Vec::new(),
            ended: false,
        }
    }
}

/// How long chat is kept after the end of a session whose room keeps nothing.
pub const CHAT_AFTER_END: Duration = Duration::from_mins(1);

impl Store {
    /// Writes units in one transaction, with those that others hand over at the same time. When this
    /// returns, they are on disk.
    ///
    /// Units of one session have to be handed over in order: wait, or put them into one call.
    pub async fn commit(&self, units: Vec<Unit>) -> Result<(), CommitError> {
        self.committer().commit(units).await
    }
}

pub(crate) async fn write(
    transaction: &mut Transaction<'static, Any>,
    unit: &Unit,
) -> Result<(), CommitError> {
    let running: Option<(String, i64, i64)> = sqlx::query_as(
        "UPDATE sessions SET epoch = epoch WHERE id = $1 AND epoch = $2 AND ended_at IS NULL \
         RETURNING room, entries, chat_next",
    )
    .bind(unit.session.as_str())
    .bind(signed(unit.epoch.0))
    .fetch_optional(&mut **transaction)
    .await?;
    let (room, entries, chat_next) = running.ok_or(CommitError::Superseded)?;
    let room: RoomCode = room::code(&room)?;
    let expected = unsigned(entries);
    if unit.first_entry != expected {
        return Err(CommitError::EntryOutOfOrder {
            expected,
            got: unit.first_entry,
        });
    }
    write_entries(transaction, unit).await?;
    let chat_next = write_chat(transaction, unit, unsigned(chat_next)).await?;
    sqlx::query("UPDATE sessions SET entries = $2, chat_next = $3 WHERE id = $1")
        .bind(unit.session.as_str())
        .bind(signed(expected + unit.entries.len() as u64))
        .bind(signed(chat_next))
        .execute(&mut **transaction)
        .await?;
    for change in &unit.roles {
        role::set(transaction, &room, &change.account, change.role).await?;
    }
    if let Some(policy) = &unit.policy {
        room::set_policy(transaction, &room, policy, unit.now).await?;
    }
    for participant in &unit.revoked {
        join::revoke(transaction, participant).await?;
    }
    for entry in &unit.audit {
        audit::write(transaction, entry, Some(&room), Some(&unit.session)).await?;
    }
    for mail in &unit.mail {
        outbox::write(transaction, mail, unit.now).await?;
    }
    if unit.ended {
        end(transaction, unit, &room).await?;
    }
    Ok(())
}

async fn write_entries(
    transaction: &mut Transaction<'static, Any>,
    unit: &Unit,
) -> Result<(), CommitError> {
    if let Some(saved) = &unit.saved {
        sqlx::query("UPDATE sessions SET saved = $2 WHERE id = $1")
            .bind(unit.session.as_str())
            .bind(saved.as_str())
            .execute(&mut **transaction)
            .await?;
        sqlx::query("DELETE FROM journal WHERE session = $1")
            .bind(unit.session.as_str())
            .execute(&mut **transaction)
            .await?;
        return Ok(());
    }
    for (number, entry) in (unit.first_entry..).zip(&unit.entries) {
        sqlx::query("INSERT INTO journal (session, entry, body) VALUES ($1, $2, $3)")
            .bind(unit.session.as_str())
            .bind(signed(number))
            .bind(entry.as_str())
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

async fn write_chat(
    transaction: &mut Transaction<'static, Any>,
    unit: &Unit,
    mut next: u64,
) -> Result<u64, CommitError> {
    for line in &unit.chat {
        if line.seq.0 != next {
            return Err(CommitError::ChatOutOfOrder {
                expected: next,
                got: line.seq.0,
            });
        }
        let written = sqlx::query(
            "INSERT INTO chat (session, seq, participant, client_id, body) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT DO NOTHING",
        )
        .bind(unit.session.as_str())
        .bind(signed(line.seq.0))
        .bind(line.participant.as_str())
        .bind(line.client_id.as_str())
        .bind(line.body.as_str())
        .execute(&mut **transaction)
        .await?;
        if written.rows_affected() == 0 {
            return Err(CommitError::DuplicateMessage(line.client_id.clone()));
        }
        next += 1;
    }
    Ok(next)
}

async fn end(
    transaction: &mut Transaction<'static, Any>,
    unit: &Unit,
    room: &RoomCode,
) -> Result<(), CommitError> {
    let retention: Option<(Option<i64>,)> =
        sqlx::query_as("SELECT retention FROM rooms WHERE code = $1")
            .bind(room.compact())
            .fetch_optional(&mut **transaction)
            .await?;
    let kept = retention
        .and_then(|(retention,)| retention)
        .map_or(CHAT_AFTER_END.as_millis() as u64, unsigned);
    // There is nothing to go on with any more, and what was said stands in it, whatever its policy.
    sqlx::query("DELETE FROM journal WHERE session = $1")
        .bind(unit.session.as_str())
        .execute(&mut **transaction)
        .await?;
    sqlx::query("UPDATE sessions SET ended_at = $2, purge_at = $3, saved = NULL WHERE id = $1")
        .bind(unit.session.as_str())
        .bind(signed(unit.now.0))
        .bind(signed(unit.now.0.saturating_add(kept)))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
