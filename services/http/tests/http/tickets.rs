use std::time::Instant;

use parvis_meeting::{Identity, ParticipantId, RoomCode, tracks};
use parvis_token::{Action, KeySet, Rules, Signer, UnixTime, Verifier};
use serde_json::{Value, json};

use crate::server::Server;

fn guest(name: &str) -> Value {
    json!({ "name": name, "device": "device-1" })
}

fn now() -> u64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn a_ticket_lets_its_holder_knock_and_nothing_else() {
    let server = Server::start().await;
    let zoe = server.agent("Zoe").await;
    let room = zoe.post("/api/v1/rooms", &json!({})).await.ok();
    let code = RoomCode::parse(room["code"].as_str().unwrap()).unwrap();
    let join = format!("/api/v1/rooms/{code}/join");
    let ticket = server.guest().post(&join, &guest("Gus")).await.ok();
    assert_eq!(ticket["relay"]["url"], "moqt://127.0.0.1:4433");
    assert_eq!(
        (&ticket["name"], &ticket["verified"]),
        (&json!("Gus"), &json!(false))
    );
    let participant = ParticipantId::new(ticket["participant"].as_str().unwrap()).unwrap();

    let keys = KeySet::parse(&Signer::from_seed(&[7; 32]).key_set()).unwrap();
    let verifier = Verifier::new(keys, Rules::default());
    let token = ticket["token"].as_str().unwrap().as_bytes();
    let access = verifier.verify(token, UnixTime(now())).unwrap();
    assert_eq!(access.subject(), participant.as_str());
    let (inbox, outbox) = (
        tracks::inbox(&code, &participant),
        tracks::outbox(&code, &participant),
    );
    assert!(access.allows(Action::Publish, &inbox));
    assert!(access.allows(Action::Subscribe, &outbox));
    assert_eq!(access.grants().len(), 2);
    for elsewhere in [
        tracks::media(&code),
        tracks::media_of(&code, &participant),
        tracks::control(&code),
    ] {
        for action in [Action::Publish, Action::Subscribe, Action::Discover] {
            assert!(
                !access.allows(action, &elsewhere),
                "{action:?} {elsewhere:?}"
            );
        }
    }
    let joined = server
        .store
        .join(&participant, parvis_meeting::UnixMillis(now() * 1000));
    let joined = joined.await.unwrap().expect("the authority finds it");
    assert_eq!(joined.room, code);
    assert!(matches!(joined.identity, Identity::Guest { name, .. } if name == "Gus"));
    server.stop().await;
}

#[tokio::test]
async fn a_ticket_for_a_test_lets_its_holder_send_to_itself_for_two_minutes() {
    let server = Server::start().await;
    // A room that is not there is tested in the same way.
    let mut body = guest("Gus");
    body["test"] = json!(true);
    let join = "/api/v1/rooms/zzz-zzzz-zzz/join";
    let ticket = server.guest().post(join, &body).await.ok();
    let participant = ParticipantId::new(ticket["participant"].as_str().unwrap()).unwrap();
    let keys = KeySet::parse(&Signer::from_seed(&[7; 32]).key_set()).unwrap();
    let verifier = Verifier::new(keys, Rules::default());
    let token = ticket["token"].as_str().unwrap().as_bytes();
    let access = verifier.verify(token, UnixTime(now())).unwrap();
    let own = tracks::probe(&participant);
    assert!(access.allows(Action::Publish, &own));
    assert!(access.allows(Action::Subscribe, &own));
    assert_eq!(access.grants().len(), 1);
    let code = RoomCode::parse("zzz-zzzz-zzz").unwrap();
    assert!(!access.allows(Action::Publish, &tracks::inbox(&code, &participant)));
    assert!(verifier.verify(token, UnixTime(now() + 130)).is_err());
    server.stop().await;
}

#[tokio::test]
async fn an_agent_is_known_and_verified() {
    let server = Server::start().await;
    let zoe = server.agent("Zoe").await;
    let room = zoe.post("/api/v1/rooms", &json!({})).await.ok();
    let join = format!("/api/v1/rooms/{}/join", room["code"].as_str().unwrap());
    let ticket = zoe.post(&join, &json!({})).await.ok();
    assert_eq!(
        (&ticket["name"], &ticket["verified"]),
        (&json!("Zoe"), &json!(true))
    );
    let renamed = zoe.post(&join, &json!({ "name": "The boss" })).await.ok();
    assert_eq!(renamed["verified"], false, "nobody vouches for that name");
    zoe.post("/api/v1/rooms/zzz-zzzz-zzz/join", &json!({}))
        .await
        .refused(404, "NotFound", "no such room");
    zoe.post("/api/v1/rooms/zz/join", &json!({}))
        .await
        .refused(400, "BadCode", "ten letters");
    server.stop().await;
}

