//! A relay, a store, a room and its authority.

use std::{fs, future::Future, net::SocketAddr, num::NonZeroUsize, sync::Arc, time::Duration};

use parvis::{
    SubscribeError, TokenSource, Trust,
    data::{Client, DataSubscribe, Grouping, LinkOptions},
};
use parvis_authority::{Authority, AuthorityOptions, Limits, RelayControl};
use parvis_meeting::{
    AccountId, DeviceId, Identity, ParticipantId, Policy, RoomCode, Settings, UnixMillis, tracks,
};
use parvis_relay::{Config, Relay, Running};
use parvis_store::{AuditEntry, NewAccount, NewJoin, NewRoom, RoomChange, Store};
use parvis_token::{Action, Claims, Grant, Signer, UnixTime};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Longer than anything here takes on a machine that does much else.
pub const PATIENCE: Duration = Duration::from_mins(1);

const SECRET: &str = "a secret of some length";

pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let timed = tokio::time::timeout(PATIENCE, future).await;
    timed.unwrap_or_else(|_| panic!("no {what}"))
}

pub fn now() -> UnixMillis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    UnixMillis(since.expect("it is after 1970").as_millis() as u64)
}

pub struct Scene {
    pub signer: Arc<Signer>,
    pub store: Store,
    pub relay: Running,
    pub authority: Option<Authority>,
    /// A room of Zoé's, and her account.
    pub code: RoomCode,
    pub zoe: AccountId,
    pub meeting: Settings,
    pub limits: Limits,
    folder: TempDir,
}

impl Scene {
    pub async fn new() -> Self {
        Self::with(Policy::default()).await
    }

    pub async fn with(policy: Policy) -> Self {
        Self::limited(policy, Limits::default()).await
    }

    pub async fn limited(policy: Policy, limits: Limits) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::sqlite(&folder.path().join("parvis.db")).await;
        Self::of(folder, store.expect("a store"), policy, limits).await
    }

    /// With a store that is elsewhere.
    pub async fn with_store(store: Store) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::of(folder, store, Policy::default(), Limits::default()).await
    }

    async fn of(folder: TempDir, store: Store, policy: Policy, limits: Limits) -> Self {
        let signer = Arc::new(Signer::from_seed(&[5; 32]));
        fs::write(folder.path().join("keys.json"), signer.key_set()).expect("a file");
        fs::write(folder.path().join("secret"), SECRET).expect("a file");
        let relay = start_relay(&folder, "127.0.0.1:0".parse().expect("an address"), None);
        let zoe = account(&store, "Zoé").await;
        let code = room(&store, &zoe, policy).await;
        let mut scene = Self {
            signer,
            store,
            relay,
            authority: None,
            code,
            zoe,
            meeting: Settings::default(),
            limits: Limits {
                save_every: 7,
                ..limits
            },
            folder,
        };
        scene.start_authority().await;
        scene
    }

    /// As the HTTP service does.
    pub async fn change_room(&self, change: &RoomChange) {
        let audit = AuditEntry {
            at: now(),
            actor: self.zoe.to_string(),
            action: "change".to_owned(),
            details: "{}".to_owned(),
        };
        let changed = self
            .store
            .change_room(&self.code, change, &audit, &[], now());
        changed.await.expect("the room is there");
    }

    pub fn options(&self) -> AuthorityOptions {
        let control = self.relay.control_addr().expect("it takes orders");
        let control = RelayControl::new(control, SECRET);
        AuthorityOptions {
            // A relay that is started anew has another certificate.
            trust: Trust::Anyone,
            meeting: self.meeting,
            limits: self.limits,
            ..AuthorityOptions::new(
                self.url(),
                control,
                Arc::clone(&self.signer),
                self.store.clone(),
            )
        }
    }

    pub async fn start_authority(&mut self) {
        let started = soon("start", Authority::start(self.options())).await;
        self.authority = Some(started.expect("the authority starts"));
    }

    /// The authority is gone without a word, and another one takes its place.
    pub async fn replace_authority(&mut self) {
        self.authority = None;
        self.start_authority().await;
    }

    /// The relay is gone without a word, and another one is at its address; it knows nothing.
    pub fn replace_relay(&mut self) {
        let (at, control) = (self.relay.local_addr(), self.relay.control_addr());
        let elsewhere = Relay::start(Config {
            listen: "127.0.0.1:0".parse().expect("an address"),
            ..Config::default()
        });
        // Dropping the old one ends it.
        self.relay = elsewhere.expect("a relay");
        self.relay = start_relay(&self.folder, at, control);
    }

    pub fn url(&self) -> String {
        format!("moqt://{}", self.relay.local_addr())
    }

    /// A ticket for somebody.
    pub async fn join(&self, code: RoomCode, identity: Identity) -> (ParticipantId, String) {
        let join = NewJoin {
            room: code,
            identity,
            expires_at: now().plus(Duration::from_hours(1)),
        };
        let (who, _) = self.store.create_join(&join, now()).await.expect("a join");
        let token = self.ticket(&code, &who);
        (who, token)
    }

    /// The token that a ticket has.
    pub fn ticket(&self, code: &RoomCode, who: &ParticipantId) -> String {
        let exact = |action, namespace| Grant::exact([action], namespace).expect("a grant");
        let grants = vec![
            exact(Action::Publish, tracks::inbox(code, who)),
            exact(Action::Subscribe, tracks::outbox(code, who)),
        ];
        let seconds = now().0 / 1000;
        let claims = Claims {
            issued_at: Some(UnixTime(seconds)),
            grants,
            ..Claims::new(who.as_str(), UnixTime(seconds + 3600))
        };
        self.signer.sign(&claims).expect("a token")
    }

    pub async fn connect(&self, token: &str) -> Client {
        let options = LinkOptions {
            connect_timeout: PATIENCE,
            ..LinkOptions::default()
                .with_trust(Trust::Anyone)
                .with_token(TokenSource::fixed(token))
        };
        let connected = Client::connect(&self.url(), options).await;
        connected.expect("it connects")
    }

    /// Whether the relay lets nobody in with this token.
    pub async fn refuses(&self, token: &str) -> bool {
        let options = LinkOptions {
            reconnect: Duration::ZERO,
            ..LinkOptions::default()
                .with_trust(Trust::Anyone)
                .with_token(TokenSource::fixed(token))
        };
        let Ok(client) = Client::connect(&self.url(), options).await else {
            return true;
        };
        let state = tracks::track(tracks::control(&self.code), tracks::STATE);
        let wanted = DataSubscribe::current_group(Grouping::Replacing);
        let answer = client.data().subscribe(state, wanted).await;
        matches!(answer, Err(SubscribeError::Closed(_)))
    }

    /// The sessions of somebody, as the relay counts.
    pub async fn sessions(&self, who: &ParticipantId) -> Vec<Value> {
        let address = self.relay.control_addr().expect("it takes orders");
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let request = format!(
            "GET /v1/sessions HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer {SECRET}\r\n\
             Connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let answer: Value = serde_json::from_str(body).expect("JSON");
        let all = answer.as_array().or_else(|| answer["sessions"].as_array());
        let all = all.unwrap_or_else(|| panic!("no list: {answer}")).clone();
        let of_who = |session: &Value| session["sub"] == json!(who.as_str());
        all.into_iter().filter(of_who).collect()
    }
}

