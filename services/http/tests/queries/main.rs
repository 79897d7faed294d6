//! What must not be found out is asked of the store in as many questions as anything else: nobody finds it
//! out by waiting. Work is counted, no time is measured.

use std::{
    fmt,
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use parvis_http::{Config, MailServer, Operator, RelayAddress, Service, SignUp};
use parvis_meeting::{AccessLevel, AccountId, Policy, RoomCode, UnixMillis};
use parvis_store::{AuditEntry, NewAccount, NewRoom, Store};
use parvis_token::Signer;
use serde_json::{Value, json};
use tempfile::TempDir;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Statements of the store, and hashes of passphrases.
static WORK: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];

/// Counts them.
struct Counter;

fn kind(metadata: &Metadata<'_>) -> Option<usize> {
    match metadata.target() {
        "sqlx::query" => Some(0),
        "parvis_http::passphrase" => Some(1),
        _ => None,
    }
}

/// Whether a statement is one of a connection that opens: when one does says nothing of what is asked.
struct Opening(bool);

impl Visit for Opening {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "summary" {
            self.0 = format!("{value:?}").contains("PRAGMA");
        }
    }
}

impl Subscriber for Counter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        kind(metadata).is_some()
    }

    fn event(&self, event: &Event<'_>) {
        let mut opening = Opening(false);
        event.record(&mut opening);
        if let Some(kind) = kind(event.metadata())
            && !opening.0
        {
            WORK[kind].fetch_add(1, Ordering::SeqCst);
        }
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// A service that does nothing by itself: no mail, no purge.
struct Quiet {
    site: String,
    store: Store,
    _folder: TempDir,
}

const NOW: UnixMillis = UnixMillis(1_000);
const PASSPHRASE: &str = "Abcdefg1.x";

impl Quiet {
    async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::sqlite(&folder.path().join("parvis.db")).await;
        let store = store.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let site = format!("http://{}", listener.local_addr().unwrap());
        let relay = RelayAddress {
            url: "moqt://127.0.0.1:4433".to_owned(),
            fingerprint: None,
        };
        let signer = Arc::new(Signer::from_seed(&[7; 32]));
        let mut config = Config::new(site.parse().unwrap(), relay, signer);
        config.operator = Operator::new(|_| {});
        change(&mut config);
        let service = Service::new(store.clone(), config).unwrap();
        let router = service.router();
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            site,
            store,
            _folder: folder,
        }
    }

    async fn account(&self, email: &str) -> AccountId {
        let account = NewAccount::local(email, "Zoe");
        let nobodys = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                       AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let entry = |id: &AccountId| AuditEntry {
            at: NOW,
            actor: id.to_string(),
            action: "create_account".to_owned(),
            details: "{}".to_owned(),
        };
        let made = self
            .store
            .create_local_account(&account, Some(nobodys), NOW, entry);
        made.await.unwrap()
    }

    async fn room(&self, owner: &AccountId, policy: Policy) -> RoomCode {
        let room = NewRoom::new(Store::new_code().unwrap(), "Test", owner, policy);
        let audit = AuditEntry {
            at: NOW,
            actor: owner.to_string(),
            action: "create_room".to_owned(),
            details: "{}".to_owned(),
        };
        let made = self.store.create_room(&room, &audit, &[], NOW).await;
        made.unwrap();
        room.code
    }

    /// What is answered.
    async fn ask(&self, path: &str, token: Option<&str>, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}{path}", self.site);
        let token = token.map(|token| format!("Bearer {token}"));
        let asking = tokio::task::spawn_blocking(move || {
            let agent: ureq::Agent = ureq::Agent::config_builder()
                .http_status_as_error(false)
                .build()
                .into();
            let answer = if let Some(body) = body {
                agent.post(url).send_json(body)
            } else {
                let mut asking = agent.get(url);
                if let Some(token) = token {
                    asking = asking.header("authorization", token);
                }
                asking.call()
            };
            let mut answer = answer.unwrap();
            let status = answer.status().as_u16();
            (status, answer.body_mut().read_json().unwrap())
        });
        asking.await.unwrap()
    }
}

/// The first one opens connections to the database.
fn without_the_first<T>(seen: &mut Vec<T>) {
    seen.remove(0);
}

/// What comes of it, and the work that it makes.
async fn worked<T>(work: impl Future<Output = T>) -> (T, [usize; 2]) {
    let count = || [0, 1].map(|kind| WORK[kind].load(Ordering::SeqCst));
    let before = count();
    let done = work.await;
    let after = count();
    (done, [0, 1].map(|kind| after[kind] - before[kind]))
}

fn public() -> Policy {
    Policy {
        access: AccessLevel::Public,
        ..Policy::default()
    }
}

