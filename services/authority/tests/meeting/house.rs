//! A relay that asks for tokens, a store, an authority, and people.
use std::{
    fs,
    future::Future,
    net::SocketAddr,
    num::NonZeroUsize,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use parvis::{
    Draft, Trust, TrustSource,
    meeting::{
        AccessLevel, DisconnectReason, JoinOptions, Lobby, Meeting, MeetingEvent, MeetingEvents,
        MeetingState, Phase, RelayAddress, Target, Ticket, TicketError, TicketSource,
    },
};
use parvis_authority::{Authority, AuthorityOptions, RelayControl};
use parvis_meeting::{
    AccountId, DeviceId, ErrorKind, Identity, ParticipantId, Policy, RoomCode, Settings,
    UnixMillis, tracks,
};
use parvis_relay::{Config, Relay, Running};
use parvis_store::{AuditEntry, NewAccount, NewJoin, NewRoom, Secret, Store};
use parvis_token::{Action, Claims, Grant, Signer, UnixTime};
use tempfile::TempDir;

use crate::path::Path;

/// Longer than anything here takes on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(1);
const SECRET: &str = "the secret of this relay's control";
const SEED: [u8; 32] = [5; 32];

pub struct House {
    relay: Option<Running>,
    config: Config,
    pub store: Store,
    pub signer: Arc<Signer>,
    pub settings: Settings,
    pub authority: Option<Authority>,
    /// The fingerprint of the certificate that the relay shows by now.
    shown: Arc<Mutex<String>>,
    folder: TempDir,
}

pub fn now() -> UnixMillis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    UnixMillis(u64::try_from(since.as_millis()).expect("before long"))
}

impl House {
    pub async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Self {
        Self::built(settings, |_| {}).await
    }

    /// With a relay that is told more.
    pub async fn built(settings: Settings, tell: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = folder.path().join("keys.json");
        fs::write(&keys, Signer::from_seed(&SEED).key_set()).expect("keys");
        let secret = folder.path().join("secret");
        fs::write(&secret, SECRET).expect("a secret");
        // The same after a restart.
        let (cert, key) = certificate(&folder);
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let mut config = Config {
            listen: any,
            cert: Some(cert),
            key: Some(key),
            threads: NonZeroUsize::new(2).expect("not zero"),
            fill: 0,
            auth_keys: Some(keys.display().to_string()),
            auth_publish_under: vec!["parvis.control/out".to_owned()],
            control: Some(any),
            control_secret: Some(secret),
            ..Config::default()
        };
        tell(&mut config);
        let store = Store::sqlite(&folder.path().join("parvis.db")).await;
        let relay = Relay::start(config.clone()).expect("the relay starts");
        let mut house = Self {
            config: Config {
                listen: relay.local_addr(),
                control: relay.control_addr(),
                ..config
            },
            relay: Some(relay),
            store: store.expect("the store opens"),
            signer: Arc::new(Signer::from_seed(&SEED)),
            settings,
            authority: None,
            shown: Arc::default(),
            folder,
        };
        house.note_fingerprint();
        house.start_authority().await;
        house
    }

    /// A room that everybody enters, and its host in it.
    pub async fn public() -> (Self, RoomCode, Meeting) {
        let house = Self::new().await;
        let (code, host) = house.open().await;
        (house, code, host)
    }

    /// The same, of a house that is there.
    pub async fn open(&self) -> (RoomCode, Meeting) {
        let zoe = self.account("Zoe").await;
        let public = Policy {
            access: AccessLevel::Public,
            ..Policy::default()
        };
        let code = self.room(&zoe, public).await;
        let host = self.agent(&code, &zoe, "Zoe").await;
        connected(&host).await;
        (code, host)
    }

    /// A guest who is in a public room.
    pub async fn member(&self, code: &RoomCode, name: &str) -> Meeting {
        let guest = self.guest(code, name).await;
        connected(&guest).await;
        guest
    }

    pub fn relay(&self) -> &Running {
        self.relay.as_ref().expect("it runs")
    }

    /// Ends the relay at once, and with it every connection.
    pub async fn stop_relay(&mut self) {
        let relay = self.relay.take().expect("it runs");
        let stopping = tokio::task::spawn_blocking(move || drop(relay));
        soon("the end of the relay", stopping)
            .await
            .expect("it ends");
    }

    /// Starts it where it was.
    pub fn start_relay(&mut self) {
        let relay = Relay::start(self.config.clone());
        self.relay = Some(relay.expect("the relay starts"));
        self.note_fingerprint();
    }

    /// The next relay shows another certificate.
    pub fn renew_certificate(&self) {
        certificate(&self.folder);
    }

    fn note_fingerprint(&self) {
        let fingerprint = self.relay().fingerprint().to_string();
        *self.shown.lock().expect("nobody panics") = fingerprint;
    }

