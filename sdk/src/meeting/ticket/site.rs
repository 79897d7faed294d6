//! Tickets of a meeting service's HTTP API.

use std::{
    fs,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use parvis_meeting::{ErrorKind, ParticipantId, RoomCode, UnixMillis};
use serde::{Deserialize, Serialize};
use ureq::{
    Agent,
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

use super::{RelayAddress, Ticket, TicketError, TicketRequest};

/// How long a meeting service may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most characters of a service's sentence.
const SENTENCE: usize = 400;

#[derive(Serialize)]
struct Body<'a> {
    name: &'a str,
    device: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    test: bool,
}

/// A ticket as the API says it.
#[derive(Deserialize)]
struct Answer {
    participant: ParticipantId,
    code: RoomCode,
    relay: RelayAddress,
    token: String,
    #[serde(default)]
    resume: Option<String>,
    #[serde(default)]
    expires: Option<String>,
}

impl From<Answer> for Ticket {
    fn from(answer: Answer) -> Self {
        let time = answer.expires.as_deref().map(humantime::parse_rfc3339);
        // One that is not understood is not renewed in time, and refused when it has expired.
        let since = time.and_then(|time| time.ok()?.duration_since(UNIX_EPOCH).ok());
        Self {
            participant: answer.participant,
            code: answer.code,
            relay: answer.relay,
            token: answer.token,
            resume: answer.resume,
            expires: since.map(|since| UnixMillis(since.as_millis() as u64)),
        }
    }
}

#[derive(Deserialize)]
struct Fault {
    error: ErrorKind,
    #[serde(default)]
    message: String,
}

impl Fault {
    /// What the service says, as a text that no terminal obeys.
    fn sentence(&self) -> String {
        let letters = self.message.chars().take(SENTENCE);
        let plain: String = letters
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        plain.trim().to_owned()
    }
}

/// Why there is no ticket.
#[derive(Debug)]
pub(super) struct NoTicket {
    pub(super) error: TicketError,
    /// When there may be one: many ask.
    pub(super) again: Option<Duration>,
}

impl From<TicketError> for NoTicket {
    fn from(error: TicketError) -> Self {
        let again = None;
        Self { error, again }
    }
}

/// `POST /api/v1/rooms/{code}/join`; blocks.
pub(super) fn ask(request: &TicketRequest, session: Option<&str>) -> Result<Ticket, NoTicket> {
    let site = request.site.as_deref().unwrap_or_default();
    let unavailable = |reason: String| TicketError::Unavailable {
        site: site.to_owned(),
        reason,
    };
    let agent = agent(request.authority.as_deref()).map_err(unavailable)?;
    let url = format!(
        "{}/api/v1/rooms/{}/join",
        site.trim_end_matches('/'),
        request.code
    );
    let mut asking = agent.post(&url).header("Content-Type", "application/json");
    if let Some(session) = session {
        asking = asking.header("Authorization", format!("Bearer {session}"));
    }
    let body = Body {
        name: &request.name,
        device: &request.device,
        resume: request.resume.as_deref(),
        test: request.is_test,
    };
    let body = serde_json::to_vec(&body).map_err(|error| unavailable(error.to_string()))?;
    let answer = asking.send(&body[..]);
    let mut answer = answer.map_err(|error| unavailable(error.to_string()))?;
    let status = answer.status();
    let again = answer.headers().get("retry-after");
    let again = again.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    let again = again.map(Duration::from_secs);
    let text = answer
        .body_mut()
        .with_config()
        .limit(64 << 10)
        .read_to_vec();
    let text = text.map_err(|error| unavailable(error.to_string()))?;
    if status.is_success() {
        let answer = serde_json::from_slice::<Answer>(&text).map(Ticket::from);
        return answer.map_err(|error| unavailable(error.to_string()).into());
    }
    let Ok(fault) = serde_json::from_slice::<Fault>(&text) else {
        return Err(unavailable(format!("status {status}")).into());
    };
    let sentence = fault.sentence();
    // Not this request is at fault, and there is no word for that.
    if status.is_server_error() && !sentence.is_empty() {
        return Err(unavailable(sentence).into());
    }
    let error = match fault.error {
        kind if sentence.is_empty() => TicketError::Refused(kind),
        kind => TicketError::RefusedBecause { kind, sentence },
    };
    let again = again.filter(|_| error.kind() == Some(ErrorKind::RateLimited));
    Err(NoTicket { error, again })
}

/// authority: a PEM file; `None`: the public ones.
fn agent(authority: Option<&Path>) -> Result<Agent, String> {
    let mut tls = TlsConfig::builder();
    if let Some(file) = authority {
        tls = tls.root_certs(roots(file)?);
    }
    let config = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .tls_config(tls.build());
    Ok(config.build().into())
}

fn roots(file: &Path) -> Result<RootCerts, String> {
    let fault = |reason: &dyn std::fmt::Display| format!("{}: {reason}", file.display());
    let pem = fs::read(file).map_err(|error| fault(&error))?;
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| fault(&error))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(fault(&"there is no certificate in it"));
    }
    Ok(RootCerts::from(certificates))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        thread,
    };

    use super::*;
    use crate::meeting::TicketSource;

    #[test]
    fn the_answer_of_the_api_is_a_ticket() {
        let json = r#"{"participant":"pabc","code":"abc-defg-hij","relay":{"url":"moqt://relay",
            "fingerprint":null},"token":"t","resume":"r","expires":"2027-01-15T08:00:00Z",
            "name":"Zoe","verified":false}"#;
        let ticket = Ticket::from(serde_json::from_str::<Answer>(json).unwrap());
        assert_eq!(ticket.code.compact(), "abcdefghij");
        assert_eq!(ticket.expires, Some(UnixMillis(1_800_000_000_000)));
    }

    fn read_request(client: &mut TcpStream) {
        let mut asked = Vec::new();
        let mut buffer = [0; 1024];
        while !asked.ends_with(b"}") {
            let length = client.read(&mut buffer).unwrap();
            asked.extend_from_slice(&buffer[..length]);
        }
    }

    /// What is made of an answer of a service.
    fn refused(status: &str, body: &str) -> TicketError {
        let service = TcpListener::bind("127.0.0.1:0").unwrap();
        let site = format!("http://{}", service.local_addr().unwrap());
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let answering = thread::spawn(move || {
            let (mut client, _) = service.accept().unwrap();
            read_request(&mut client);
            client.write_all(answer.as_bytes()).unwrap();
        });
        let refused = ask(&request(site), None).unwrap_err();
        answering.join().unwrap();
        refused.error
    }

    #[tokio::test]
    async fn who_comes_with_many_others_asks_again_when_it_may() {
        let service = TcpListener::bind("127.0.0.1:0").unwrap();
        let site = format!("http://{}", service.local_addr().unwrap());
        let answering = thread::spawn(move || {
            let many = r#"{"error":"RateLimited","message":"try again in 0 s"}"#;
            let ticket = r#"{"participant":"pabc","code":"abc-defg-hij",
                "relay":{"url":"moqt://relay","fingerprint":null},"token":"t"}"#;
            for (status, body) in [("429 Too Many Requests", many), ("200 OK", ticket)] {
                let (mut client, _) = service.accept().unwrap();
                read_request(&mut client);
                let answer = format!(
                    "HTTP/1.1 {status}\r\nretry-after: 0\r\ncontent-length: {}\r\n\
                     connection: close\r\n\r\n{body}",
                    body.len()
                );
                client.write_all(answer.as_bytes()).unwrap();
            }
        });
        let ticket = TicketSource::guest().ticket(request(site)).await.unwrap();
        assert_eq!(ticket.participant.as_str(), "pabc");
        answering.join().unwrap();
    }

    fn request(site: String) -> TicketRequest {
        TicketRequest {
            site: Some(site),
            code: RoomCode::parse("abc-defg-hij").unwrap(),
            name: "Zoé".to_owned(),
            device: "d".to_owned(),
            resume: None,
            authority: None,
            is_test: false,
        }
    }

    #[test]
    fn a_refusal_keeps_its_kind_and_the_sentence_of_the_service() {
        let error = refused(
            "400 Bad Request",
            r#"{"error":"Malformed","message":"a guest says\nits device"}"#,
        );
        assert_eq!(error.kind(), Some(ErrorKind::Malformed));
        assert_eq!(error.to_string(), "a guest says its device");
        let error = refused("404 Not Found", r#"{"error":"NotFound"}"#);
        assert_eq!(error, TicketError::Refused(ErrorKind::NotFound));
        let error = refused(
            "503 Service Unavailable",
            r#"{"error":"ServiceUnavailable","message":"the store is away"}"#,
        );
        assert_eq!(error.kind(), None);
        assert!(error.to_string().contains("the store is away"), "{error}");
    }
}