fn restricted() -> Policy {
    Policy {
        access: AccessLevel::Restricted,
        ..Policy::default()
    }
}

/// A ticket of a guest.
async fn a_room_that_is_not_there_is_as_any_other_to_guests() {
    let quiet = Quiet::start(|_| {}).await;
    let zoe = quiet.account("zoe@example.org").await;
    let absent = RoomCode::parse("zzz-zzzz-zzz").unwrap();
    let rooms = [
        absent,
        absent,
        quiet.room(&zoe, public()).await,
        quiet.room(&zoe, restricted()).await,
    ];
    let mut seen = Vec::new();
    for code in rooms {
        let join = format!("/api/v1/rooms/{code}/join");
        let body = json!({ "name": "Gus", "device": "device-1" });
        let ((status, ticket), work) = worked(quiet.ask(&join, None, Some(body))).await;
        assert_eq!(status, 200, "{ticket}");
        let fields: Vec<String> = ticket.as_object().unwrap().keys().cloned().collect();
        let sizes = ["token", "participant", "resume"].map(|field| {
            let text = ticket[field].as_str().unwrap();
            text.len()
        });
        seen.push((fields, sizes, work));
    }
    without_the_first(&mut seen);
    assert!(seen[0].2[0] > 0, "statements are counted");
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
}

/// A room of others, for somebody who is signed in.
async fn a_room_of_others_is_none_to_who_is_signed_in() {
    let quiet = Quiet::start(|_| {}).await;
    let (zoe, eve) = (
        quiet.account("zoe@example.org").await,
        quiet.account("eve@example.org").await,
    );
    let day = Duration::from_hours(1_000_000);
    let login = quiet
        .store
        .create_login(&eve, NOW, NOW.plus(day), None)
        .await;
    let login = login.unwrap();
    let absent = RoomCode::parse("zzz-zzzz-zzz").unwrap();
    let mut seen = Vec::new();
    for code in [absent, absent, quiet.room(&zoe, restricted()).await] {
        let room = format!("/api/v1/rooms/{code}");
        let asked = quiet.ask(&room, Some(login.reveal()), None);
        let ((status, answer), work) = worked(asked).await;
        seen.push((status, answer, work));
    }
    without_the_first(&mut seen);
    assert_eq!(seen[0].0, 404, "{seen:?}");
    assert_eq!(seen[0], seen[1]);
}

/// Sign-in with a wrong passphrase.
async fn who_has_no_account_is_looked_for_as_long() {
    let quiet = Quiet::start(|_| {}).await;
    quiet.account("zoe@example.org").await;
    let mut seen = Vec::new();
    for email in ["zoe@example.org", "zoe@example.org", "eve@example.org"] {
        let body = json!({ "email": email, "passphrase": PASSPHRASE });
        seen.push(worked(quiet.ask("/api/v1/login", None, Some(body))).await);
    }
    without_the_first(&mut seen);
    let ((status, _), [statements, hashes]) = &seen[0];
    assert_eq!((*status, *hashes), (401, 1));
    assert!(*statements > 0);
    assert_eq!(seen[0], seen[1]);
}

/// Codes, where not everybody is sent one.
async fn who_is_sent_no_code_is_answered_after_the_same_work() {
    let ways = [SignUp::Open, SignUp::Domains, SignUp::Closed];
    for (sign_up, mail) in ways.into_iter().flat_map(|s| [(s, false), (s, true)]) {
        let quiet = Quiet::start(|config| {
            config.sign_up = sign_up;
            config.mail = mail.then(|| MailServer {
                url: "smtp://127.0.0.1:9".to_owned(),
                from: "parvis@meet.example".to_owned(),
                retry: Duration::from_secs(30),
            });
        })
        .await;
        quiet.account("zoe@example.org").await;
        let mut seen = Vec::new();
        for email in ["zoe@example.org", "zoe@example.org", "eve@example.net"] {
            let body = json!({ "email": email, "name": "X" });
            let asked = quiet.ask("/api/v1/accounts", None, Some(body));
            let ((status, mut answer), work) = worked(asked).await;
            assert_eq!(status, 202, "{answer}");
            assert!(answer["proof"].take().is_string());
            seen.push((answer, work));
        }
        without_the_first(&mut seen);
        assert_eq!(seen[0], seen[1], "{sign_up:?}, by mail: {mail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_finds_out_by_waiting() {
    tracing::subscriber::set_global_default(Counter).unwrap();
    a_room_that_is_not_there_is_as_any_other_to_guests().await;
    a_room_of_others_is_none_to_who_is_signed_in().await;
    who_has_no_account_is_looked_for_as_long().await;
    who_is_sent_no_code_is_answered_after_the_same_work().await;
}