    pub async fn start_authority(&mut self) {
        let control = self.relay().control_addr().expect("it takes orders");
        let control = RelayControl::new(control, SECRET);
        let (signer, store) = (Arc::clone(&self.signer), self.store.clone());
        let options = AuthorityOptions {
            trust: self.trust_by_now(),
            meeting: self.settings,
            ..AuthorityOptions::new(self.url(), control, signer, store)
        };
        let authority = soon("the authority", Authority::start(options)).await;
        self.authority = Some(authority.expect("it starts"));
    }

    pub async fn stop_authority(&mut self) {
        let authority = self.authority.take().expect("it runs");
        soon("the end of the authority", authority.close()).await;
    }

    pub fn url(&self) -> String {
        format!("moqt://{}", self.relay().local_addr())
    }

    pub fn trust(&self) -> Trust {
        Trust::Fingerprint(self.relay().fingerprint().to_string())
    }

    /// That, at each connect.
    fn trust_by_now(&self) -> Trust {
        let shown = Arc::clone(&self.shown);
        Trust::Asked(TrustSource::new(move || {
            Trust::Fingerprint(shown.lock().expect("nobody panics").clone())
        }))
    }

    pub async fn account(&self, name: &str) -> AccountId {
        let email = format!("{}@example.org", name.to_lowercase());
        let account = NewAccount::local(&email, name);
        let made = self.store.create_account(&account, now()).await;
        made.expect("an account")
    }

    pub async fn room(&self, owner: &AccountId, policy: Policy) -> RoomCode {
        let code = Store::new_code().expect("a code");
        let room = NewRoom::new(code, "Test", owner, policy);
        let audit = AuditEntry {
            at: now(),
            actor: owner.as_str().to_owned(),
            action: "create_room".to_owned(),
            details: "{}".to_owned(),
        };
        let made = self.store.create_room(&room, &audit, &[], now()).await;
        made.expect("a room");
        code
    }

    /// What the HTTP service does, for a relay that is reached by that URL.
    fn tickets(&self, identity: Identity, url: String) -> TicketSource {
        let (store, signer) = (self.store.clone(), Arc::clone(&self.signer));
        let shown = Arc::clone(&self.shown);
        TicketSource::new(move |request| {
            let (store, signer) = (store.clone(), Arc::clone(&signer));
            let identity = identity.clone();
            let relay = RelayAddress {
                url: url.clone(),
                fingerprint: Some(shown.lock().expect("nobody panics").clone()),
            };
            async move {
                let join = NewJoin {
                    room: request.code,
                    identity,
                    expires_at: now().plus(Duration::from_hours(1)),
                };
                let made = store.create_join(&join, now()).await;
                let failed = |_| TicketError::Refused(ErrorKind::Unknown);
                let (participant, secret): (ParticipantId, Secret) = made.map_err(failed)?;
                let (token, expires) = ticket_token(&signer, &request.code, &participant);
                Ok(Ticket {
                    participant,
                    code: request.code,
                    relay,
                    token,
                    resume: Some(secret.reveal().to_owned()),
                    expires: Some(expires),
                })
            }
        })
    }

    pub async fn agent(&self, code: &RoomCode, account: &AccountId, name: &str) -> Meeting {
        let identity = Identity::Agent {
            account: account.clone(),
            organisations: Vec::new(),
            name: name.to_owned(),
            verified: true,
        };
        self.join(code, identity, name, Draft::D22, self.url())
            .await
    }

    pub async fn guest(&self, code: &RoomCode, name: &str) -> Meeting {
        self.guest_in(code, name, Draft::D22).await
    }

    pub async fn guest_in(&self, code: &RoomCode, name: &str, draft: Draft) -> Meeting {
        self.join(code, guest(name), name, draft, self.url()).await
    }

    /// A guest who reaches the relay through a path, and is in a public room.
    pub async fn member_by(&self, path: &Path, code: &RoomCode, name: &str) -> Meeting {
        let guest = self.join(code, guest(name), name, Draft::D22, path.url());
        let guest = guest.await;
        connected(&guest).await;
        guest
    }

    /// The same, whose commands wait so long for an answer.
    pub async fn impatient(
        &self,
        path: &Path,
        code: &RoomCode,
        name: &str,
        command_timeout: Duration,
    ) -> Meeting {
        let options = JoinOptions {
            command_timeout,
            ..options(name, Draft::D22)
        };
        let guest = self.join_with(code, guest(name), path.url(), options);
        let guest = guest.await;
        connected(&guest).await;
        guest
    }

    async fn join(
        &self,
        code: &RoomCode,
        identity: Identity,
        name: &str,
        draft: Draft,
        url: String,
    ) -> Meeting {
        let options = options(name, draft);
        self.join_with(code, identity, url, options).await
    }

    async fn join_with(
        &self,
        code: &RoomCode,
        identity: Identity,
        url: String,
        options: JoinOptions,
    ) -> Meeting {
        let options = options.with_tickets(self.tickets(identity, url));
        let joined = soon("joining", Meeting::join(&code.to_string(), options)).await;
        joined.expect("it joins")
    }