fn start_relay(folder: &TempDir, listen: SocketAddr, control: Option<SocketAddr>) -> Running {
    let file = |name: &str| folder.path().join(name);
    let config = Config {
        listen,
        threads: NonZeroUsize::new(2).expect("not zero"),
        auth_keys: Some(file("keys.json").display().to_string()),
        auth_publish_under: vec!["parvis.control/out".to_owned()],
        control: Some(control.unwrap_or_else(|| "127.0.0.1:0".parse().expect("an address"))),
        control_secret: Some(file("secret")),
        ..Config::default()
    };
    Relay::start(config).expect("the relay starts")
}

pub async fn account(store: &Store, name: &str) -> AccountId {
    let number = now().0;
    let new = NewAccount::local(&format!("{number}-{}@example.org", name.len()), name);
    store.create_account(&new, now()).await.expect("an account")
}

pub async fn room(store: &Store, creator: &AccountId, policy: Policy) -> RoomCode {
    let code = Store::new_code().expect("a code");
    let room = NewRoom::new(code, "Stand-up", creator, policy);
    store
        .create_room(&room, &audit("create_room", creator), &[], now())
        .await
        .expect("a room");
    code
}

pub fn audit(action: &str, actor: &AccountId) -> AuditEntry {
    AuditEntry {
        at: now(),
        actor: actor.to_string(),
        action: action.to_owned(),
        details: "{}".to_owned(),
    }
}

pub fn agent(account: &AccountId, name: &str) -> Identity {
    Identity::Agent {
        account: account.clone(),
        organisations: Vec::new(),
        name: name.to_owned(),
        verified: true,
    }
}

pub fn guest(name: &str) -> Identity {
    Identity::Guest {
        device: DeviceId::new(&format!("device-of-{name}")).expect("an id"),
        name: name.to_owned(),
    }
}
