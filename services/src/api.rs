//! The HTTP API of a meeting service, as its client: who one is, and requests.

use std::{
    env,
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use ureq::{
    Agent,
    http::{Request, Response, StatusCode},
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest answer.
const MAX_ANSWER: u64 = 16 * 1024 * 1024;

/// Where a meeting service is, and who asks it.
#[derive(Debug, Clone, Default, Args)]
pub struct SiteArgs {
    /// The meeting service, as in https://meet.example; otherwise the one of the login
    #[arg(long, value_name = "URL", env = "PARVIS_SITE")]
    pub site: Option<String>,
    /// The file that `parvis login` wrote [default: parvis/login.json in the configuration folder]
    #[arg(long, value_name = "FILE", env = "PARVIS_LOGIN")]
    pub login: Option<PathBuf>,
    /// A file with the token of an application, which asks instead of somebody who is signed in
    #[arg(
        long,
        value_name = "FILE",
        env = "PARVIS_APPLICATION_TOKEN_FILE",
        requires = "site"
    )]
    pub application_token_file: Option<PathBuf>,
    /// Trust a service whose certificate the authority in this PEM file signed
    #[arg(long = "site-ca", value_name = "FILE", env = "PARVIS_SITE_CA")]
    pub site_ca: Option<PathBuf>,
}

/// A sign-in as it is kept in a file.
#[derive(Debug, Serialize, Deserialize)]
pub struct SavedLogin {
    /// The service.
    pub site: String,
    /// What is shown to it.
    pub token: String,
    /// When it ceases to be valid.
    pub expires: String,
}

/// What a meeting service does not do.
#[derive(Debug, Error)]
#[error("{error}: {message}")]
pub struct Refused {
    /// As HTTP has it.
    pub status: StatusCode,
    /// In a word.
    error: String,
    /// In a sentence.
    message: String,
}

/// The client of a meeting service.
#[derive(Debug)]
pub struct Api {
    agent: Agent,
    site: String,
    token: Option<String>,
}

impl SiteArgs {
    /// A client with the token of an application, or of the login.
    pub fn signed_in(&self) -> anyhow::Result<Api> {
        if let Some(file) = &self.application_token_file {
            let token = fs::read_to_string(file)
                .with_context(|| format!("cannot read the token {}", file.display()))?;
            let site = self.site.clone().unwrap_or_default();
            return self.client(&site, Some(token.trim().to_owned()));
        }
        let file = self.login_file()?;
        let saved = read_login(&file)?;
        if let Some(site) = &self.site
            && trimmed(site) != trimmed(&saved.site)
        {
            bail!(
                "the login {} is for {}, not for {site}: sign in there with `parvis login --site {site}`",
                file.display(),
                saved.site
            );
        }
        self.client(&saved.site, Some(saved.token))
    }

    /// A client of nobody in particular.
    pub fn anonymous(&self) -> anyhow::Result<Api> {
        let site = match &self.site {
            Some(site) => site.clone(),
            None => match read_login(&self.login_file()?) {
                Ok(saved) => saved.site,
                Err(_) => bail!("which meeting service? Give --site, as in https://meet.example"),
            },
        };
        self.client(&site, None)
    }

    /// A client with that login.
    pub fn with_login(&self, login: &SavedLogin) -> anyhow::Result<Api> {
        self.client(&login.site, Some(login.token.clone()))
    }

    /// Where the login is kept.
    pub fn login_file(&self) -> anyhow::Result<PathBuf> {
        match &self.login {
            Some(file) => Ok(file.clone()),
            None => default_login_file(),
        }
    }

