//! Sign-in by a real provider.

use std::{collections::BTreeMap, net::TcpListener};

use parvis_http::Provider;
use serde_json::json;

use crate::{
    server::{Answer, Client, Server},
    tools::{Telling, node},
};

/// A browser: follows one redirect at a time, keeps cookies of both sites apart.
struct Browser {
    client: Client,
    cookies: BTreeMap<(String, String), String>,
    account: Option<&'static str>,
}

impl Browser {
    fn new(server: &Server, account: Option<&'static str>) -> Self {
        Self {
            client: server.guest(),
            cookies: BTreeMap::new(),
            account,
        }
    }

    async fn get(&mut self, url: &str) -> Answer {
        let site = origin(url);
        let cookies = self.cookies.iter().filter(|((of, _), _)| *of == site);
        let cookies: Vec<String> = cookies.map(|((_, k), v)| format!("{k}={v}")).collect();
        let cookies = cookies.join("; ");
        let mut headers = vec![("cookie", cookies.as_str())];
        headers.extend(self.account.map(|account| ("x-test-account", account)));
        let answer = self.client.request("GET", url, None, &headers).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let name = (site.clone(), name.to_owned());
            self.cookies.insert(name, value.to_owned());
        }
        answer
    }

    /// Where an answer sends the browser.
    fn place(url: &str, answer: &Answer) -> String {
        assert!((300..400).contains(&answer.status), "{answer:?}");
        let place = answer.headers["location"].to_str().unwrap();
        if place.starts_with('/') {
            format!("{}{place}", origin(url))
        } else {
            place.to_owned()
        }
    }

    /// Begins to sign in; returns the way to the provider.
    async fn begin(&mut self, server: &Server, return_to: &str) -> String {
        let url = format!("{}/api/v1/sign-in?return_to={return_to}", server.site);
        let answer = self.get(&url).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        Self::place(&url, &answer)
    }

    /// Goes through the provider; returns the way back, which it did not take.
    async fn at_provider(&mut self, server: &Server, way: &str) -> String {
        let mut url = way.to_owned();
        for _ in 0..6 {
            let answer = self.get(&url).await;
            url = Self::place(&url, &answer);
            if url.starts_with(&server.site) {
                return url;
            }
        }
        panic!("the provider does not come to an end: {url}");
    }

    async fn me(&mut self, server: &Server) -> Answer {
        self.get(&format!("{}/api/v1/me", server.site)).await
    }
}

fn origin(url: &str) -> String {
    url.split('/').take(3).collect::<Vec<_>>().join("/")
}

/// Puts something else into the place of a parameter.
fn with(url: &str, name: &str, value: &str) -> String {
    let (head, query) = url.split_once('?').unwrap();
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) if key == name => format!("{name}={value}"),
        _ => pair.to_owned(),
    });
    let pairs: Vec<String> = pairs.collect();
    assert!(pairs.join("&") != query, "no {name} in {url}");
    format!("{head}?{}", pairs.join("&"))
}

fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap().1;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).unwrap().1.to_owned()
}

