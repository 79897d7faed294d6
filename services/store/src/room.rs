use std::time::Duration;

use parvis_meeting::{AccountId, Policy, Role, RoomCode, UnixMillis};
use ring::rand::{SecureRandom, SystemRandom};
use sqlx::{Any, Transaction};

use crate::{
    AuditEntry, NewMail, Store, StoreError,
    account::{account_id, lower},
    application::{json, parse},
    audit, outbox, role,
    store::{signed, unsigned},
};

/// A durable meeting place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its code.
    pub code: RoomCode,
    /// What it is called.
    pub title: String,
    /// Who made it.
    pub creator: AccountId,
    /// What hosts set for it.
    pub policy: Policy,
    /// How long chat is kept after a session; `None`: 60 seconds.
    pub retention: Option<Duration>,
    /// When people meet there.
    pub schedule: Option<Schedule>,
    /// How often invitations were sent.
    pub invitation: u64,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it was changed last.
    pub changed_at: UnixMillis,
}

/// When people meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The beginning.
    pub starts_at: UnixMillis,
    /// How long it is meant to last.
    pub lasts: Duration,
}

/// A room to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRoom {
    /// Its code, from [`Store::new_code`].
    pub code: RoomCode,
    /// What it is called.
    pub title: String,
    /// Who makes it, and is its first owner.
    pub creator: AccountId,
    /// What its owner sets for it.
    pub policy: Policy,
    /// How long chat is kept after a session.
    pub retention: Option<Duration>,
    /// When people meet there.
    pub schedule: Option<Schedule>,
    /// Who is invited by e-mail.
    pub invitees: Vec<String>,
}

impl NewRoom {
    /// A room for meetings at any time, to which nobody is invited by e-mail.
    pub fn new(code: RoomCode, title: &str, creator: &AccountId, policy: Policy) -> Self {
        Self {
            code,
            title: title.to_owned(),
            creator: creator.clone(),
            policy,
            retention: None,
            schedule: None,
            invitees: Vec::new(),
        }
    }
}

/// What becomes different about a room; `None`: stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomChange {
    /// Another title.
    pub title: Option<String>,
    /// Another policy.
    pub policy: Option<Policy>,
    /// The policy that the other one was made from: what a meeting changed since then stays.
    pub policy_was: Option<Policy>,
    /// Another retention, or none.
    pub retention: Option<Option<Duration>>,
    /// Another schedule, or none.
    pub schedule: Option<Option<Schedule>>,
    /// Other invitees.
    pub invitees: Option<Vec<String>>,
    /// Whether invitations are sent, which are counted.
    pub invites: bool,
}

impl RoomChange {
    /// The policy, where it is so by now.
    fn policy_over(&self, now: &Policy) -> Policy {
        let Some(wanted) = &self.policy else {
            return now.clone();
        };
        let Some(was) = &self.policy_was else {
            return wanted.clone();
        };
        // Whose agents are trusted belongs to who enters.
        let enters = |policy: &Policy| (policy.access, policy.organisation.clone());
        let (access, organisation) = changed(&enters(was), enters(wanted), enters(now));
        Policy {
            access,
            organisation,
            host_gate: changed(&was.host_gate, wanted.host_gate, now.host_gate),
            history: changed(&was.history, wanted.history, now.history),
            encrypted: changed(&was.encrypted, wanted.encrypted, now.encrypted),
            retention: changed(&was.retention, wanted.retention, now.retention),
        }
    }
}

fn changed<T: PartialEq>(was: &T, wanted: T, now: T) -> T {
    if *was == wanted { now } else { wanted }
}

type Row = (
    String,
    String,
    String,
    String,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    i64,
    i64,
    i64,
);

