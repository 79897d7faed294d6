use parvis_http::SignUp;
use serde_json::json;

use crate::server::{Answer, Client, PASSPHRASE, Server};

#[tokio::test]
async fn an_account_is_made_by_proving_an_address() {
    let server = Server::start().await;
    let zoe = server.agent("Zoe").await;
    let me = zoe.get("/api/v1/me").await.ok();
    assert_eq!(me["email"], "zoe@example.org");
    assert_eq!(me["name"], "Zoe");
    assert_eq!(me["administrator"], false);
    let again = server.login("ZOE@example.org", PASSPHRASE).await;
    assert_eq!(again.get("/api/v1/me").await.ok()["id"], me["id"]);
    let log = server.store.audit_log_of(me["id"].as_str().unwrap());
    let log = log.await.unwrap();
    let actions: Vec<&str> = log.iter().map(|line| line.entry.action.as_str()).collect();
    assert_eq!(actions, ["sign_in", "prove_address"]);

    assert_eq!(zoe.order("POST", "/api/v1/logout").await.status, 204);
    let out = zoe.get("/api/v1/me").await;
    out.refused(401, "NotSignedIn", "sign in again");
    assert_eq!(out.headers["www-authenticate"], "Bearer");
    assert_eq!(again.get("/api/v1/me").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn nobody_finds_out_who_has_an_account() {
    let server = Server::start().await;
    server.agent("Zoe").await;
    let guest = server.guest();
    let sign_in = |email: &str| {
        let body = json!({ "email": email, "passphrase": "Wrong-passphrase1" });
        let guest = guest.clone();
        async move { guest.post("/api/v1/login", &body).await }
    };
    let (known, unknown) = (
        sign_in("zoe@example.org").await,
        sign_in("eve@example.org").await,
    );
    known.refused(401, "NotSignedIn", "the address or the passphrase is wrong");
    assert_eq!(known.body, unknown.body);
    let create = |email: &str| {
        let body = json!({ "email": email, "name": "X" });
        let guest = guest.clone();
        async move { guest.post("/api/v1/accounts", &body).await }
    };
    let (known, unknown) = (
        create("zoe@example.org").await,
        create("eve@example.org").await,
    );
    assert_eq!(known.status, 202, "{known:?}");
    same(known, unknown);
    server.stop().await;
}

/// Two answers that say the same, but for what is random in them.
fn same(one: Answer, other: Answer) {
    let said = [one, other].map(|mut answer| {
        let proof = answer.body["proof"].take();
        assert!(proof.is_string(), "{proof}");
        let length = proof.as_str().map(str::len);
        (answer.status, length, answer.body)
    });
    assert_eq!(said[0], said[1]);
}

#[tokio::test]
async fn what_is_wrong_with_an_account_is_said() {
    let server = Server::start().await;
    let guest = server.guest();
    for (email, name, error, says) in [
        ("zoe", "Zoe", "Malformed", "an e-mail address is as in"),
        (
            "zoe@localhost",
            "Zoe",
            "Malformed",
            "an e-mail address is as in",
        ),
        ("zoe@example.org", "", "BadName", "1 to 50"),
    ] {
        let body = json!({ "email": email, "name": name });
        let answer = guest.post("/api/v1/accounts", &body).await;
        answer.refused(400, error, says);
    }
    for (passphrase, status, error, says) in [
        ("short", 400, "Malformed", "10 characters with a lower-case"),
        ("abcdefghij1", 400, "Malformed", "or 20 characters"),
        (PASSPHRASE, 401, "NotSignedIn", "ten digits that were sent"),
    ] {
        let body = json!({ "proof": "pvp_0", "email": "zoe@example.org", "code": "0123456789", "passphrase": passphrase });
        let answer = guest.post("/api/v1/accounts/proof", &body).await;
        answer.refused(status, error, says);
    }
    server.stop().await;
}

/// Asks for a code.
async fn ask(guest: &Client, email: &str, name: &str) -> Answer {
    let body = json!({ "email": email, "name": name });
    guest.post("/api/v1/accounts", &body).await
}

/// Shows a code.
async fn prove(guest: &Client, sent: &Answer, email: &str, code: &str, passphrase: &str) -> Answer {
    let proof = &sent.body["proof"];
    let body = json!({ "proof": proof, "email": email, "code": code, "passphrase": passphrase });
    guest.post("/api/v1/accounts/proof", &body).await
}

#[tokio::test]
async fn who_has_the_code_says_the_passphrase() {
    let server = Server::start().await;
    let (guest, email) = (server.guest(), "vic@example.org");
    let sent = ask(&guest, email, "Vic").await;
    let code = server.code(email);
    // A stranger asks too, and has neither the one code nor the other.
    let strangers = ask(&guest, email, "Mallory").await;
    // A passphrase that will not do spends nothing.
    for passphrase in ["short", PASSPHRASE] {
        let answer = prove(&guest, &sent, email, &code, passphrase).await;
        assert_eq!(answer.status == 200, passphrase == PASSPHRASE, "{answer:?}");
    }
    let vic = server.login(email, PASSPHRASE).await;
    assert_eq!(vic.get("/api/v1/me").await.ok()["name"], "Vic");
    // The owner has what the stranger asked for, and it is over.
    let late = server.code(email);
    let answer = prove(&guest, &strangers, email, &late, "Mallory's-own-1").await;
    answer.refused(401, "NotSignedIn", "ten digits");
    // Nobody else has said one.
    let stranger = json!({ "email": email, "name": "Mallory", "passphrase": "Mallory's-own-1" });
    let answer = guest.post("/api/v1/accounts", &stranger).await;
    answer.refused(400, "Malformed", "passphrase");
    server.stop().await;
}

#[tokio::test]
async fn who_guesses_a_code_does_not_keep_its_owner_from_showing_it() {
    let server = Server::start().await;
    let (guest, email) = (server.guest(), "vic@example.org");
    let sent = ask(&guest, email, "Vic").await;
    let code = server.code(email);
    let strangers = ask(&guest, email, "Mallory").await;
    for guess in 0..5 {
        let answer = prove(&guest, &strangers, email, "0000000000", PASSPHRASE).await;
        let says = if guess < 4 { "ten digits" } else { "too often" };
        answer.refused(401, "NotSignedIn", says);
    }
    // The right one does not count for the request of another.
    let answer = prove(&guest, &strangers, email, &code, PASSPHRASE).await;
    answer.refused(401, "NotSignedIn", "too often");
    prove(&guest, &sent, email, &code, PASSPHRASE).await.ok();
    server.stop().await;
}

#[tokio::test]
async fn who_may_sign_up_is_the_operators_to_say() {
    let server = Server::with(|config| config.sign_up = SignUp::Domains).await;
    let root = server.root().await;
    let ministry = json!({ "name": "The ministry", "domains": ["example.org"] });
    root.send("PUT", "/api/v1/organisations/ministry", &ministry)
        .await
        .ok();
    let zoe = server.agent("Zoe").await;
    let me = zoe.get("/api/v1/me").await.ok();
    assert_eq!(me["organisations"], json!(["ministry"]));

    // Whoever has an account outside of them gets another passphrase; nobody finds out who has one.
    root.send(
        "PUT",
        "/api/v1/organisations/ministry",
        &json!({ "name": "The ministry", "domains": ["example.com"] }),
    )
    .await
    .ok();
    let guest = server.guest();
    let known = ask(&guest, "zoe@example.org", "X").await;
    let code = server.code("zoe@example.org");
    let changed = prove(
        &guest,
        &known,
        "zoe@example.org",
        &code,
        "Another-passphrase1",
    )
    .await;
    changed.ok();
    server.login("zoe@example.org", "Another-passphrase1").await;
    let unknown = ask(&guest, "eve@example.org", "Eve").await;
    assert!(server.code_for("eve@example.org").is_none());
    let known = ask(&guest, "zoe@example.org", "X").await;
    same(known, unknown);
    server.stop().await;
}

#[tokio::test]
async fn where_nobody_signs_up_those_who_have_an_account_get_another_passphrase() {
    let server = Server::with(|config| config.sign_up = SignUp::Closed).await;
    let (guest, email) = (server.guest(), "root@example.org");
    let before = server.root().await;
    let sent = ask(&guest, email, "X").await;
    let code = server.code(email);
    prove(&guest, &sent, email, &code, PASSPHRASE).await.ok();
    let root = server.login(email, PASSPHRASE).await;
    let me = root.get("/api/v1/me").await.ok();
    assert_eq!(me["administrator"], true);
    assert_eq!(before.get("/api/v1/me").await.status, 401);
    // Nobody finds out who has an account.
    let (known, unknown) = (
        ask(&guest, email, "X").await,
        ask(&guest, "eve@example.org", "X").await,
    );
    assert!(server.code_for("eve@example.org").is_none());
    same(known, unknown);
    server.stop().await;
}

#[tokio::test]
async fn a_browser_is_signed_in_by_its_cookie() {
    let server = Server::start().await;
    server.agent("Zoe").await;
    let body = json!({ "email": "zoe@example.org", "passphrase": PASSPHRASE });
    let answer = server.guest().post("/api/v1/login", &body).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let others = format!("other=1; {pair}; more=2");
    let me = Client::new(&server.site, None);
    let me = me
        .request("GET", "/api/v1/me", None, &[("cookie", &others)])
        .await;
    assert_eq!(me.ok()["name"], "Zoe");
    server.stop().await;
}

#[tokio::test]
async fn there_is_one_first_administrator() {
    let server = Server::start().await;
    let root = server.root().await;
    assert_eq!(root.get("/api/v1/me").await.ok()["administrator"], true);
    let passphrase = &server.root.as_ref().unwrap().passphrase;
    assert!(passphrase.len() >= 20, "{passphrase}");
    assert!(server.store.has_administrator().await.unwrap());
    server.stop().await;
}

#[tokio::test]
async fn attempts_to_sign_in_are_limited() {
    let server = Server::start().await;
    server.agent("Zoe").await;
    let body = json!({ "email": "zoe@example.org", "passphrase": "Wrong-passphrase1" });
    let mut refused = 0;
    for _ in 0..20 {
        let answer = server.guest().post("/api/v1/login", &body).await;
        if answer.status == 429 {
            answer.refused(429, "RateLimited", "try again in");
            assert!(
                answer.headers["retry-after"]
                    .to_str()
                    .unwrap()
                    .parse::<u64>()
                    .unwrap()
                    >= 1
            );
            refused += 1;
        } else {
            answer.refused(401, "NotSignedIn", "wrong");
        }
    }
    assert!(refused >= 8, "{refused}");
    server.stop().await;
}