/// A service and the provider that knows it.
async fn pair(change: impl FnOnce(&mut Provider)) -> (Server, Telling) {
    // The provider wants to know where the service will be.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut command = node("provider.mjs");
    command.arg(format!("{site}/api/v1/sign-in/callback"));
    let mut telling = Telling::start(command);
    let issuer = telling.next()["issuer"].as_str().unwrap().to_owned();
    let mut provider = Provider::new(&issuer, "parvis", Some("a secret of the tests"));
    provider.organisation_claim = Some("organisations".to_owned());
    provider.administrators = vec!["root".to_owned()];
    change(&mut provider);
    let server = Server::at(&site, |config| config.provider = Some(provider)).await;
    (server, telling)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_by_the_provider() {
    let (server, _provider) = pair(|_| {}).await;
    let mut browser = Browser::new(&server, Some("zoe"));
    let way = browser.begin(&server, "/abc-defg-hij").await;
    assert_eq!(parameter(&way, "code_challenge_method"), "S256");
    assert_eq!(parameter(&way, "response_type"), "code");
    let back = browser.at_provider(&server, &way).await;
    let answer = browser.get(&back).await;
    assert_eq!(
        Browser::place(&back, &answer),
        format!("{}/abc-defg-hij", server.site)
    );
    let me = browser.me(&server).await.ok();
    assert_eq!(
        (&me["email"], &me["name"]),
        (&json!("zoe@example.org"), &json!("Zoé"))
    );
    assert_eq!(me["organisations"], json!(["ministry", "town"]));
    assert_eq!(me["administrator"], false);

    // The same person with another address is the same account: the subject counts.
    let mut moved = Browser::new(&server, Some("zoe as moved"));
    let way = moved.begin(&server, "/").await;
    let back = moved.at_provider(&server, &way).await;
    moved.get(&back).await;
    let now = moved.me(&server).await.ok();
    assert_eq!(now["id"], me["id"]);
    assert_eq!(now["email"], "zoe.b@example.org");
    assert_eq!(now["organisations"], json!([]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_without_address_and_one_who_manages() {
    let (server, _provider) = pair(|_| {}).await;
    for (account, name, manages) in [("nameless", "?", false), ("root", "?", true)] {
        let mut browser = Browser::new(&server, Some(account));
        let way = browser.begin(&server, "/").await;
        let back = browser.at_provider(&server, &way).await;
        browser.get(&back).await;
        let me = browser.me(&server).await.ok();
        assert_eq!(
            (&me["name"], &me["administrator"]),
            (&json!(name), &json!(manages))
        );
        assert_eq!(me["email"], json!(null));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_did_not_begin_here_is_refused() {
    let (server, _provider) = pair(|_| {}).await;
    let mut browser = Browser::new(&server, Some("zoe"));
    let way = browser.begin(&server, "/").await;
    let back = browser.at_provider(&server, &way).await;

    let other_state = with(&back, "state", "0000");
    browser
        .get(&other_state)
        .await
        .refused(401, "NotSignedIn", "did not begin in this browser");
    // Whoever is lured to the way back of somebody else would be signed in as they are.
    let mut victim = Browser::new(&server, None);
    victim
        .get(&back)
        .await
        .refused(401, "NotSignedIn", "did not begin in this browser");
    victim.begin(&server, "/").await;
    victim
        .get(&back)
        .await
        .refused(401, "NotSignedIn", "did not begin in this browser");

    assert_eq!(
        browser.get(&back).await.status,
        303,
        "nothing of that was its fault"
    );
    browser
        .get(&back)
        .await
        .refused(401, "NotSignedIn", "did not begin in this browser");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once() {
    let (server, _provider) = pair(|_| {}).await;
    let mut browser = Browser::new(&server, Some("zoe"));
    let way = browser.begin(&server, "/").await;
    let first = browser.at_provider(&server, &way).await;
    assert_eq!(browser.get(&first).await.status, 303);
    let mut other = Browser::new(&server, Some("zoe"));
    let way = other.begin(&server, "/").await;
    let second = other.at_provider(&server, &way).await;
    let replayed = with(&second, "code", &parameter(&first, "code"));
    other
        .get(&replayed)
        .await
        .refused(403, "Denied", "gives no token for this code");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_nonce_verifier_or_issuer_is_refused() {
    let (server, _provider) = pair(|_| {}).await;
    for (name, value, says) in [
        ("nonce", "another", "an ID token that is not good"),
        // Of another verifier: RFC 7636, appendix B.
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "gives no token",
        ),
    ] {
        let mut browser = Browser::new(&server, Some("zoe"));
        let way = with(&browser.begin(&server, "/").await, name, value);
        let back = browser.at_provider(&server, &way).await;
        browser.get(&back).await.refused(403, "Denied", says);
        assert_eq!(browser.me(&server).await.status, 401, "{name}");
    }
    let mut browser = Browser::new(&server, Some("zoe"));
    let way = browser.begin(&server, "/").await;
    let back = browser.at_provider(&server, &way).await;
    let mixed_up = with(&back, "iss", "https%3A%2F%2Fevil.example");
    browser
        .get(&mixed_up)
        .await
        .refused(401, "NotSignedIn", "another provider");
    server.stop().await;
}

async fn is_not_verified(server: &Server, account: &'static str) {
    let mut browser = Browser::new(server, Some(account));
    let way = browser.begin(server, "/").await;
    let back = browser.at_provider(server, &way).await;
    browser
        .get(&back)
        .await
        .refused(403, "Denied", "has not verified the e-mail address");
    assert_eq!(browser.me(server).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_nobody_verified_is_refused() {
    let (server, _provider) = pair(|_| {}).await;
    is_not_verified(&server, "unverified").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_may_say_a_name_in_parts_and_nothing_of_verified() {
    let (server, _provider) = pair(|provider| {
        provider.scopes.push("usual_name".to_owned());
        provider.trust_email = true;
    })
    .await;
    for (account, name, email) in [
        ("angela", "Angela Claire Dubois", "angela@example.org"),
        ("jean", "Jean Durand", "jean@example.org"),
    ] {
        let mut browser = Browser::new(&server, Some(account));
        let way = browser.begin(&server, "/").await;
        assert_eq!(parameter(&way, "scope"), "openid+email+profile+usual_name");
        let back = browser.at_provider(&server, &way).await;
        assert_eq!(browser.get(&back).await.status, 303);
        let me = browser.me(&server).await.ok();
        assert_eq!((&me["name"], &me["email"]), (&json!(name), &json!(email)));
    }
    server.stop().await;
    // Unless the operator trusts its addresses nobody of it comes in.
    let (server, _provider) = pair(|_| {}).await;
    is_not_verified(&server, "angela").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_by_the_provider_is_told_so() {
    let (server, _provider) = pair(|_| {}).await;
    let mut browser = Browser::new(&server, None);
    let way = browser.begin(&server, "/").await;
    let back = browser.at_provider(&server, &way).await;
    browser
        .get(&back)
        .await
        .refused(403, "Denied", "the provider says \"access_denied\"");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_provider_there_are_no_local_accounts() {
    let (server, _provider) = pair(|_| {}).await;
    assert_eq!(server.root, None);
    let guest = server.guest();
    let new = json!({ "email": "zoe@example.org", "name": "Zoé" });
    guest
        .post("/api/v1/accounts", &new)
        .await
        .refused(403, "Forbidden", "by the provider");
    let login = json!({ "email": "zoe@example.org", "passphrase": "Abcdefg1.x" });
    guest
        .post("/api/v1/login", &login)
        .await
        .refused(403, "Forbidden", "by the provider");
    let elsewhere = "/api/v1/sign-in?return_to=//evil.example";
    guest
        .get(elsewhere)
        .await
        .refused(400, "Malformed", "a path of this site");
    server.stop().await;
    let local = Server::start().await;
    let answer = local.guest().get("/api/v1/sign-in").await;
    answer.refused(403, "Forbidden", "local accounts");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_is_said_to_be() {
    let (server, provider) = pair(|_| {}).await;
    drop(provider);
    let answer = server.guest().get("/api/v1/sign-in").await;
    answer.refused(503, "ServiceUnavailable", "the provider cannot be used");
    server.stop().await;
}
