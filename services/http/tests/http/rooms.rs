use serde_json::{Value, json};

use crate::server::{Client, Server};

async fn create(client: &Client, body: Value) -> Value {
    client.post("/api/v1/rooms", &body).await.ok()
}

fn path(room: &Value) -> String {
    format!("/api/v1/rooms/{}", room["code"].as_str().unwrap())
}

#[tokio::test]
async fn one_call_makes_a_room() {
    let server = Server::start().await;
    let zoe = server.agent("Zoe").await;
    let answer = zoe.post("/api/v1/rooms", &json!({})).await;
    assert_eq!(answer.status, 201);
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let room = answer.ok();
    let (code, id) = (room["code"].as_str().unwrap(), room["id"].as_str().unwrap());
    assert_eq!(code.replace('-', ""), id);
    assert_eq!(room["url"], format!("{}/{code}", server.site));
    assert_eq!(room["access"], "trusted");
    assert_eq!(
        (&room["host_gate"], &room["role"]),
        (&json!(true), &json!("owner"))
    );
    assert_eq!(location, path(&room));
    assert_eq!(zoe.get(&location).await.ok(), room);
    let by_letters = zoe
        .get(&format!("/api/v1/rooms/{}", id.to_uppercase()))
        .await;
    assert_eq!(by_letters.ok(), room);
    server.stop().await;
}

#[tokio::test]
async fn a_room_is_made_and_changed_as_asked() {
    let server = Server::start().await;
    let zoe = server.agent("Zoe").await;
    let room = create(
        &zoe,
        json!({
            "title": "Réunion", "access": "restricted", "host_gate": false, "history": "from_join",
            "retention": "30d", "starts_at": "2027-03-01T09:00:00+01:00", "lasts": "45m",
        }),
    )
    .await;
    assert_eq!(room["title"], "Réunion");
    assert_eq!(
        (&room["access"], &room["history"]),
        (&json!("restricted"), &json!("from_join"))
    );
    assert_eq!(
        (&room["retention"], &room["lasts"]),
        (&json!("30d"), &json!("45m"))
    );
    assert_eq!(room["starts_at"], "2027-03-01T08:00:00Z");
    let change =
        json!({ "access": "public", "retention": null, "starts_at": "2027-03-02T08:00:00Z" });
    let changed = zoe.send("PATCH", &path(&room), &change).await.ok();
    assert_eq!(changed["access"], "public");
    assert_eq!(
        (&changed["retention"], &changed["lasts"]),
        (&Value::Null, &json!("45m"))
    );
    assert_eq!(changed["starts_at"], "2027-03-02T08:00:00Z");
    assert_eq!(
        (&changed["title"], &changed["host_gate"]),
        (&room["title"], &json!(false))
    );
    let without = zoe
        .send("PATCH", &path(&room), &json!({ "starts_at": null }))
        .await
        .ok();
    assert_eq!(
        (&without["starts_at"], &without["lasts"]),
        (&Value::Null, &Value::Null)
    );
    server.stop().await;
}

#[tokio::test]
async fn the_audit_log_has_what_was_changed() {
    let server = Server::start().await;
    let zoe = server.agent("Zoe").await;
    let room = create(&zoe, json!({})).await;
    let change = json!({
        "title": "Review", "starts_at": "2027-03-01T09:00:00Z", "lasts": "45m", "retention": "30d",
        "invite": ["ann@example.org"],
    });
    zoe.send("PATCH", &path(&room), &change).await.ok();
    let code = room["code"].as_str().unwrap().parse().unwrap();
    let log = server.store.audit_log(&code).await.unwrap();
    let details: Value = serde_json::from_str(&log[0].entry.details).unwrap();
    assert_eq!(log[0].entry.action, "change");
    assert_eq!(details, change);
    server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_room_is_said() {
    let server = Server::start().await;
    let zoe = server.agent("Zoe").await;
    for (body, error, says) in [
        (json!({ "title": " " }), "Empty", "empty"),
        (
            json!({ "title": "x".repeat(201) }),
            "TooLong",
            "200 characters",
        ),
        (
            json!({ "access": "open" }),
            "Malformed",
            "expected one of `public`, `trusted`, `restricted`",
        ),
        (
            json!({ "titel": "x" }),
            "Malformed",
            "unknown field `titel`",
        ),
        (json!({ "lasts": "45m" }), "Malformed", "give starts_at"),
        (
            json!({ "starts_at": "2027-03-01T09:00:00Z", "lasts": "0s" }),
            "Malformed",
            "longer than no time",
        ),
        (
            json!({ "starts_at": "tomorrow" }),
            "Malformed",
            "as in 2027-03-01",
        ),
        (
            json!({ "retention": "1 month" }),
            "Malformed",
            "a number and a unit",
        ),
        (
            json!({ "invite": ["ann"] }),
            "Malformed",
            "an e-mail address is as in",
        ),
        (
            json!({ "organisation": "ministry" }),
            "Forbidden",
            "you do not belong",
        ),
        (
            json!({ "on_behalf_of": "ann@example.org" }),
            "Forbidden",
            "for applications",
        ),
        (json!([]), "Malformed", "invalid type"),
        (json!({ "encrypted": true }), "Malformed", "not offered"),
    ] {
        let answer = zoe.post("/api/v1/rooms", &body).await;
        let status = if error == "Forbidden" { 403 } else { 400 };
        answer.refused(status, error, says);
    }
    let raw = |body: &str, kind: &'static str| {
        let (zoe, body) = (zoe.clone(), body.to_owned());
        async move {
            let headers = [("content-type", kind)];
            zoe.request("POST", "/api/v1/rooms", Some(body), &headers)
                .await
        }
    };
    raw("{", "application/json")
        .await
        .refused(400, "Malformed", "JSON");
    raw("{}", "text/plain")
        .await
        .refused(415, "Malformed", "application/json");
    let large = format!("{{\"title\":\"{}\"}}", "x".repeat(70_000));
    raw(&large, "application/json")
        .await
        .refused(413, "Malformed", "limit");
    server.stop().await;
}

