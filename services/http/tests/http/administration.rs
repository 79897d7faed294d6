use serde_json::{Value, json};

use crate::server::{Client, Server};

async fn application(root: &Client, scopes: Value, domains: Value) -> (String, Client) {
    let body = json!({ "name": "Agenda", "scopes": scopes, "domains": domains });
    let answer = root.post("/api/v1/applications", &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let made = answer.ok();
    let client = Client::new(&root.site, made["token"].as_str());
    (made["id"].as_str().unwrap().to_owned(), client)
}

#[tokio::test]
async fn an_application_makes_rooms_for_users_of_its_domains() {
    let server = Server::start().await;
    let root = server.root().await;
    let zoe = server.agent("Zoe").await;
    let (id, agenda) = application(&root, json!(["rooms:create"]), json!(["Example.org"])).await;
    let for_zoe = json!({ "title": "Review", "on_behalf_of": "Zoe@example.org" });
    let room = agenda.post("/api/v1/rooms", &for_zoe).await.ok();
    let mine = zoe.get("/api/v1/rooms").await.ok();
    assert_eq!(mine["rooms"][0]["code"], room["code"]);

    let stranger = json!({ "on_behalf_of": "eve@example.net" });
    let answer = agenda.post("/api/v1/rooms", &stranger).await;
    answer.refused(403, "Forbidden", "addresses of example.org only");
    let nobody = agenda.post("/api/v1/rooms", &json!({})).await;
    nobody.refused(400, "Malformed", "give on_behalf_of");
    let path = format!("/api/v1/rooms/{}", room["code"].as_str().unwrap());
    agenda
        .get(&path)
        .await
        .refused(403, "Forbidden", "rooms:read");
    let list = agenda
        .get("/api/v1/rooms?on_behalf_of=zoe@example.org")
        .await;
    list.refused(403, "Forbidden", "rooms:list");
    for (method, body) in [("PATCH", Some("{}".to_owned())), ("DELETE", None)] {
        let answer = agenda.request(method, &path, body, &[]).await;
        answer.refused(403, "Forbidden", "not for applications");
    }
    let answer = agenda.post(&format!("{path}/join"), &json!({})).await;
    answer.refused(403, "Forbidden", "applications do not join");

    // Somebody who was not here before finds the room when the address is proven.
    let for_ann = json!({ "on_behalf_of": "ann@example.org" });
    let room = agenda.post("/api/v1/rooms", &for_ann).await.ok();
    let actor = format!("application {id}");
    let log = server.store.audit_log_of(&actor).await.unwrap();
    let made = log.iter().find(|l| l.entry.action == "create_account");
    let made = made.expect("the account is audited");
    assert!(made.entry.details.contains("ann@example.org"), "{made:?}");
    let ann = server.agent("Ann").await;
    let mine = ann.get("/api/v1/rooms").await.ok();
    assert_eq!(mine["rooms"][0]["code"], room["code"]);

    let gone = root
        .order("DELETE", &format!("/api/v1/applications/{id}"))
        .await;
    assert_eq!(gone.status, 204);
    let refused = agenda.post("/api/v1/rooms", &for_zoe).await;
    refused.refused(401, "NotSignedIn", "none of ours");
    server.stop().await;
}

#[tokio::test]
async fn an_application_sees_rooms_of_its_domains_only() {
    let server = Server::start().await;
    let root = server.root().await;
    let zoe = server.agent("Zoe").await;
    let room = zoe.post("/api/v1/rooms", &json!({})).await.ok();
    let path = format!("/api/v1/rooms/{}", room["code"].as_str().unwrap());
    let scopes = json!(["rooms:read", "rooms:list"]);
    let (_, ours) = application(&root, scopes.clone(), json!(["example.org"])).await;
    let (_, other) = application(&root, scopes, json!(["example.net"])).await;
    assert_eq!(ours.get(&path).await.ok()["code"], room["code"]);
    let list = ours
        .get("/api/v1/rooms?on_behalf_of=zoe%40example.org")
        .await
        .ok();
    assert_eq!(list["rooms"].as_array().unwrap().len(), 1);
    let (theirs, absent) = (
        other.get(&path).await,
        other.get("/api/v1/rooms/zzz-zzzz-zzz").await,
    );
    theirs.refused(404, "NotFound", "no such room");
    assert_eq!(theirs.body, absent.body);
    ours.post(
        "/api/v1/rooms",
        &json!({ "on_behalf_of": "zoe@example.org" }),
    )
    .await
    .refused(403, "Forbidden", "rooms:create");
    server.stop().await;
}

#[tokio::test]
async fn only_administrators_manage_the_service() {
    let server = Server::start().await;
    let (root, zoe) = (server.root().await, server.agent("Zoe").await);
    let new = json!({ "name": "Agenda", "scopes": ["rooms:read"], "domains": ["example.org"] });
    for path in ["/api/v1/applications", "/api/v1/organisations"] {
        zoe.get(path)
            .await
            .refused(403, "Forbidden", "administrators of the service");
        server
            .guest()
            .get(path)
            .await
            .refused(401, "NotSignedIn", "signed in");
        assert_eq!(root.get(path).await.status, 200);
    }
    zoe.post("/api/v1/applications", &new)
        .await
        .refused(403, "Forbidden", "administrators");
    for (body, says) in [
        (
            json!({ "name": "A", "scopes": [], "domains": ["example.org"] }),
            "one scope",
        ),
        (
            json!({ "name": "A", "scopes": ["rooms:read"], "domains": [] }),
            "1 to 100 domains",
        ),
        (
            json!({ "name": "A", "scopes": ["rooms:read"], "domains": ["@"] }),
            "as in example.org",
        ),
        (
            json!({ "name": "A", "scopes": ["rooms:delete"], "domains": ["example.org"] }),
            "rooms:create",
        ),
    ] {
        root.post("/api/v1/applications", &body)
            .await
            .refused(400, "Malformed", says);
    }
    let secret = root.post("/api/v1/applications", &new).await.ok();
    let listed = root.get("/api/v1/applications").await.ok();
    let token = secret["token"].as_str().unwrap();
    assert!(!listed.to_string().contains(token), "a token is shown once");
    root.order("DELETE", "/api/v1/applications/none")
        .await
        .refused(404, "NotFound", "no application");
    server.stop().await;
}