impl Store {
    /// A code that nobody guesses.
    pub fn new_code() -> Result<RoomCode, StoreError> {
        let mut random = [0; 16];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| StoreError::NoRandomness)?;
        Ok(RoomCode::from_random(random))
    }

    /// Makes a room, and with it what it causes.
    pub async fn create_room(
        &self,
        room: &NewRoom,
        audit: &AuditEntry,
        mail: &[NewMail],
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO rooms (code, title, owner, policy, retention, starts_at, lasts, invitation, \
             created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
        )
        .bind(room.code.compact())
        .bind(room.title.as_str())
        .bind(room.creator.as_str())
        .bind(json(&room.policy)?)
        .bind(room.retention.map(millis))
        .bind(room.schedule.map(|schedule| signed(schedule.starts_at.0)))
        .bind(room.schedule.map(|schedule| millis(schedule.lasts)))
        .bind(i64::from(!mail.is_empty()))
        .bind(signed(now.0))
        .execute(&mut *transaction)
        .await
        .map_err(|error| StoreError::taken(error, "a room with that code"))?;
        role::set(&mut transaction, &room.code, &room.creator, Role::Owner).await?;
        set_invitees(&mut transaction, &room.code, &room.invitees).await?;
        audit::write(&mut transaction, audit, Some(&room.code), None).await?;
        for mail in mail {
            outbox::write(&mut transaction, mail, now).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Finds a room.
    pub async fn room(&self, code: &RoomCode) -> Result<Option<Room>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT code, title, owner, policy, retention, starts_at, lasts, invitation, created_at, \
             changed_at FROM rooms WHERE code = $1",
        )
        .bind(code.compact())
        .fetch_optional(self.reads())
        .await?;
        row.map(read).transpose()
    }

    /// The rooms in which an account moderates, the newest first, those of one moment by code: up to `most`, after the
    /// one that was made then and has that code.
    pub async fn rooms_of(
        &self,
        account: &AccountId,
        after: Option<(UnixMillis, RoomCode)>,
        most: u32,
    ) -> Result<Vec<Room>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT code, title, owner, policy, retention, starts_at, lasts, invitation, created_at, \
             changed_at FROM rooms WHERE (created_at < $2 OR (created_at = $2 AND code > $4)) \
             AND code IN \
             (SELECT room FROM roles WHERE account = $1 AND role IN ('owner', 'administrator')) \
             ORDER BY created_at DESC, code LIMIT $3",
        )
        .bind(account.as_str())
        .bind(after.map_or(i64::MAX, |(at, _)| signed(at.0)))
        .bind(i64::from(most))
        .bind(after.map_or_else(String::new, |(_, code)| code.compact().to_owned()))
        .fetch_all(self.reads())
        .await?;
        rows.into_iter().map(read).collect()
    }

    /// Changes a room, and writes what that causes.
    pub async fn change_room(
        &self,
        code: &RoomCode,
        change: &RoomChange,
        audit: &AuditEntry,
        mail: &[NewMail],
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let row: Option<Row> = sqlx::query_as(
            "UPDATE rooms SET changed_at = $2, invitation = invitation + $3 WHERE code = $1 \
             RETURNING code, title, owner, policy, retention, starts_at, lasts, invitation, \
             created_at, changed_at",
        )
        .bind(code.compact())
        .bind(signed(now.0))
        .bind(i64::from(change.invites))
        .fetch_optional(&mut *transaction)
        .await?;
        let room = row.map(read).transpose()?;
        let room = room.ok_or(StoreError::Missing("a room with that code"))?;
        let policy = change.policy_over(&room.policy);
        let schedule = change.schedule.unwrap_or(room.schedule);
        sqlx::query(
            "UPDATE rooms SET title = $2, policy = $3, retention = $4, starts_at = $5, lasts = $6 \
             WHERE code = $1",
        )
        .bind(code.compact())
        .bind(change.title.as_ref().unwrap_or(&room.title).as_str())
        .bind(json(&policy)?)
        .bind(change.retention.unwrap_or(room.retention).map(millis))
        .bind(schedule.map(|schedule| signed(schedule.starts_at.0)))
        .bind(schedule.map(|schedule| millis(schedule.lasts)))
        .execute(&mut *transaction)
        .await?;
        if let Some(invitees) = &change.invitees {
            sqlx::query("DELETE FROM invitees WHERE room = $1")
                .bind(code.compact())
                .execute(&mut *transaction)
                .await?;
            set_invitees(&mut transaction, code, invitees).await?;
        }
        audit::write(&mut transaction, audit, Some(code), None).await?;
        for mail in mail {
            outbox::write(&mut transaction, mail, now).await?;
        }
        transaction.commit().await?;
        self.room_changed(code);
        Ok(())
    }

    /// Takes a room away; whoever is in it is told so by those who watch [`changes`](Self::changes).
    pub async fn delete_room(
        &self,
        code: &RoomCode,
        audit: &AuditEntry,
        mail: &[NewMail],
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let deleted = sqlx::query("DELETE FROM rooms WHERE code = $1")
            .bind(code.compact())
            .execute(&mut *transaction)
            .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        audit::write(&mut transaction, audit, Some(code), None).await?;
        for mail in mail {
            outbox::write(&mut transaction, mail, now).await?;
        }
        transaction.commit().await?;
        self.room_changed(code);
        Ok(true)
    }

    /// Who is invited by e-mail.
    pub async fn invitees(&self, code: &RoomCode) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT email FROM invitees WHERE room = $1 ORDER BY email")
                .bind(code.compact())
                .fetch_all(self.reads())
                .await?;
        Ok(rows.into_iter().map(|(email,)| email).collect())
    }
}

/// Gives a room a policy; one that is gone meanwhile needs none.
pub(crate) async fn set_policy(
    transaction: &mut Transaction<'static, Any>,
    code: &RoomCode,
    policy: &Policy,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE rooms SET policy = $2, changed_at = $3 WHERE code = $1")
        .bind(code.compact())
        .bind(json(policy)?)
        .bind(signed(now.0))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

async fn set_invitees(
    transaction: &mut Transaction<'static, Any>,
    code: &RoomCode,
    invitees: &[String],
) -> Result<(), StoreError> {
    for email in invitees {
        sqlx::query("INSERT INTO invitees (room, email) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(code.compact())
            .bind(lower(email))
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

fn read(row: Row) -> Result<Room, StoreError> {
    let (text, title, creator, policy, retention, starts_at, lasts, invitation, created, changed) =
        row;
    let schedule = starts_at.zip(lasts).map(|(starts_at, lasts)| Schedule {
        starts_at: UnixMillis(unsigned(starts_at)),
        lasts: Duration::from_millis(unsigned(lasts)),
    });
    Ok(Room {
        code: code(&text)?,
        title,
        creator: account_id(&creator)?,
        policy: parse(&policy)?,
        retention: retention.map(|kept| Duration::from_millis(unsigned(kept))),
        schedule,
        invitation: unsigned(invitation),
        created_at: UnixMillis(unsigned(created)),
        changed_at: UnixMillis(unsigned(changed)),
    })
}

pub(crate) fn code(text: &str) -> Result<RoomCode, StoreError> {
    RoomCode::parse(text).map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
