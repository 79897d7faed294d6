//! A service on a free port, and its client.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use parvis_http::{
    Config, FirstAdministrator, Operator, ReadyCheck, RelayAddress, Running, Service,
};
use parvis_store::Store;
use parvis_token::Signer;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::{
    Agent,
    http::{HeaderMap, Request},
    tls::{Certificate, RootCerts, TlsConfig},
};

pub const PASSPHRASE: &str = "Abcdefg1.x";

/// A running service over a store of its own.
pub struct Server {
    pub running: Running,
    pub store: Store,
    pub site: String,
    pub root: Option<FirstAdministrator>,
    told: Arc<Mutex<Vec<String>>>,
    _folder: TempDir,
}

/// Somebody's view of it.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    pub site: String,
    pub token: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::at("http://127.0.0.1:0", change).await
    }

    /// With what it needs besides the store.
    pub async fn needing(needs: Vec<ReadyCheck>) -> Self {
        Self::start_at("http://127.0.0.1:0", needs, |_| {}).await
    }

    /// On that address.
    pub async fn at(site: &str, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_at(site, Vec::new(), change).await
    }

    async fn start_at(
        site: &str,
        needs: Vec<ReadyCheck>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::sqlite(&folder.path().join("parvis.db"))
            .await
            .unwrap();
        let listener = TcpListener::bind(site.trim_start_matches("http://")).unwrap();
        let site = format!("http://{}", listener.local_addr().unwrap());
        let relay = RelayAddress {
            url: "moqt://127.0.0.1:4433".to_owned(),
            fingerprint: Some("ab".repeat(32)),
        };
        let signer = Arc::new(Signer::from_seed(&[7; 32]));
        let told = Arc::new(Mutex::new(Vec::new()));
        let mut config = Config::new(site.parse().unwrap(), relay, signer);
        config.operator = Operator::new({
            let told = Arc::clone(&told);
            move |text| told.lock().unwrap().push(text.to_owned())
        });
        change(&mut config);
        let service = Service::new(store.clone(), config)
            .unwrap()
            .with_needs(needs);
        let root = service.first_administrator("root@example.org", "Root");
        let root = root.await.unwrap();
        Self {
            running: service.start(listener).unwrap(),
            store,
            site,
            root,
            told,
            _folder: folder,
        }
    }

    pub fn guest(&self) -> Client {
        Client::new(&self.site, None)
    }

    /// Who manages the service.
    pub async fn root(&self) -> Client {
        let root = self.root.clone().expect("local accounts");
        self.login(&root.email, &root.passphrase).await
    }

    pub async fn login(&self, email: &str, passphrase: &str) -> Client {
        let body = json!({ "email": email, "passphrase": passphrase });
        let answer = self.guest().post("/api/v1/login", &body).await;
        Client::new(&self.site, Some(answer.ok()["token"].as_str().unwrap()))
    }

    /// Somebody with a new account, by the code that the operator is told.
    pub async fn agent(&self, name: &str) -> Client {
        let email = format!("{}@example.org", name.to_lowercase());
        let new = json!({ "email": email, "name": name });
        let answer = self.guest().post("/api/v1/accounts", &new).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let (proof, code) = (&answer.body["proof"], self.code(&email));
        let proof =
            json!({ "proof": proof, "email": email, "code": code, "passphrase": PASSPHRASE });
        let answer = self.guest().post("/api/v1/accounts/proof", &proof).await;
        Client::new(&self.site, Some(answer.ok()["token"].as_str().unwrap()))
    }

    /// The code that the operator was told last for an address.
    pub fn code(&self, email: &str) -> String {
        self.code_for(email).expect("a code was told")
    }

    /// The same, if there was one.
    pub fn code_for(&self, email: &str) -> Option<String> {
        let told = self.told.lock().unwrap();
        let mut told = told.iter().rev();
        let line = told.find_map(|line| line.split_once(&format!("{email}: ")));
        line.map(|(_, rest)| rest[..10].to_owned())
    }

    pub async fn stop(self) {
        self.running.stop(Duration::from_secs(5)).await;
        self.store.close().await;
    }
}

impl Client {
    pub fn new(site: &str, token: Option<&str>) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_mins(1)))
            .build()
            .into();
        Self {
            agent,
            site: site.to_owned(),
            token: token.map(str::to_owned),
        }
    }

    /// One that trusts this certificate.
    pub fn trusting(site: &str, pem: &[u8]) -> Self {
        let certificate = Certificate::from_pem(pem).unwrap();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::from([certificate]))
            .build();
        let agent = Agent::config_builder().tls_config(tls).build().into();
        Self {
            agent,
            ..Self::new(site, None)
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, None, &[]).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request("POST", path, Some(body.to_string()), &[])
            .await
    }

    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.request(method, path, Some(body.to_string()), &[])
            .await
    }

    pub async fn order(&self, method: &str, path: &str) -> Answer {
        self.request(method, path, None, &[]).await
    }

    pub async fn request(
        &self,
        method: &str,
        path: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.site)
        };
        let mut request = Request::builder().method(method).uri(url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent = self.agent.clone();
        let response = tokio::task::spawn_blocking(move || match body {
            Some(body) => agent.run(request.body(body).unwrap()),
            None => agent.run(request.body(()).unwrap()),
        });
        let (parts, mut body) = response.await.unwrap().unwrap().into_parts();
        let text = body.read_to_string().unwrap();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }
}

impl Answer {
    /// The body of a good answer.
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.body
    }

    /// A refusal by that word, which says that.
    pub fn refused(&self, status: u16, error: &str, says: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.body["error"], error, "{self:?}");
        let message = self.body["message"].as_str().unwrap();
        assert!(message.contains(says), "no {says:?} in {message:?}");
    }
}
