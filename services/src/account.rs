//! Local accounts: made, proven, signed in.

use std::{
    fs::{self, OpenOptions},
    io::{self, BufRead, IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use ureq::http::StatusCode;

use crate::{
    api::{Refused, SavedLogin, SiteArgs, config_folder},
    output::Output,
};

/// What `parvis account` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AccountArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: AccountCommand,
}

const EXAMPLES: &str = "\
Examples:
  parvis account create --site https://meet.example --email zoe@example.org --name Zoé
  parvis account prove --site https://meet.example --email zoe@example.org 0123456789
      The code comes by e-mail, or is shown on the operator's terminal.";

/// A subcommand of `parvis account`.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Ask for an account, or for another passphrase of one; the address is sent a code
    Create(CreateArgs),
    /// Show the code that the address was sent, say the account's passphrase, and sign in
    Prove(ProveArgs),
}

/// What `parvis account create` takes.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The service.
    #[command(flatten)]
    pub site: SiteArgs,
    /// The address
    #[arg(long, value_name = "ADDRESS")]
    pub email: String,
    /// How others see you
    #[arg(long, value_name = "NAME")]
    pub name: String,
}

/// What `parvis account prove` takes.
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// The service.
    #[command(flatten)]
    pub site: SiteArgs,
    /// The address
    #[arg(long, value_name = "ADDRESS")]
    pub email: String,
    /// The ten digits
    #[arg(value_name = "CODE")]
    pub code: String,
    /// What the request for the code gave, where it was made elsewhere; otherwise `account create` kept it
    #[arg(long, value_name = "PROOF")]
    pub proof: Option<String>,
    /// A file with the passphrase that the account gets; otherwise it is read from standard input
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// What `parvis login` takes.
#[derive(Debug, Args)]
#[command(after_help = LOGIN_HELP)]
pub struct LoginArgs {
    /// The service.
    #[command(flatten)]
    pub site: SiteArgs,
    /// The account's address
    #[arg(long, value_name = "ADDRESS")]
    pub email: String,
    /// A file with the passphrase; otherwise it is read from standard input
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

const LOGIN_HELP: &str = "\
Where people sign in by a provider (OpenID Connect) there are no passphrases. Sign in in a browser, at
SITE/api/v1/sign-in, write what it keeps then as the cookie `parvis_login` of SITE into a file, and name
that file with --login, or as PARVIS_LOGIN:
  {\"site\": \"https://meet.example\", \"token\": \"pvs_…\", \"expires\": \"\"}
It is good for as long as a login lasts (12 h).";

/// What `parvis logout` takes.
#[derive(Debug, Args)]
pub struct LogoutArgs {
    /// The service.
    #[command(flatten)]
    pub site: SiteArgs,
}

/// Makes or proves an account.
pub fn run(args: &AccountArgs, output: &Output) -> anyhow::Result<()> {
    match &args.command {
        AccountCommand::Create(args) => create(args, output),
        AccountCommand::Prove(args) => prove(args, output),
    }
}

/// Signs in, and keeps that in a file.
pub fn login(args: &LoginArgs, output: &Output) -> anyhow::Result<()> {
    let api = args.site.anonymous()?;
    let passphrase = passphrase(args.passphrase_file.as_ref())?;
    let body = json!({ "email": args.email, "passphrase": passphrase });
    let login = api.send("POST", "/api/v1/login", &body)?;
    keep(&args.site, api.site(), &login, output)
}

/// Signs out, and takes the file away.
pub fn logout(args: &LogoutArgs, output: &Output) -> anyhow::Result<()> {
    let file = args.site.login_file()?;
    let api = args.site.signed_in()?;
    if let Err(error) = api.order("POST", "/api/v1/logout") {
        let refused = error.downcast_ref::<Refused>();
        // A login that is not valid any more is signed out already.
        if refused.is_none_or(|refused| refused.status != StatusCode::UNAUTHORIZED) {
            return Err(error);
        }
    }
    fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    let text = format!("Signed out of {}", api.site());
    output.event("signed-out", &text, &json!({ "site": api.site() }));
    Ok(())
}

fn create(args: &CreateArgs, output: &Output) -> anyhow::Result<()> {
    let api = args.site.anonymous()?;
    let body = json!({ "email": args.email, "name": args.name });
    let sent = api.send("POST", "/api/v1/accounts", &body)?;
    let proof = sent["proof"].as_str().unwrap_or_default();
    let kept = Kept::of(api.site(), &args.email);
    let shown = match kept.map(|kept| kept.write(proof)) {
        Some(Ok(())) => String::new(),
        // It is shown by hand.
        Some(Err(_)) | None => format!(" --proof {proof}"),
    };
    let place = match sent["code"].as_str() {
        Some("mail") => format!("A code was sent to {}", args.email),
        _ => "The operator of the service has a code for you".to_owned(),
    };
    let text = format!(
        "{place}. Show it and choose a passphrase: parvis account prove --site {} --email {}{shown} CODE",
        api.site(),
        args.email
    );
    output.event("code-sent", &text, &sent);
    Ok(())
}

fn prove(args: &ProveArgs, output: &Output) -> anyhow::Result<()> {
    let api = args.site.anonymous()?;
    let kept = Kept::of(api.site(), &args.email);
    let known = || kept.as_ref().and_then(|kept| kept.read().ok());
    let Some(proof) = args.proof.clone().or_else(known) else {
        bail!("no code was asked for here: use `parvis account create`, or give --proof");
    };
    let passphrase = passphrase(args.passphrase_file.as_ref())?;
    let body = json!({
        "proof": proof,
        "email": args.email,
        "code": args.code,
        "passphrase": passphrase,
    });
    let login = api.send("POST", "/api/v1/accounts/proof", &body)?;
    if let Some(kept) = kept {
        kept.remove();
    }
    keep(&args.site, api.site(), &login, output)
}

/// What the request for a code gave, until the code is shown.
struct Kept(PathBuf);

impl Kept {
    /// `None`: there is no folder for it.
    fn of(site: &str, email: &str) -> Option<Self> {
        let name = format!("{email} {site}").replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        Some(Self(config_folder()?.join("proofs").join(name)))
    }

    fn write(&self, proof: &str) -> io::Result<()> {
        if let Some(folder) = self.0.parent() {
            fs::create_dir_all(folder)?;
        }
        self.remove();
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.0)?;
        file.write_all(proof.as_bytes())
    }

    fn read(&self) -> io::Result<String> {
        fs::read_to_string(&self.0)
    }

    fn remove(&self) {
        // Nothing is there but what an earlier request gave.
        let _ = fs::remove_file(&self.0);
    }
}

fn keep(args: &SiteArgs, site: &str, login: &Value, output: &Output) -> anyhow::Result<()> {
    let text = |field: &str| login[field].as_str().unwrap_or_default().to_owned();
    let saved = SavedLogin {
        site: site.to_owned(),
        token: text("token"),
        expires: text("expires"),
    };
    if saved.token.is_empty() {
        bail!("{site} gives no token: is it a meeting service?");
    }
    let file = args.save(&saved)?;
    let name = login["account"]["name"].as_str().unwrap_or_default();
    output.event(
        "signed-in",
        &format!("Signed in to {site} as {name}, until {}", saved.expires),
        &json!({ "site": site, "account": login["account"], "expires": saved.expires, "login": file }),
    );
    Ok(())
}

/// The first line of the file, or of standard input.
fn passphrase(file: Option<&PathBuf>) -> anyhow::Result<String> {
    let mut line = String::new();
    if let Some(file) = file {
        line = fs::read_to_string(file)
            .with_context(|| format!("cannot read the passphrase {}", file.display()))?;
    } else {
        if io::stdin().is_terminal() {
            eprintln!("Passphrase (shown as you type; --passphrase-file reads it from a file):");
        }
        let read = io::stdin().lock().read_line(&mut line);
        read.context("cannot read the passphrase from standard input")?;
    }
    let passphrase = line.lines().next().unwrap_or_default().to_owned();
    if passphrase.is_empty() {
        bail!("the passphrase is empty: give --passphrase-file, or write it to standard input");
    }
    Ok(passphrase)
}
