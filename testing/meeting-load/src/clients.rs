//! People, simulated.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use parvis::meeting::{
    JoinOptions, Meeting, MeetingState, Phase, RelayAddress, Ticket, TicketError, TicketSource,
};
use parvis_meeting::{
    AccountId, DeviceId, ErrorKind, Identity, ParticipantId, Policy, RoomCode, UnixMillis, tracks,
};
use parvis_store::{AuditEntry, NewAccount, NewJoin, NewRoom, Store};
use parvis_token::{Action, Claims, Grant, Signer, UnixTime};
use serde_json::Value;

use crate::raw::Raw;

/// Longer than anything takes.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Who joins, and where.
pub struct House {
    store: Store,
    signer: Arc<Signer>,
    relay: RelayAddress,
}

impl House {
    /// With what a relay said of itself.
    pub async fn open(folder: &Path, relay: &Value) -> anyhow::Result<Self> {
        let text = |field: &str| relay[field].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            store: Store::sqlite(&folder.join("parvis.db")).await?,
            signer: Arc::new(crate::services::signer()),
            relay: RelayAddress {
                url: text("url"),
                fingerprint: Some(text("fingerprint")),
            },
        })
    }

    /// A room and its owner.
    pub async fn room(&self, policy: Policy) -> anyhow::Result<(RoomCode, AccountId)> {
        let code = Store::new_code()?;
        let email = format!("owner-of-{}@example.org", code.compact());
        let owner = NewAccount::local(&email, "Owner");
        let owner = self.store.create_account(&owner, now()).await?;
        let room = NewRoom::new(code, "Load", &owner, policy);
        let audit = AuditEntry {
            at: now(),
            actor: owner.as_str().to_owned(),
            action: "create_room".to_owned(),
            details: "{}".to_owned(),
        };
        self.store.create_room(&room, &audit, &[], now()).await?;
        Ok((code, owner))
    }

    /// Joins as an agent.
    pub async fn agent(&self, code: &RoomCode, account: &AccountId) -> anyhow::Result<Meeting> {
        let identity = Identity::Agent {
            account: account.clone(),
            organisations: Vec::new(),
            name: "Owner".to_owned(),
            verified: true,
        };
        self.join(code, "Owner", identity).await
    }

    /// Joins as a guest.
    pub async fn guest(&self, code: &RoomCode, name: &str) -> anyhow::Result<Meeting> {
        let identity = Identity::Guest {
            device: DeviceId::new(name)?,
            name: name.to_owned(),
        };
        self.join(code, name, identity).await
    }

    /// Joins as a guest that does as it likes.
    pub async fn raw(&self, code: &RoomCode, name: &str) -> anyhow::Result<Raw> {
        let join = NewJoin {
            room: *code,
            identity: Identity::Guest {
                device: DeviceId::new(name)?,
                name: name.to_owned(),
            },
            expires_at: now().plus(Duration::from_hours(1)),
        };
        let (me, _) = self.store.create_join(&join, now()).await?;
        let (token, _) = ticket_token(&self.signer, code, &me)?;
        let fingerprint = self.relay.fingerprint.clone().unwrap_or_default();
        Raw::join(&self.relay.url, &fingerprint, code, me, token).await
    }

    async fn join(
        &self,
        code: &RoomCode,
        name: &str,
        identity: Identity,
    ) -> anyhow::Result<Meeting> {
        let (store, signer, relay) = (
            self.store.clone(),
            Arc::clone(&self.signer),
            self.relay.clone(),
        );
        let tickets = TicketSource::new(move |request| {
            let (store, signer) = (store.clone(), Arc::clone(&signer));
            let (identity, relay) = (identity.clone(), relay.clone());
            async move {
                let join = NewJoin {
                    room: request.code,
                    identity,
                    expires_at: now().plus(Duration::from_hours(1)),
                };
                let failed = |_| TicketError::Refused(ErrorKind::Unknown);
                let (participant, _) = store.create_join(&join, now()).await.map_err(failed)?;
                let (token, expires) = ticket_token(&signer, &request.code, &participant)
                    .map_err(|_| TicketError::Refused(ErrorKind::Unknown))?;
                Ok(Ticket {
                    participant,
                    code: request.code,
                    relay,
                    token,
                    resume: None,
                    expires: Some(expires),
                })
            }
        });
        let options = JoinOptions {
            connect_timeout: PATIENCE,
            ..JoinOptions::new(name, name)
        };
        let options = options.with_tickets(tickets);
        Ok(Meeting::join(&code.to_string(), options).await?)
    }
}

/// Waits until that is known.
pub async fn until(
    meeting: &Meeting,
    what: &str,
    holds: impl Fn(&MeetingState) -> bool,
) -> anyhow::Result<()> {
    let state = tokio::time::timeout(PATIENCE, meeting.wait_for(&holds)).await;
    let state = state.with_context(|| format!("{what} did not happen"))?;
    if !holds(&state) {
        bail!("{what} did not happen: {:?}", state.phase);
    }
    Ok(())
}

/// Waits until it is in and sees so many.
pub async fn sees(meeting: &Meeting, people: usize) -> anyhow::Result<()> {
    let holds = |state: &MeetingState| {
        state.phase == Phase::Connected
            && state.view.as_ref().is_some_and(|view| view.len() >= people)
    };
    until(meeting, "seeing everybody", holds).await
}

/// What lets somebody knock, and when it expires.
fn ticket_token(
    signer: &Signer,
    code: &RoomCode,
    participant: &ParticipantId,
) -> anyhow::Result<(String, UnixMillis)> {
    let expires = UnixTime(now().0 / 1000 + 3600);
    let (inbox, outbox) = (
        tracks::inbox(code, participant),
        tracks::outbox(code, participant),
    );
    let claims = Claims {
        grants: vec![
            Grant::exact([Action::Publish], inbox)?,
            Grant::exact([Action::Subscribe], outbox)?,
        ],
        ..Claims::new(participant.as_str(), expires)
    };
    Ok((signer.sign(&claims)?, UnixMillis(expires.0 * 1000)))
}

fn now() -> UnixMillis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    UnixMillis(since.unwrap_or_default().as_millis() as u64)
}
