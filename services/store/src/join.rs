use parvis_meeting::{Identity, ParticipantId, RoomCode, UnixMillis};
use ring::rand::{SecureRandom, SystemRandom};
use sqlx::{Any, Transaction};

use crate::{
    Secret, Store, StoreError,
    application::{json, parse},
    room,
    store::{signed, unsigned},
};

/// Who a participant is, as found out when the ticket was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// The participant.
    pub participant: ParticipantId,
    /// For which room.
    pub room: RoomCode,
    /// Who it is.
    pub identity: Identity,
    /// Until when it may come back with its secret.
    pub expires_at: UnixMillis,
}

/// A ticket to be given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJoin {
    /// For which room, whether it is there or not.
    pub room: RoomCode,
    /// Who it is.
    pub identity: Identity,
    /// Until when it may come back with its secret.
    pub expires_at: UnixMillis,
}

type Row = (String, String, String, i64);

impl Store {
    /// Notes a ticket for a new participant; with the secret it comes back as the same one.
    pub async fn create_join(
        &self,
        join: &NewJoin,
        now: UnixMillis,
    ) -> Result<(ParticipantId, Secret), StoreError> {
        let mut random = [0; 16];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| StoreError::NoRandomness)?;
        let participant = ParticipantId::from_random(random);
        let secret = Secret::random("pvr_")?;
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO joins (participant, room, identity, resume, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(participant.as_str())
        .bind(join.room.compact())
        .bind(json(&join.identity)?)
        .bind(secret.hash())
        .bind(signed(now.0))
        .bind(signed(join.expires_at.0))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok((participant, secret))
    }

    /// Notes that a participant comes back, if the secret is its and its identity is the same as then but
    /// for a name.
    pub async fn resume_join(
        &self,
        join: &NewJoin,
        secret: &Secret,
        now: UnixMillis,
    ) -> Result<Option<ParticipantId>, StoreError> {
        let mut transaction = self.begin().await?;
        let row: Option<(String, String)> = sqlx::query_as(
            "UPDATE joins SET expires_at = $3 WHERE room = $1 AND resume = $2 AND expires_at > $4 \
             RETURNING participant, identity",
        )
        .bind(join.room.compact())
        .bind(secret.hash())
        .bind(signed(join.expires_at.0))
        .bind(signed(now.0))
        .fetch_optional(&mut *transaction)
        .await?;
        let Some((participant, identity)) = row else {
            return Ok(None);
        };
        if !same_person(&parse(&identity)?, &join.identity) {
            return Ok(None);
        }
        sqlx::query("UPDATE joins SET identity = $2 WHERE participant = $1")
            .bind(participant.as_str())
            .bind(json(&join.identity)?)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        participant_id(&participant).map(Some)
    }

    /// Who a participant is; `None`: nobody who was given a ticket, or one for a room that is not there.
    pub async fn join(
        &self,
        participant: &ParticipantId,
        now: UnixMillis,
    ) -> Result<Option<Join>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT participant, room, identity, expires_at FROM joins \
             WHERE participant = $1 AND expires_at > $2 AND room IN (SELECT code FROM rooms)",
        )
        .bind(participant.as_str())
        .bind(signed(now.0))
        .fetch_optional(self.reads())
        .await?;
        row.map(read).transpose()
    }
}

/// Takes a ticket away.
pub(crate) async fn revoke(
    transaction: &mut Transaction<'static, Any>,
    participant: &ParticipantId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM joins WHERE participant = $1")
        .bind(participant.as_str())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn same_person(a: &Identity, b: &Identity) -> bool {
    match (a, b) {
        (Identity::Agent { account: a, .. }, Identity::Agent { account: b, .. }) => a == b,
        (Identity::Guest { device: a, .. }, Identity::Guest { device: b, .. }) => a == b,
        (Identity::Service { service: a, .. }, Identity::Service { service: b, .. }) => a == b,
        (Identity::Agent { .. } | Identity::Guest { .. } | Identity::Service { .. }, _) => false,
    }
}

fn read((participant, code, identity, expires_at): Row) -> Result<Join, StoreError> {
    Ok(Join {
        participant: participant_id(&participant)?,
        room: room::code(&code)?,
        identity: parse(&identity)?,
        expires_at: UnixMillis(unsigned(expires_at)),
    })
}

pub(crate) fn participant_id(text: &str) -> Result<ParticipantId, StoreError> {
    ParticipantId::new(text).map_err(|error| StoreError::Corrupt(error.to_string()))
}