#[tokio::test]
async fn the_same_participant_comes_back_with_its_secret() {
    let server = Server::start().await;
    let zoe = server.agent("Zoe").await;
    let room = zoe.post("/api/v1/rooms", &json!({})).await.ok();
    let join = format!("/api/v1/rooms/{}/join", room["code"].as_str().unwrap());
    let first = server.guest().post(&join, &guest("Gus")).await.ok();
    let with = |body: Value| {
        let (guest, join) = (server.guest(), join.clone());
        async move { guest.post(&join, &body).await.ok() }
    };
    let resume = &first["resume"];
    let same = with(json!({ "name": "Gus", "device": "device-1", "resume": resume })).await;
    assert_eq!(same["participant"], first["participant"]);
    assert_eq!(same["resume"], first["resume"]);
    for body in [
        json!({ "name": "Gus", "device": "device-2", "resume": resume }),
        json!({ "name": "Gus", "device": "device-1", "resume": "pvr_guessed" }),
        json!({ "name": "Gus", "device": "device-1" }),
    ] {
        assert_ne!(with(body).await["participant"], first["participant"]);
    }
    let as_agent = json!({ "resume": resume });
    let agent = zoe.post(&join, &as_agent).await.ok();
    assert_ne!(agent["participant"], first["participant"]);
    server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_guest_is_said() {
    let server = Server::start().await;
    let join = "/api/v1/rooms/zzz-zzzz-zzz/join";
    for (body, error, says) in [
        (json!({ "device": "d" }), "BadName", "1 to 50"),
        (json!({ "name": "  ", "device": "d" }), "BadName", "1 to 50"),
        (
            json!({ "name": "\u{202e}evil", "device": "d" }),
            "BadName",
            "1 to 50",
        ),
        (
            json!({ "name": "Gus" }),
            "Malformed",
            "a guest says its device",
        ),
        (
            json!({ "name": "Gus", "device": "é" }),
            "Malformed",
            "DeviceId",
        ),
        (
            json!({ "name": "Gus", "device": "d", "role": "owner" }),
            "Malformed",
            "unknown field",
        ),
    ] {
        let answer = server.guest().post(join, &body).await;
        answer.refused(400, error, says);
    }
    server.stop().await;
}

/// An absent room, a room that is closed to guests, and one that is open look the same from outside.
#[tokio::test]
async fn a_guest_does_not_find_out_which_rooms_there_are() {
    let server = Server::with(|config| config.limits.joins.burst = 10_000).await;
    let zoe = server.agent("Zoe").await;
    let mut codes = vec!["zzz-zzzz-zzz".to_owned()];
    for access in ["restricted", "public"] {
        let room = zoe
            .post("/api/v1/rooms", &json!({ "access": access }))
            .await
            .ok();
        codes.push(room["code"].as_str().unwrap().to_owned());
    }
    let guest_client = server.guest();
    let mut shapes = Vec::new();
    let mut times = vec![Vec::new(); codes.len()];
    for round in 0..40 {
        for (code, times) in codes.iter().zip(&mut times) {
            let join = format!("/api/v1/rooms/{code}/join");
            let began = Instant::now();
            let answer = guest_client.post(&join, &guest("Gus")).await;
            times.push(began.elapsed());
            if round == 0 {
                let headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
                let body = answer.ok();
                let fields: Vec<(String, usize)> = body
                    .as_object()
                    .unwrap()
                    .iter()
                    .map(|(name, value)| (name.clone(), value.to_string().len()))
                    .collect();
                shapes.push((headers, fields));
            }
        }
    }
    assert_eq!(shapes[0], shapes[1]);
    assert_eq!(shapes[0], shapes[2]);
    let median = |times: &mut Vec<std::time::Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    let medians: Vec<_> = times.iter_mut().map(median).collect();
    let (least, most) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
    // Measured one after the other in turn; a look-up more would be there each time.
    assert!(*most < *least * 2, "{medians:?}");
    server.stop().await;
}
