use std::time::Duration;

use parvis_meeting::{AccountId, OrganisationId, UnixMillis};
use parvis_store::{
    NewAccount, NewApplication, NewProof, Organisation, Proof, Scope, Secret, SignIn, Store,
    StoreError,
};

use crate::both::{NOW, account, audit, both};

fn later(seconds: u64) -> UnixMillis {
    NOW.plus(Duration::from_secs(seconds))
}

fn proof(code: &str) -> NewProof {
    NewProof {
        email: "Zoe@Example.org".to_owned(),
        code: code.to_owned(),
        name: "Zoé".to_owned(),
        expires_at: later(900),
    }
}

async fn begin(store: &Store, code: &str) -> Result<Secret, StoreError> {
    store.begin_proof(&proof(code), None, NOW).await
}

async fn finish(
    store: &Store,
    id: &Secret,
    email: &str,
    code: &str,
    passphrase: &str,
    now: UnixMillis,
) -> Result<Proof, StoreError> {
    let entry = |id: &AccountId| audit("prove_address", id);
    store
        .finish_proof(id, email, code, passphrase, now, entry)
        .await
}

fn organisation(id: &str) -> OrganisationId {
    OrganisationId::new(id).unwrap()
}

#[tokio::test]
async fn a_proven_address_is_an_account() {
    both(|store| async move {
        let id = begin(&store, "1234567890").await.unwrap();
        let wrong = finish(&store, &id, "zoe@example.org", "1234567891", "a hash", NOW);
        assert_eq!(wrong.await.unwrap(), Proof::Wrong);
        assert_eq!(store.local_account("zoe@example.org").await.unwrap(), None);

        let right = finish(
            &store,
            &id,
            "ZOE@example.org",
            "1234567890",
            "hash of 1",
            NOW,
        );
        let Proof::Account(zoe) = right.await.unwrap() else {
            panic!("the code was right");
        };
        let found = store.local_account("zoe@EXAMPLE.org").await.unwrap();
        let found = found.expect("it is there");
        assert_eq!((found.id, found.name.as_str()), (zoe.clone(), "Zoé"));
        assert_eq!(found.email.as_deref(), Some("zoe@example.org"));
        assert!(!found.administrator);
        let passphrase = store.passphrase(&zoe).await.unwrap();
        assert_eq!(passphrase.as_deref(), Some("hash of 1"));

        let again = finish(&store, &id, "zoe@example.org", "1234567890", "a hash", NOW);
        assert_eq!(again.await.unwrap(), Proof::Wrong, "a code is good once");
    })
    .await;
}

#[tokio::test]
async fn a_code_is_guessed_five_times_and_fifteen_minutes() {
    both(|store| async move {
        let id = begin(&store, "1234567890").await.unwrap();
        for guess in 1..=4 {
            let wrong = finish(&store, &id, "zoe@example.org", "0000000000", "a hash", NOW);
            assert_eq!(wrong.await.unwrap(), Proof::Wrong, "guess {guess}");
        }
        for code in ["0000000000", "1234567890", "1234567890"] {
            let spent = finish(&store, &id, "zoe@example.org", code, "a hash", NOW);
            assert_eq!(spent.await.unwrap(), Proof::Spent);
        }
        let id = begin(&store, "5555555555").await.unwrap();
        let late = finish(
            &store,
            &id,
            "zoe@example.org",
            "5555555555",
            "a hash",
            later(900),
        );
        assert_eq!(late.await.unwrap(), Proof::Wrong);
        let in_time = finish(
            &store,
            &id,
            "zoe@example.org",
            "5555555555",
            "a hash",
            later(899),
        );
        assert!(matches!(in_time.await.unwrap(), Proof::Account(_)));
    })
    .await;
}

#[tokio::test]
async fn proving_an_address_again_changes_the_passphrase_and_signs_out() {
    both(|store| async move {
        let id = begin(&store, "1111111111").await.unwrap();
        let first = finish(&store, &id, "zoe@example.org", "1111111111", "a hash", NOW);
        let Proof::Account(zoe) = first.await.unwrap() else {
            panic!("the code was right");
        };
        let login = store
            .create_login(&zoe, NOW, later(60), None)
            .await
            .unwrap();
        assert!(store.login(&login, NOW).await.unwrap().is_some());

        let id = begin(&store, "2222222222").await.unwrap();
        let again = finish(
            &store,
            &id,
            "zoe@example.org",
            "2222222222",
            "hash of 2",
            NOW,
        );
        assert_eq!(again.await.unwrap(), Proof::Account(zoe.clone()));
        assert_eq!(store.login(&login, NOW).await.unwrap(), None);
        let passphrase = store.passphrase(&zoe).await.unwrap();
        assert_eq!(passphrase.as_deref(), Some("hash of 2"));
    })
    .await;
}