    /// Keeps a login, for its owner's eyes only.
    pub fn save(&self, login: &SavedLogin) -> anyhow::Result<PathBuf> {
        let file = self.login_file()?;
        let cannot = || format!("cannot write the login {}", file.display());
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(cannot)?;
        }
        let mut beside = file.clone().into_os_string();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        // One that was left behind may be readable by others.
        let _ = fs::remove_file(&beside);
        let mut out = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)
            .with_context(cannot)?;
        writeln!(out, "{}", serde_json::to_string_pretty(login)?).with_context(cannot)?;
        out.sync_all().with_context(cannot)?;
        fs::rename(&beside, &file).with_context(cannot)?;
        Ok(file)
    }

    fn client(&self, site: &str, token: Option<String>) -> anyhow::Result<Api> {
        if !site.starts_with("https://") && !site.starts_with("http://") {
            bail!("a meeting service is as in https://meet.example, got {site:?}");
        }
        let mut tls = TlsConfig::builder();
        if let Some(file) = &self.site_ca {
            let pem = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            let items = parse_pem(&pem).collect::<Result<Vec<_>, _>>();
            let items = items.with_context(|| format!("cannot use {}", file.display()))?;
            let certificates = items.into_iter().filter_map(|item| match item {
                PemItem::Certificate(certificate) => Some(certificate),
                _ => None,
            });
            let certificates: Vec<Certificate<'static>> = certificates.collect();
            if certificates.is_empty() {
                bail!("there is no certificate in {}", file.display());
            }
            tls = tls.root_certs(RootCerts::from(certificates));
        }
        let agent = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .tls_config(tls.build())
            .build()
            .into();
        Ok(Api {
            agent,
            site: trimmed(site).to_owned(),
            token,
        })
    }
}

impl Api {
    /// The same client with another token.
    pub fn with_token(self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self
        }
    }

    /// The service.
    pub fn site(&self) -> &str {
        &self.site
    }

    /// Asks for something.
    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.request("GET", path, None)
    }

    /// Sends something.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.request(method, path, Some(body))
    }

    /// Sends a request without a body.
    pub fn order(&self, method: &str, path: &str) -> anyhow::Result<Value> {
        self.request(method, path, None)
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.site);
        let mut request = Request::builder().method(method).uri(&url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let unreachable = || format!("cannot reach the meeting service {}", self.site);
        let response = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json");
                let request = request.body(body.to_string()).with_context(unreachable)?;
                self.agent.run(request)
            }
            None => self.agent.run(request.body(()).with_context(unreachable)?),
        };
        answer(&self.site, response.with_context(unreachable)?)
    }
}

fn answer(site: &str, response: Response<ureq::Body>) -> anyhow::Result<Value> {
    let (parts, mut body) = response.into_parts();
    let text = body
        .with_config()
        .limit(MAX_ANSWER)
        .read_to_string()
        .with_context(|| format!("{site} breaks off its answer"))?;
    if parts.status.is_success() && text.is_empty() {
        return Ok(Value::Null);
    }
    let value: Option<Value> = serde_json::from_str(&text).ok();
    let Some(value) = value else {
        bail!(
            "{site} answers {} and no JSON: is it a meeting service?",
            parts.status
        );
    };
    if parts.status.is_success() {
        return Ok(value);
    }
    let field = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    Err(Refused {
        status: parts.status,
        error: field("error"),
        message: field("message"),
    }
    .into())
}

/// Where a login is kept unless the command line says otherwise.
pub fn default_login_file() -> anyhow::Result<PathBuf> {
    let folder = config_folder().context("where is the login kept? Give --login")?;
    Ok(folder.join("login.json"))
}

/// Where a user's settings are kept.
pub fn config_folder() -> Option<PathBuf> {
    let folder = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".config"));
    let folder = folder.filter(|folder| folder.is_absolute()).or_else(home);
    Some(folder?.join("parvis"))
}

/// Reads a login.
pub fn read_login(file: &Path) -> anyhow::Result<SavedLogin> {
    let text = fs::read_to_string(file).with_context(|| {
        format!(
            "nobody is signed in, there is no {}: use `parvis login`",
            file.display()
        )
    })?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is no login: use `parvis login`", file.display()))
}

/// A site as it is compared.
pub fn trimmed(site: &str) -> &str {
    site.trim_end_matches('/')
}