#[tokio::test]
async fn the_link_says_how_one_takes_part_whether_the_room_is_there_or_not() {
    let server = Server::start().await;
    let zoe = server.agent("Zoe").await;
    let room = create(&zoe, json!({})).await;
    let code = room["code"].as_str().expect("a code");
    for code in [code, "zzz-zzzz-zzz"] {
        let page = server.guest().get(&format!("/{code}")).await;
        assert_eq!(page.headers["content-type"], "text/plain; charset=utf-8");
        let text = page.ok();
        let how = format!("parvis join {}/{code} --name ", server.site);
        assert!(
            text.as_str().is_some_and(|text| text.contains(&how)),
            "{text}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn bad_codes_and_absent_rooms_differ_and_rooms_of_others_are_absent() {
    let server = Server::start().await;
    let zoe = server.agent("Zoe").await;
    let room = create(&zoe, json!({})).await;
    let absent = "/api/v1/rooms/zzz-zzzz-zzz";
    zoe.get("/api/v1/rooms/zzz")
        .await
        .refused(400, "BadCode", "ten letters and digits");
    zoe.get(absent)
        .await
        .refused(404, "NotFound", "no such room");
    let ann = server.agent("Ann").await;
    for (method, more) in [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/invitation"),
        ("GET", "/roles"),
    ] {
        let body = (method == "PATCH").then(|| "{}".to_owned());
        let there = format!("{}{more}", path(&room));
        let there = ann.request(method, &there, body.clone(), &[]).await;
        let absent = format!("{absent}{more}");
        let absent = ann.request(method, &absent, body, &[]).await;
        there.refused(404, "NotFound", "no such room");
        assert_eq!(there.body, absent.body, "{method} {more}: without a role");
    }

    let guest = server.guest();
    for method in ["GET", "PATCH", "DELETE"] {
        let body = (method == "PATCH").then(|| "{}".to_owned());
        let there = guest.request(method, &path(&room), body.clone(), &[]).await;
        let absent = guest.request(method, absent, body, &[]).await;
        there.refused(401, "NotSignedIn", "signed in");
        assert_eq!(
            (there.status, there.body),
            (absent.status, absent.body),
            "{method}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn roles_decide_who_changes_a_room() {
    let server = Server::start().await;
    let (zoe, ann) = (server.agent("Zoe").await, server.agent("Ann").await);
    let room = create(&zoe, json!({})).await;
    let roles = format!("{}/roles", path(&room));
    let title = json!({ "title": "Ann's" });
    let set = |client: &Client, email: &str, role: &str| {
        let (client, roles) = (client.clone(), roles.clone());
        let body = json!({ "email": format!("{email}@example.org"), "role": role });
        async move { client.send("PUT", &roles, &body).await }
    };
    set(&zoe, "ann", "member").await.ok();
    ann.send("PATCH", &path(&room), &title)
        .await
        .refused(403, "Forbidden", "owners and admin");
    set(&zoe, "ann", "administrator").await.ok();
    assert_eq!(
        ann.send("PATCH", &path(&room), &title).await.ok()["title"],
        "Ann's"
    );
    ann.send("PATCH", &path(&room), &json!({ "encrypted": true }))
        .await
        .refused(400, "Malformed", "not offered");
    ann.order("DELETE", &path(&room))
        .await
        .refused(403, "Forbidden", "owners");
    set(&ann, "ann", "owner")
        .await
        .refused(403, "Forbidden", "nobody changes their own role");
    set(&ann, "zoe", "guest")
        .await
        .refused(403, "Forbidden", "above their own");
    set(&zoe, "zoe", "guest")
        .await
        .refused(409, "LastOwner", "owner");
    set(&zoe, "eve", "member")
        .await
        .refused(409, "NotPresent", "eve@example.org");
    let listed = ann.get(&roles).await.ok();
    assert_eq!(listed["roles"].as_array().unwrap().len(), 2);
    set(&zoe, "ann", "guest").await.ok();
    ann.get(&roles)
        .await
        .refused(404, "NotFound", "no such room");

    assert_eq!(zoe.order("DELETE", &path(&room)).await.status, 204);
    zoe.get(&path(&room))
        .await
        .refused(404, "NotFound", "no such room");
    server.stop().await;
}

#[tokio::test]
async fn rooms_are_listed_in_pages_newest_first() {
    let server = Server::start().await;
    let zoe = server.agent("Zoe").await;
    let mut codes = Vec::new();
    for _ in 0..5 {
        let room = create(&zoe, json!({})).await;
        codes.push(room["code"].clone());
    }
    let mut found = Vec::new();
    let mut next = json!(null);
    loop {
        let before = next
            .as_str()
            .map_or_else(String::new, |n| format!("&before={n}"));
        let page = zoe
            .get(&format!("/api/v1/rooms?limit=2{before}"))
            .await
            .ok();
        let rooms = page["rooms"].as_array().unwrap().clone();
        found.extend(rooms.into_iter().map(|room| room["code"].clone()));
        next = page["next"].clone();
        if next.is_null() {
            break;
        }
    }
    codes.reverse();
    assert_eq!(found, codes);
    for before in ["1", "x-abcdefghij", "+1-abcdefghij", "1-abc-defg-hij"] {
        zoe.get(&format!("/api/v1/rooms?before={before}"))
            .await
            .refused(400, "Malformed", "the `next` of another list");
    }
    zoe.get("/api/v1/rooms?limit=0")
        .await
        .refused(400, "Malformed", "1 to 100");
    zoe.get("/api/v1/rooms?x=1")
        .await
        .refused(400, "Malformed", "unknown field");
    server.stop().await;
}

#[tokio::test]
async fn a_trusted_room_is_for_an_organisation_of_ones_own() {
    let server = Server::start().await;
    let root = server.root().await;
    let ministry = json!({ "name": "The ministry", "domains": ["example.org"] });
    root.send("PUT", "/api/v1/organisations/ministry", &ministry)
        .await
        .ok();
    let zoe = server.agent("Zoe").await;
    let room = create(&zoe, json!({ "organisation": "ministry" })).await;
    assert_eq!(
        (&room["access"], &room["organisation"]),
        (&json!("trusted"), &json!("ministry"))
    );
    for access in ["public", "restricted"] {
        let both = json!({ "access": access, "organisation": "ministry" });
        let says = "only trusted access has an organisation";
        let made = zoe.post("/api/v1/rooms", &both).await;
        made.refused(400, "Malformed", says);
        let changed = zoe.send("PATCH", &path(&room), &both).await;
        changed.refused(400, "Malformed", says);
    }
    let closed = json!({ "access": "restricted" });
    zoe.send("PATCH", &path(&room), &closed).await.ok();
    let open = json!({ "access": "trusted" });
    let again = zoe.send("PATCH", &path(&room), &open).await.ok();
    assert_eq!(again["organisation"], "ministry", "what is left out stays");
    server.stop().await;
}

#[tokio::test]
async fn without_a_mail_server_an_invitation_is_said_not_to_be_sent() {
    let server = Server::start().await;
    let zoe = server.agent("Zoe").await;
    let room = create(&zoe, json!({ "invite": ["ann@example.org"] })).await;
    assert_eq!(room["invited"], json!(["ann@example.org"]));
    assert_eq!(room["sends_mail"], false);
    assert_eq!(server.store.next_mail_at().await.unwrap(), None);
    server.stop().await;
}

#[tokio::test]
async fn an_invitation_is_a_text_and_a_calendar_entry() {
    let server = Server::start().await;
    let zoe = server.agent("Zoe").await;
    let room = create(&zoe, json!({ "title": "Stand-up" })).await;
    let invitation = zoe.get(&format!("{}/invitation", path(&room))).await.ok();
    assert!(
        invitation["text"]
            .as_str()
            .unwrap()
            .contains(room["url"].as_str().unwrap())
    );
    assert_eq!(invitation["calendar"], Value::Null, "it has no time");
    let change = json!({ "starts_at": "2027-03-01T09:00:00Z", "lasts": "45m" });
    zoe.send("PATCH", &path(&room), &change).await.ok();
    let invitation = zoe.get(&format!("{}/invitation", path(&room))).await.ok();
    let calendar = invitation["calendar"].as_str().unwrap();
    for line in [
        "BEGIN:VEVENT",
        "DTSTART:20270301T090000Z",
        "DTEND:20270301T094500Z",
        "SUMMARY:Stand-up",
    ] {
        assert!(
            calendar.lines().any(|found| found == line),
            "no {line} in {calendar}"
        );
    }
    assert!(!calendar.contains("METHOD"), "{calendar}");
    server.stop().await;
}