#[tokio::test]
async fn who_guesses_spends_no_tries_of_others() {
    both(|store| async move {
        let id = begin(&store, "1234567890").await.unwrap();
        let mallorys = begin(&store, "5555555555").await.unwrap();
        let finish = |id: &Secret, email: &'static str, code: &'static str| {
            let (store, id) = (store.clone(), id.clone());
            async move { finish(&store, &id, email, code, "a hash", NOW).await }
        };
        for _ in 0..4 {
            let wrong = finish(&mallorys, "zoe@example.org", "0000000000").await;
            assert_eq!(wrong.unwrap(), Proof::Wrong);
        }
        let spent = finish(&mallorys, "zoe@example.org", "1234567890").await;
        assert_eq!(spent.unwrap(), Proof::Spent, "the code of another request");
        let unknown = Secret::shown("pvp_0000");
        for (id, email) in [(&unknown, "zoe@example.org"), (&id, "eve@example.org")] {
            let wrong = finish(id, email, "1234567890").await;
            assert_eq!(wrong.unwrap(), Proof::Wrong);
        }
        let right = finish(&id, "zoe@example.org", "1234567890").await;
        assert!(matches!(right.unwrap(), Proof::Account(_)));
        // What else was asked for is over.
        let late = finish(&mallorys, "zoe@example.org", "5555555555").await;
        assert_eq!(late.unwrap(), Proof::Wrong);
    })
    .await;
}

#[tokio::test]
async fn a_login_ends_by_its_time_or_by_signing_out() {
    both(|store| async move {
        let zoe = account(&store, "Zoe").await;
        let login = store
            .create_login(&zoe, NOW, later(60), None)
            .await
            .unwrap();
        let other = store
            .create_login(&zoe, NOW, later(60), None)
            .await
            .unwrap();
        assert_ne!(login.reveal(), other.reveal());
        let who = store.login(&login, later(59)).await.unwrap();
        assert_eq!(who.expect("signed in").id, zoe);
        assert_eq!(store.login(&login, later(60)).await.unwrap(), None);
        let guessed = Secret::shown("pvs_0000");
        assert_eq!(store.login(&guessed, NOW).await.unwrap(), None);

        store.delete_login(&login).await.unwrap();
        assert_eq!(store.login(&login, NOW).await.unwrap(), None);
        assert!(store.login(&other, NOW).await.unwrap().is_some());
        let purged = store.purge(later(60)).await.unwrap();
        assert_eq!(purged.expired, 1);
    })
    .await;
}

