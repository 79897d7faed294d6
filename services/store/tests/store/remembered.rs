//! What is done and what is remembered of it are there together, or neither is.

use std::time::Duration;

use parvis_meeting::{AccountId, OrganisationId};
use parvis_store::{
    NewAccount, NewApplication, NewMail, NewProof, Organisation, Proof, Scope, Store,
};
use sqlx::{AnyConnection, Executor};

use crate::both::{NOW, account, audit, both_behind};

/// Takes the audit log away, as if the process died before it is written.
async fn take_away(behind: &mut AnyConnection) {
    let away = behind.execute("ALTER TABLE audit RENAME TO audit_away");
    away.await.unwrap();
}

async fn bring_back(behind: &mut AnyConnection) {
    let back = behind.execute("ALTER TABLE audit_away RENAME TO audit");
    back.await.unwrap();
}

async fn remembered(store: &Store, actor: &str) -> Vec<String> {
    let log = store.audit_log_of(actor).await.unwrap();
    log.into_iter().map(|line| line.entry.action).collect()
}

fn ministry() -> Organisation {
    Organisation {
        id: OrganisationId::new("ministry").unwrap(),
        name: "The ministry".to_owned(),
        domains: vec!["example.org".to_owned()],
    }
}

#[tokio::test]
async fn an_administrator_is_made_with_passphrase_and_entry_or_not_at_all() {
    both_behind(|store, mut behind| async move {
        let root = NewAccount {
            administrator: true,
            ..NewAccount::local("root@example.org", "Root")
        };
        let make = || {
            store.create_local_account(&root, Some("a hash"), NOW, |id| {
                assert!(!id.as_str().is_empty());
                audit("create_administrator", "operator")
            })
        };
        take_away(&mut behind).await;
        make().await.unwrap_err();
        bring_back(&mut behind).await;
        assert!(!store.has_administrator().await.unwrap());
        let id = make().await.unwrap();
        assert!(store.has_administrator().await.unwrap());
        let passphrase = store.passphrase(&id).await.unwrap();
        assert_eq!(passphrase.as_deref(), Some("a hash"));
        assert_eq!(
            remembered(&store, "operator").await,
            ["create_administrator"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_code_is_noted_with_its_mail_and_a_proof_with_its_entry() {
    both_behind(|store, mut behind| async move {
        let proof = NewProof {
            email: "zoe@example.org".to_owned(),
            code: "1234567890".to_owned(),
            name: "Zoé".to_owned(),
            expires_at: NOW.plus(Duration::from_mins(15)),
        };
        let mail = NewMail {
            key: "code".to_owned(),
            message: "1234567890".to_owned(),
        };
        let id = store.begin_proof(&proof, Some(&mail), NOW).await.unwrap();
        let due = store.due_mail(10, NOW, NOW).await.unwrap();
        assert_eq!(due.len(), 1);
        let show = || {
            let entry = |id: &AccountId| audit("prove_address", id);
            store.finish_proof(&id, &proof.email, &proof.code, "a hash", NOW, entry)
        };
        take_away(&mut behind).await;
        show().await.unwrap_err();
        bring_back(&mut behind).await;
        assert_eq!(store.local_account(&proof.email).await.unwrap(), None);
        let Proof::Account(zoe) = show().await.unwrap() else {
            panic!("the code is good until it has had its effect");
        };
        assert_eq!(remembered(&store, zoe.as_str()).await, ["prove_address"]);

        let away = behind.execute("ALTER TABLE outbox RENAME TO outbox_away");
        away.await.unwrap();
        let refused = store.begin_proof(&proof, Some(&mail), NOW).await;
        refused.unwrap_err();
        let noted: Vec<(String,)> = sqlx::query_as("SELECT id FROM proofs")
            .fetch_all(&mut behind)
            .await
            .unwrap();
        assert_eq!(noted, []);
    })
    .await;
}

#[tokio::test]
async fn applications_and_organisations_change_with_their_entries() {
    both_behind(|store, mut behind| async move {
        let root = account(&store, "Root").await;
        let new = NewApplication {
            name: "Agenda".to_owned(),
            scopes: vec![Scope::RoomsCreate],
            domains: vec!["example.org".to_owned()],
            created_by: root.clone(),
        };
        let (put, delete) = (audit("put", &root), audit("delete", &root));
        let ministry = ministry();
        let create = || store.create_application(&new, NOW, |id| audit("create", id));

        take_away(&mut behind).await;
        create().await.unwrap_err();
        let refused = store.put_organisation(&ministry, NOW, &put).await;
        refused.unwrap_err();
        bring_back(&mut behind).await;
        assert_eq!(store.applications().await.unwrap(), []);
        assert_eq!(store.organisations().await.unwrap(), []);

        let (id, secret) = create().await.unwrap();
        assert_eq!(remembered(&store, id.as_str()).await, ["create"]);
        store.put_organisation(&ministry, NOW, &put).await.unwrap();

        take_away(&mut behind).await;
        store.delete_application(&id, &delete).await.unwrap_err();
        let refused = store.delete_organisation(&ministry.id, &delete).await;
        refused.unwrap_err();
        bring_back(&mut behind).await;
        assert!(store.application(&secret).await.unwrap().is_some());
        assert_eq!(store.organisations().await.unwrap(), [ministry]);
        let town = OrganisationId::new("town").unwrap();
        let nothing = store.delete_organisation(&town, &delete);
        assert!(!nothing.await.unwrap());
        assert_eq!(remembered(&store, root.as_str()).await, ["put"]);
    })
    .await;
}

#[tokio::test]
async fn whoever_is_signed_in_is_remembered() {
    both_behind(|store, mut behind| async move {
        let zoe = account(&store, "Zoe").await;
        let later = NOW.plus(Duration::from_mins(1));
        let entry = audit("sign_in", &zoe);
        let by_provider = NewAccount {
            subject: Some(("https://id.example".to_owned(), "sub-1".to_owned())),
            ..NewAccount::local("gil@example.org", "Gil")
        };
        let town = [OrganisationId::new("town").unwrap()];
        let sign_in = || store.sign_in_account(&by_provider, &town, NOW, |id| audit("sign_in", id));
        take_away(&mut behind).await;
        let refused = store.create_login(&zoe, NOW, later, Some(&entry)).await;
        refused.unwrap_err();
        sign_in().await.unwrap_err();
        bring_back(&mut behind).await;
        assert_eq!(
            store.accounts_with_email("gil@example.org").await.unwrap(),
            []
        );
        assert_eq!(store.organisations().await.unwrap(), []);
        let login = store.create_login(&zoe, NOW, later, Some(&entry)).await;
        let who = store.login(&login.unwrap(), NOW).await.unwrap();
        assert_eq!(who.expect("signed in").id, zoe);
        let gil = sign_in().await.unwrap();
        assert_eq!(remembered(&store, zoe.as_str()).await, ["sign_in"]);
        assert_eq!(remembered(&store, gil.as_str()).await, ["sign_in"]);
    })
    .await;
}
