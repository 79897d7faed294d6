use std::collections::BTreeMap;

use parvis_meeting::{AccountId, ErrorKind, Role, Roles, RoomCode};
use sqlx::{Any, Transaction};

use crate::{
    AuditEntry, Store, StoreError,
    account::account_id,
    application::{json, parse},
    audit,
};

impl Store {
    /// Who has which role in a room; `None`: there is no such room.
    pub async fn roles(&self, room: &RoomCode) -> Result<Option<Roles>, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT account, role FROM roles WHERE room = $1")
                .bind(room.compact())
                .fetch_all(self.reads())
                .await?;
        read(&rows)
    }

    /// Gives an account a role, or takes it away with [`Role::Guest`]. The room keeps an owner.
    pub async fn set_role(
        &self,
        room: &RoomCode,
        account: &AccountId,
        role: Role,
        audit: &AuditEntry,
    ) -> Result<Result<(), ErrorKind>, StoreError> {
        let mut transaction = self.begin().await?;
        // Others who change roles of this room wait for each other here.
        sqlx::query("UPDATE rooms SET changed_at = changed_at WHERE code = $1")
            .bind(room.compact())
            .execute(&mut *transaction)
            .await?;
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT account, role FROM roles WHERE room = $1")
                .bind(room.compact())
                .fetch_all(&mut *transaction)
                .await?;
        let Some(mut roles) = read(&rows)? else {
            return Ok(Err(ErrorKind::NotFound));
        };
        if let Err(refusal) = roles.set(account.clone(), role) {
            return Ok(Err(refusal));
        }
        set(&mut transaction, room, account, role).await?;
        audit::write(&mut transaction, audit, Some(room), None).await?;
        transaction.commit().await?;
        self.room_changed(room);
        Ok(Ok(()))
    }
}

/// Writes a role; of a room that is gone meanwhile, nothing.
pub(crate) async fn set(
    transaction: &mut Transaction<'static, Any>,
    room: &RoomCode,
    account: &AccountId,
    role: Role,
) -> Result<(), StoreError> {
    if role == Role::Guest {
        sqlx::query("DELETE FROM roles WHERE room = $1 AND account = $2")
            .bind(room.compact())
            .bind(account.as_str())
            .execute(&mut **transaction)
            .await?;
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO roles (room, account, role) \
         SELECT code, $2, $3 FROM rooms WHERE code = $1 \
         ON CONFLICT (room, account) DO UPDATE SET role = excluded.role",
    )
    .bind(room.compact())
    .bind(account.as_str())
    .bind(name(role)?)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn read(rows: &[(String, String)]) -> Result<Option<Roles>, StoreError> {
    let role = |(account, role): &(String, String)| {
        Ok((account_id(account)?, parse::<Role>(&format!("\"{role}\""))?))
    };
    let roles: BTreeMap<_, _> = rows.iter().map(role).collect::<Result<_, StoreError>>()?;
    // A room without an owner is one that is not there.
    Ok(Roles::try_from(roles).ok())
}

/// The word that stands in messages too.
fn name(role: Role) -> Result<String, StoreError> {
    Ok(json(&role)?.trim_matches('"').to_owned())
}