#[tokio::test]
async fn one_address_is_one_local_account() {
    both(|store| async move {
        account(&store, "Zoe").await;
        let again = NewAccount::local("ZOE@example.org", "Somebody else");
        let refused = store.create_account(&again, NOW).await;
        assert!(matches!(refused, Err(StoreError::Taken(_))), "{refused:?}");
        assert!(!store.has_administrator().await.unwrap());
        let first = NewAccount {
            administrator: true,
            ..NewAccount::local("root@example.org", "Root")
        };
        store.create_account(&first, NOW).await.unwrap();
        assert!(store.has_administrator().await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_providers_account_is_known_by_its_subject() {
    both(|store| async move {
        let signed_in = |email: &str, subject: &str| NewAccount {
            subject: Some(("https://id.example".to_owned(), subject.to_owned())),
            ..NewAccount::local(email, "Zoé")
        };
        let ministry = organisation("ministry");
        let signed_in_by = |id: &AccountId| audit("sign_in", id);
        let zoe = signed_in("zoe@example.org", "sub-1");
        let zoe = store
            .sign_in_account(&zoe, std::slice::from_ref(&ministry), NOW, signed_in_by)
            .await
            .unwrap();
        let renamed = signed_in("zoe.b@example.org", "sub-1");
        let again = store
            .sign_in_account(&renamed, &[], NOW, signed_in_by)
            .await
            .unwrap();
        assert_eq!(again, zoe);
        let found = store.account(&zoe).await.unwrap().expect("it is there");
        assert_eq!(found.email.as_deref(), Some("zoe.b@example.org"));
        assert_eq!(found.organisations, [], "the provider says so");

        for administrator in [true, false] {
            let promoted = NewAccount {
                administrator,
                ..signed_in("zoe.b@example.org", "sub-1")
            };
            store
                .sign_in_account(&promoted, &[], NOW, signed_in_by)
                .await
                .unwrap();
            let found = store.account(&zoe).await.unwrap().expect("it is there");
            assert_eq!(found.administrator, administrator, "from one sign-in on");
        }

        let other = signed_in("zoe.b@example.org", "sub-2");
        let other = store
            .sign_in_account(&other, &[ministry], NOW, signed_in_by)
            .await
            .unwrap();
        assert_ne!(other, zoe, "an address is no identity");
    })
    .await;
}

#[tokio::test]
async fn a_domain_makes_members_of_an_organisation() {
    both(|store| async move {
        let zoe = account(&store, "Zoe").await;
        let ministry = Organisation {
            id: organisation("ministry"),
            name: "The ministry".to_owned(),
            domains: vec!["Example.org".to_owned()],
        };
        store
            .put_organisation(&ministry, NOW, &audit("put", "root"))
            .await
            .unwrap();
        let found = store.account(&zoe).await.unwrap().expect("it is there");
        assert_eq!(found.organisations, [organisation("ministry")]);

        let town = Organisation {
            id: organisation("town"),
            name: "The town".to_owned(),
            domains: vec!["example.org".to_owned()],
        };
        store
            .put_organisation(&town, NOW, &audit("put", "root"))
            .await
            .unwrap();
        let found = store.account(&zoe).await.unwrap().expect("it is there");
        assert_eq!(found.organisations, [organisation("town")]);
        let names = store.organisations().await.unwrap();
        assert_eq!(names.len(), 2);
        assert_eq!(names[1].domains, ["example.org"]);
        assert!(
            store
                .delete_organisation(&town.id, &audit("delete", "root"))
                .await
                .unwrap()
        );
        let domain = store.organisation_of_domain("example.org").await.unwrap();
        assert_eq!(domain, None);
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_comes_back_once_to_its_browser() {
    both(|store| async move {
        let sign_in = SignIn {
            state: Secret::random("").unwrap(),
            browser: Secret::random("").unwrap(),
            nonce: "nonce".to_owned(),
            verifier: "verifier".to_owned(),
            return_to: "/".to_owned(),
            expires_at: later(600),
        };
        store.begin_sign_in(&sign_in).await.unwrap();
        let other = Secret::random("").unwrap();
        let (state, browser) = (&sign_in.state, &sign_in.browser);
        for (state, browser, now) in [
            (&other, browser, NOW),
            (state, &other, NOW),
            (state, browser, later(600)),
        ] {
            let taken = store.take_sign_in(state, browser, now).await.unwrap();
            assert_eq!(taken, None);
        }
        let taken = store
            .take_sign_in(state, browser, later(599))
            .await
            .unwrap();
        assert_eq!(taken.expect("it is its").1, "verifier");
        let again = store.take_sign_in(state, browser, NOW).await.unwrap();
        assert_eq!(again, None);
    })
    .await;
}

#[tokio::test]
async fn an_application_is_known_by_its_secret_until_it_is_taken_away() {
    both(|store| async move {
        let zoe = account(&store, "Zoe").await;
        let new = NewApplication {
            name: "Agenda".to_owned(),
            scopes: vec![Scope::RoomsCreate, Scope::RoomsRead],
            domains: vec!["Example.org".to_owned()],
            created_by: zoe,
        };
        let (id, secret) = store
            .create_application(&new, NOW, |id| audit("create", id))
            .await
            .unwrap();
        let found = store.application(&secret).await.unwrap();
        let found = found.expect("it is there");
        assert_eq!(found.id, id);
        assert_eq!(found.scopes, new.scopes);
        assert_eq!(found.domains, ["example.org"]);
        assert!(!format!("{secret:?}").contains(secret.reveal()));
        assert_eq!(store.applications().await.unwrap(), [found]);
        assert!(
            store
                .delete_application(&id, &audit("delete", "root"))
                .await
                .unwrap()
        );
        assert_eq!(store.application(&secret).await.unwrap(), None);
    })
    .await;
}