    /// The relay's sessions, as its control API tells them.
    pub async fn sessions(&self) -> Vec<serde_json::Value> {
        let address = self.relay().control_addr().expect("it takes orders");
        let asking = tokio::task::spawn_blocking(move || {
            let agent = ureq::Agent::new_with_defaults();
            let answer = agent
                .get(format!("http://{address}/v1/sessions"))
                .header("Authorization", format!("Bearer {SECRET}"))
                .call();
            let text = answer.expect("it answers").body_mut().read_to_string();
            serde_json::from_str(&text.expect("text")).expect("JSON")
        });
        let sessions: serde_json::Value = asking.await.expect("it asks");
        sessions["sessions"].as_array().expect("a list").clone()
    }
}

/// Writes a certificate and its key; returns where.
fn certificate(folder: &TempDir) -> (PathBuf, PathBuf) {
    let named = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
    let certificate = named.expect("a certificate");
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    fs::write(&cert, certificate.cert.pem()).expect("a certificate");
    fs::write(&key, certificate.signing_key.serialize_pem()).expect("a key");
    (cert, key)
}

fn options(name: &str, draft: Draft) -> JoinOptions {
    JoinOptions {
        drafts: vec![draft],
        connect_timeout: PATIENCE,
        ..JoinOptions::new(name, format!("device-of-{name}"))
    }
}

fn guest(name: &str) -> Identity {
    let device = DeviceId::new(&format!("device-of-{name}")).expect("an id");
    Identity::Guest {
        device,
        name: name.to_owned(),
    }
}

/// What lets somebody knock, and when it expires: what the HTTP service signs.
pub fn ticket_token(
    signer: &Signer,
    code: &RoomCode,
    participant: &ParticipantId,
) -> (String, UnixMillis) {
    let expires = UnixTime(now().0 / 1000 + 3600);
    let (inbox, outbox) = (
        tracks::inbox(code, participant),
        tracks::outbox(code, participant),
    );
    let claims = Claims {
        grants: vec![
            Grant::exact([Action::Publish], inbox).expect("it has fields"),
            Grant::exact([Action::Subscribe], outbox).expect("it has fields"),
        ],
        ..Claims::new(participant.as_str(), expires)
    };
    let token = signer.sign(&claims).expect("it signs");
    (token, UnixMillis(expires.0 * 1000))
}

/// Waits until somebody is in.
pub async fn connected(meeting: &Meeting) -> Arc<MeetingState> {
    let state = soon("being in", meeting.wait_for(MeetingState::is_connected)).await;
    assert!(state.is_connected(), "{:?}", state.phase);
    state
}

/// Waits until somebody is so in the lobby.
pub async fn in_lobby(meeting: &Meeting, is: impl Fn(&Lobby) -> bool) {
    let holds = |state: &MeetingState| matches!(&state.phase, Phase::InLobby(lobby) if is(lobby));
    let state = soon("being in the lobby", meeting.wait_for(holds)).await;
    assert!(holds(&state), "{:?}", state.phase);
}

pub async fn waiting(meeting: &Meeting) {
    in_lobby(meeting, |lobby| matches!(lobby, Lobby::Waiting { .. })).await;
}

pub async fn disconnected(meeting: &Meeting) -> DisconnectReason {
    let over = |state: &MeetingState| matches!(state.phase, Phase::Disconnected(_));
    let state = soon("the end", meeting.wait_for(over)).await;
    match &state.phase {
        Phase::Disconnected(reason) => reason.clone(),
        other => panic!("{other:?}"),
    }
}

/// Lets somebody in who waits.
pub async fn admit(host: &Meeting, guest: &Meeting) {
    waiting(guest).await;
    let me = guest.state().me.clone();
    let known = |state: &MeetingState| state.lobby.iter().any(|w| w.participant == me);
    soon("the knock", host.wait_for(known)).await;
    let admitted = host.admit(Target::One(me.clone())).await;
    admitted.expect("it is a host");
    connected(guest).await;
}

/// The next event of which `choose` makes something.
pub async fn event<R>(
    events: &mut MeetingEvents,
    what: &str,
    choose: impl Fn(&MeetingEvent) -> Option<R>,
) -> R {
    soon(what, async {
        loop {
            let event = events
                .next()
                .await
                .unwrap_or_else(|| panic!("over before {what}"));
            if let Some(found) = choose(&event) {
                return found;
            }
        }
    })
    .await
}

/// What the future gives, unless it takes far too long.
pub async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let output = tokio::time::timeout(PATIENCE, future).await;
    output.unwrap_or_else(|_| panic!("{what} did not happen"))
}

/// Waits until the condition holds; it is looked at again and again.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    soon(what, async {
        let mut again = tokio::time::interval(Duration::from_millis(5));
        while !condition() {
            again.tick().await;
        }
    })
    .await;
}
