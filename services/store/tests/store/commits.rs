use std::{fs, path::PathBuf, time::Duration};

use parvis_meeting::{AccountId, ChatSeq, ParticipantId, Policy, Role, RoomCode, UnixMillis};
use parvis_store::{ChatLine, CommitError, NewMail, OpenSession, RoleChange, Store, Unit};

use crate::both::{NOW, account, audit, both, room};

fn later(seconds: u64) -> UnixMillis {
    NOW.plus(Duration::from_secs(seconds))
}

fn line(seq: u64, client_id: &str) -> ChatLine {
    ChatLine {
        seq: ChatSeq(seq),
        participant: ParticipantId::new("pgus").unwrap(),
        client_id: client_id.to_owned(),
        body: format!("{{\"text\":\"{client_id}\"}}"),
    }
}

fn unit(session: &OpenSession, first_entry: u64) -> Unit {
    Unit::new(session.key.clone(), session.epoch, first_entry, NOW)
}

async fn running(store: &Store) -> (AccountId, RoomCode, OpenSession) {
    let zoe = account(store, "Zoe").await;
    let code = room(store, &zoe).await;
    let session = store.open_session(&code, NOW).await.unwrap();
    (zoe, code, session)
}

#[tokio::test]
async fn a_unit_is_written_whole() {
    both(|store| async move {
        let (zoe, code, session) = running(&store).await;
        assert!(session.is_new());
        let ann = account(&store, "Ann").await;
        let mut first = unit(&session, 0);
        first.entries = vec!["one".to_owned(), "two".to_owned()];
        first.chat = vec![line(0, "a"), line(1, "b")];
        first.roles = vec![RoleChange {
            account: ann.clone(),
            role: Role::Administrator,
        }];
        first.policy = Some(Policy {
            host_gate: false,
            ..Policy::default()
        });
        first.audit = vec![audit("promote", &zoe)];
        first.mail = vec![NewMail {
            key: "k".to_owned(),
            message: "m".to_owned(),
        }];
        store.commit(vec![first]).await.unwrap();

        let session = store.open_session(&code, later(5)).await.unwrap();
        assert_eq!(session.entries, ["one", "two"]);
        assert_eq!((session.next_entry, session.next_chat), (2, 2));
        assert_eq!(session.epoch.0, 2);
        assert_eq!(session.id.0, NOW.0, "it is the same session");
        let chat = store.chat(&session.key, ChatSeq(0), ChatSeq(9)).await;
        assert_eq!(chat.unwrap(), [line(0, "a"), line(1, "b")]);
        let roles = store.roles(&code).await.unwrap().expect("it is there");
        assert_eq!(roles.role(&ann), Role::Administrator);
        let found = store.room(&code).await.unwrap().expect("it is there");
        assert!(!found.policy.host_gate);
        let log = store.audit_log(&code).await.unwrap();
        assert_eq!(log[0].entry.action, "promote");
        assert_eq!(log[0].session.as_ref(), Some(&session.key));
        assert_eq!(store.due_mail(9, NOW, later(60)).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn nothing_of_a_refused_unit_is_written() {
    both(|store| async move {
        let (zoe, code, session) = running(&store).await;
        let mut first = unit(&session, 0);
        first.entries = vec!["one".to_owned()];
        first.chat = vec![line(0, "a")];
        store.commit(vec![first]).await.unwrap();

        let with = |change: fn(&mut Unit)| {
            let mut unit = unit(&session, 1);
            unit.entries = vec!["bad".to_owned()];
            unit.audit = vec![audit("bad", &zoe)];
            unit.mail = vec![NewMail {
                key: "bad".to_owned(),
                message: String::new(),
            }];
            change(&mut unit);
            store.commit(vec![unit])
        };
        let refused = with(|unit| unit.chat = vec![line(2, "b")]).await;
        assert!(
            matches!(
                refused,
                Err(CommitError::ChatOutOfOrder {
                    expected: 1,
                    got: 2
                })
            ),
            "{refused:?}"
        );
        let refused = with(|unit| unit.chat = vec![line(1, "b"), line(2, "a")]).await;
        assert!(
            matches!(&refused, Err(CommitError::DuplicateMessage(id)) if id == "a"),
            "{refused:?}"
        );
        let refused = with(|unit| unit.first_entry = 0).await;
        assert!(
            matches!(
                refused,
                Err(CommitError::EntryOutOfOrder {
                    expected: 1,
                    got: 0
                })
            ),
            "{refused:?}"
        );
        let session = store.open_session(&code, NOW).await.unwrap();
        assert_eq!(session.entries, ["one"]);
        assert_eq!(session.next_chat, 1);
        assert_eq!(store.audit_log(&code).await.unwrap().len(), 1);
        assert_eq!(store.next_mail_at().await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_bad_unit_does_not_take_others_along() {
    both(|store| async move {
        let zoe = account(&store, "Zoe").await;
        let mut commits = Vec::new();
        let mut codes = Vec::new();
        for number in 0..20 {
            let code = room(&store, &zoe).await;
            let session = store.open_session(&code, NOW).await.unwrap();
            let mut unit = unit(&session, if number % 5 == 4 { 7 } else { 0 });
            unit.entries = vec!["one".to_owned()];
            let store = store.clone();
            commits.push(tokio::spawn(async move { store.commit(vec![unit]).await }));
            codes.push(code);
        }
        for (number, (commit, code)) in commits.into_iter().zip(codes).enumerate() {
            let good = number % 5 != 4;
            assert_eq!(commit.await.unwrap().is_ok(), good, "{number}");
            let session = store.open_session(&code, NOW).await.unwrap();
            assert_eq!(session.entries.len(), usize::from(good));
        }
    })
    .await;
}

#[tokio::test]
async fn an_authority_that_was_replaced_writes_nothing() {
    both(|store| async move {
        let (_, code, old) = running(&store).await;
        let new = store.open_session(&code, NOW).await.unwrap();
        let mut unit_of_old = unit(&old, 0);
        unit_of_old.entries = vec!["old".to_owned()];
        let refused = store.commit(vec![unit_of_old]).await;
        assert!(
            matches!(refused, Err(CommitError::Superseded)),
            "{refused:?}"
        );
        let mut unit_of_new = unit(&new, 0);
        unit_of_new.entries = vec!["new".to_owned()];
        store.commit(vec![unit_of_new]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_saved_state_replaces_what_led_to_it() {
    both(|store| async move {
        let (_, code, session) = running(&store).await;
        let mut first = unit(&session, 0);
        first.entries = vec!["one".to_owned(), "two".to_owned()];
        let mut second = unit(&session, 2);
        second.entries = vec!["three".to_owned()];
        second.saved = Some("after three".to_owned());
        let mut third = unit(&session, 3);
        third.entries = vec!["four".to_owned()];
        store.commit(vec![first, second, third]).await.unwrap();
        let session = store.open_session(&code, NOW).await.unwrap();
        assert_eq!(session.saved.as_deref(), Some("after three"));
        assert_eq!(session.entries, ["four"]);
        assert_eq!(session.next_entry, 4);
        assert_eq!(store.running_rooms().await.unwrap(), [code]);
    })
    .await;
}

#[tokio::test]
async fn chat_is_purged_a_minute_after_the_end_or_after_the_retention() {
    both(|store| async move {
        let (zoe, code, session) = running(&store).await;
        let kept_code = room(&store, &zoe).await;
        let change = parvis_store::RoomChange {
            retention: Some(Some(Duration::from_hours(1))),
            ..Default::default()
        };
        store
            .change_room(&kept_code, &change, &audit("change", &zoe), &[], NOW)
            .await
            .unwrap();
        let kept = store.open_session(&kept_code, NOW).await.unwrap();
        for session in [&session, &kept] {
            let mut unit = unit(session, 0);
            unit.entries = vec!["said".to_owned()];
            unit.chat = vec![line(0, "a"), line(1, "b")];
            unit.ended = true;
            store.commit(vec![unit.clone()]).await.unwrap();
            unit.first_entry = 1;
            let over = store.commit(vec![unit]).await;
            assert!(matches!(over, Err(CommitError::Superseded)), "{over:?}");
        }
        assert_eq!(store.running_rooms().await.unwrap(), []);
        for (at, gone) in [
            (later(59), 0),
            (later(60), 2),
            (later(3599), 0),
            (later(3600), 2),
        ] {
            assert_eq!(store.purge(at).await.unwrap().chat, gone, "{at}");
        }
        let next = store.open_session(&code, NOW).await.unwrap();
        assert!(next.is_new());
        assert!(next.id.0 > session.id.0, "no location means two things");
    })
    .await;
}

#[tokio::test]
async fn what_a_session_goes_on_with_after_a_restart_is_gone_with_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("parvis.db");
    let store = Store::sqlite(&file).await.unwrap();
    let (zoe, code, session) = running(&store).await;
    let change = parvis_store::RoomChange {
        retention: Some(Some(Duration::from_hours(1))),
        ..Default::default()
    };
    store
        .change_room(&code, &change, &audit("change", &zoe), &[], NOW)
        .await
        .unwrap();
    let mut said = unit(&session, 0);
    said.saved = Some("all of it".to_owned());
    store.commit(vec![said]).await.unwrap();
    let mut more = unit(&session, 0);
    more.entries = vec!["a private message".to_owned()];
    store.commit(vec![more]).await.unwrap();
    let mut over = unit(&session, 1);
    over.entries = vec!["a farewell".to_owned()];
    over.ended = true;
    store.commit(vec![over]).await.unwrap();
    store.close().await;

    let url = format!("sqlite://{}", file.display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let (entries, saved): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM sessions WHERE saved IS NOT NULL)",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!((entries, saved), (0, 0));
}

#[tokio::test]
async fn what_is_deleted_is_not_in_the_files_of_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::sqlite(&folder.path().join("parvis.db"))
        .await
        .unwrap();
    let is_in_files = |text: &str| {
        let files = fs::read_dir(folder.path()).unwrap();
        let has = |file: PathBuf| {
            let bytes = fs::read(file).unwrap();
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        files.map(|file| file.unwrap().path()).any(has)
    };
    let (_, _, session) = running(&store).await;
    let mut said = unit(&session, 0);
    said.entries = vec!["a private message".to_owned()];
    said.chat = vec![line(0, "to everybody")];
    store.commit(vec![said]).await.unwrap();
    assert!(is_in_files("a private message") && is_in_files("to everybody"));
    let mut over = unit(&session, 1);
    over.ended = true;
    store.commit(vec![over]).await.unwrap();
    store.purge(later(10)).await.unwrap();
    assert!(!is_in_files("a private message"));
    assert!(is_in_files("to everybody"), "for 60 s");
    store.purge(later(60)).await.unwrap();
    assert!(!is_in_files("to everybody"));
    store.close().await;
}
