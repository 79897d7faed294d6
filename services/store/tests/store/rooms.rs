use std::time::Duration;

use parvis_meeting::{
    AccessLevel, DeviceId, ErrorKind, HistoryPolicy, Identity, Policy, Role, RoomCode, UnixMillis,
};
use parvis_store::{NewJoin, NewMail, NewRoom, RoomChange, Schedule, Store, Unit};

use crate::both::{NOW, account, audit, both, room};

fn guest(name: &str) -> Identity {
    Identity::Guest {
        device: DeviceId::new("device-1").unwrap(),
        name: name.to_owned(),
    }
}

fn later(seconds: u64) -> UnixMillis {
    NOW.plus(Duration::from_secs(seconds))
}

#[tokio::test]
async fn a_room_is_what_was_asked_for() {
    both(|store| async move {
        let zoe = account(&store, "Zoe").await;
        let new = NewRoom {
            code: Store::new_code().unwrap(),
            title: "Réunion".to_owned(),
            creator: zoe.clone(),
            policy: Policy {
                access: AccessLevel::Restricted,
                host_gate: false,
                ..Policy::default()
            },
            retention: Some(Duration::from_hours(1)),
            schedule: Some(Schedule {
                starts_at: later(3600),
                lasts: Duration::from_mins(30),
            }),
            invitees: vec!["Ann@example.org".to_owned(), "ann@example.org ".to_owned()],
        };
        let mail = NewMail {
            key: "invitation-1".to_owned(),
            message: "{}".to_owned(),
        };
        store
            .create_room(&new, &audit("create", &zoe), &[mail], NOW)
            .await
            .unwrap();
        let found = store.room(&new.code).await.unwrap().expect("it is there");
        assert_eq!(found.title, "Réunion");
        assert_eq!(found.policy, new.policy);
        assert_eq!(found.retention, new.retention);
        assert_eq!(found.schedule, new.schedule);
        assert_eq!(found.invitation, 1);
        let invitees = store.invitees(&new.code).await.unwrap();
        assert_eq!(invitees, ["ann@example.org"]);
        let roles = store.roles(&new.code).await.unwrap().expect("it is there");
        assert_eq!(roles.role(&zoe), Role::Owner);
        let log = store.audit_log(&new.code).await.unwrap();
        assert_eq!(log[0].entry, audit("create", &zoe));
        assert_eq!(store.due_mail(9, NOW, later(1)).await.unwrap().len(), 1);
        let absent = Store::new_code().unwrap();
        assert_eq!(store.room(&absent).await.unwrap(), None);
        assert_eq!(store.roles(&absent).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_room_is_changed_and_who_watches_hears_of_it() {
    both(|store| async move {
        let zoe = account(&store, "Zoe").await;
        let code = room(&store, &zoe).await;
        let mut changes = store.changes();
        let change = RoomChange {
            title: Some("Other".to_owned()),
            invitees: Some(vec!["bob@example.org".to_owned()]),
            invites: true,
            ..RoomChange::default()
        };
        store
            .change_room(&code, &change, &audit("change", &zoe), &[], later(1))
            .await
            .unwrap();
        assert_eq!(changes.recv().await.unwrap(), code);
        let found = store.room(&code).await.unwrap().expect("it is there");
        assert_eq!((found.title.as_str(), found.invitation), ("Other", 1));
        assert_eq!(found.policy, Policy::default());
        assert_eq!(found.changed_at, later(1));
        assert_eq!(store.invitees(&code).await.unwrap(), ["bob@example.org"]);

        // What a meeting changes meanwhile stays.
        let meanwhile = RoomChange {
            policy: Some(Policy {
                history: HistoryPolicy::None,
                ..Policy::default()
            }),
            ..RoomChange::default()
        };
        let opened = RoomChange {
            policy: Some(Policy {
                access: AccessLevel::Public,
                ..Policy::default()
            }),
            policy_was: Some(Policy::default()),
            ..RoomChange::default()
        };
        for change in [meanwhile, opened] {
            let entry = audit("change", &zoe);
            let changed = store.change_room(&code, &change, &entry, &[], later(1));
            changed.await.unwrap();
            assert_eq!(changes.recv().await.unwrap(), code);
        }
        let found = store.room(&code).await.unwrap().expect("it is there");
        let both = (found.policy.access, found.policy.history);
        assert_eq!(both, (AccessLevel::Public, HistoryPolicy::None));

        let gone = audit("delete", &zoe);
        assert!(store.delete_room(&code, &gone, &[], NOW).await.unwrap());
        assert_eq!(changes.recv().await.unwrap(), code);
        assert_eq!(store.room(&code).await.unwrap(), None);
        assert!(!store.delete_room(&code, &gone, &[], NOW).await.unwrap());
        assert_eq!(store.audit_log(&code).await.unwrap().len(), 5);
    })
    .await;
}

#[tokio::test]
async fn rooms_of_an_account_are_those_it_moderates() {
    both(|store| async move {
        let zoe = account(&store, "Zoe").await;
        let ann = account(&store, "Ann").await;
        let codes = [room(&store, &zoe).await, room(&store, &zoe).await];
        room(&store, &ann).await;
        let rooms = store.rooms_of(&zoe, None, 10).await.unwrap();
        let mut found: Vec<RoomCode> = rooms.iter().map(|room| room.code).collect();
        found.sort_unstable();
        let mut expected = codes;
        expected.sort_unstable();
        assert_eq!(found, expected);
        // Both were made in the same millisecond.
        let mut page = store.rooms_of(&zoe, None, 1).await.unwrap();
        let mut paged = Vec::new();
        while let [room] = page.as_slice() {
            paged.push(room.code);
            let after = Some((room.created_at, room.code));
            page = store.rooms_of(&zoe, after, 1).await.unwrap();
        }
        assert_eq!(paged, expected);
        let as_member = audit("promote", &zoe);
        for (role, expected) in [(Role::Member, 1), (Role::Administrator, 2)] {
            let set = store.set_role(&codes[0], &ann, role, &as_member).await;
            set.unwrap().unwrap();
            let rooms = store.rooms_of(&ann, None, 10).await.unwrap();
            assert_eq!(rooms.len(), expected, "{role:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_room_keeps_an_owner() {
    both(|store| async move {
        let zoe = account(&store, "Zoe").await;
        let ann = account(&store, "Ann").await;
        let code = room(&store, &zoe).await;
        let entry = audit("demote", &zoe);
        let last = store.set_role(&code, &zoe, Role::Guest, &entry).await;
        assert_eq!(last.unwrap(), Err(ErrorKind::LastOwner));
        let second = store.set_role(&code, &ann, Role::Owner, &entry).await;
        assert_eq!(second.unwrap(), Ok(()));
        // Both at once: one of them stays.
        let (one, two) = tokio::join!(
            store.set_role(&code, &zoe, Role::Guest, &entry),
            store.set_role(&code, &ann, Role::Guest, &entry),
        );
        let results = [one.unwrap(), two.unwrap()];
        assert!(results.contains(&Ok(())), "{results:?}");
        assert!(results.contains(&Err(ErrorKind::LastOwner)), "{results:?}");
        let roles = store.roles(&code).await.unwrap().expect("it is there");
        assert_eq!(roles.owners(), 1);
        let absent = Store::new_code().unwrap();
        let none = store.set_role(&absent, &ann, Role::Owner, &entry).await;
        assert_eq!(none.unwrap(), Err(ErrorKind::NotFound));
    })
    .await;
}

#[tokio::test]
async fn a_participant_comes_back_with_its_secret() {
    both(|store| async move {
        let zoe = account(&store, "Zoe").await;
        let code = room(&store, &zoe).await;
        let ticket = |room: RoomCode, identity: Identity| NewJoin {
            room,
            identity,
            expires_at: later(3600),
        };
        let first = ticket(code, guest("Gus"));
        let (gus, secret) = store.create_join(&first, NOW).await.unwrap();
        let found = store.join(&gus, NOW).await.unwrap().expect("it is there");
        assert_eq!((found.room, found.identity), (code, guest("Gus")));

        let renamed = ticket(code, guest("Gustave"));
        let resumed = store.resume_join(&renamed, &secret, later(60)).await;
        assert_eq!(resumed.unwrap(), Some(gus.clone()));
        let found = store.join(&gus, NOW).await.unwrap().expect("it is there");
        assert_eq!(found.identity, guest("Gustave"));

        let stranger = Identity::Guest {
            device: DeviceId::new("device-2").unwrap(),
            name: "Gus".to_owned(),
        };
        let other_room = room(&store, &zoe).await;
        for (join, now) in [
            (ticket(code, stranger), NOW),
            (ticket(other_room, guest("Gus")), NOW),
            (first.clone(), later(3600)),
        ] {
            let resumed = store.resume_join(&join, &secret, now).await.unwrap();
            assert_eq!(resumed, None);
        }

        let session = store.open_session(&code, NOW).await.unwrap();
        let mut unit = Unit::new(session.key, session.epoch, 0, NOW);
        unit.revoked.push(gus.clone());
        store.commit(vec![unit]).await.unwrap();
        assert_eq!(store.join(&gus, NOW).await.unwrap(), None);
        let resumed = store.resume_join(&first, &secret, NOW).await.unwrap();
        assert_eq!(resumed, None, "whoever was removed knocks as somebody new");
    })
    .await;
}

#[tokio::test]
async fn a_ticket_for_no_room_leads_to_nobody() {
    both(|store| async move {
        let join = NewJoin {
            room: Store::new_code().unwrap(),
            identity: guest("Gus"),
            expires_at: later(3600),
        };
        let (gus, secret) = store.create_join(&join, NOW).await.unwrap();
        assert_eq!(store.join(&gus, NOW).await.unwrap(), None);
        let resumed = store.resume_join(&join, &secret, NOW).await.unwrap();
        assert_eq!(resumed, Some(gus), "as in a room that is there");
        assert_eq!(store.purge(later(3600)).await.unwrap().expired, 1);
    })
    .await;
}
