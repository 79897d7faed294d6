use std::time::Duration;

use parvis_meeting::UnixMillis;
use parvis_store::NewMail;

use crate::both::{NOW, both, both_behind};

fn later(seconds: u64) -> UnixMillis {
    NOW.plus(Duration::from_secs(seconds))
}

fn mail(key: &str) -> NewMail {
    NewMail {
        key: key.to_owned(),
        message: format!("to {key}"),
    }
}

#[tokio::test]
async fn mail_asked_for_twice_is_sent_once() {
    both(|store| async move {
        store.send_mail(&[mail("a"), mail("b")], NOW).await.unwrap();
        store.send_mail(&[mail("a")], NOW).await.unwrap();
        let due = store.due_mail(10, NOW, later(60)).await.unwrap();
        let keys: Vec<&str> = due.iter().map(|mail| mail.key.as_str()).collect();
        assert_eq!(keys, ["a", "b"]);
        assert_eq!(store.due_mail(10, NOW, later(60)).await.unwrap(), []);
        store.mail_sent(&due[0].id, NOW).await.unwrap();
        store.send_mail(&[mail("a")], later(61)).await.unwrap();
        let due = store.due_mail(10, later(61), later(120)).await.unwrap();
        assert_eq!(due.len(), 1, "nobody said what became of b");
        assert_eq!((due[0].key.as_str(), due[0].tries), ("b", 2));
    })
    .await;
}

#[tokio::test]
async fn mail_that_fails_is_tried_again_until_it_is_given_up() {
    both(|store| async move {
        store.send_mail(&[mail("a")], NOW).await.unwrap();
        let due = store.due_mail(10, NOW, later(60)).await.unwrap();
        let failed = store.mail_failed(&due[0].id, "no route", Some(later(5)), NOW);
        failed.await.unwrap();
        assert_eq!(store.next_mail_at().await.unwrap(), Some(later(5)));
        assert_eq!(store.due_mail(10, later(4), later(60)).await.unwrap(), []);
        let due = store.due_mail(10, later(5), later(60)).await.unwrap();
        assert_eq!(due[0].tries, 2);
        let failed = store.mail_failed(&due[0].id, "no such user", None, later(5));
        failed.await.unwrap();
        assert_eq!(store.next_mail_at().await.unwrap(), None);
        assert_eq!(
            store.due_mail(10, later(9999), later(99999)).await.unwrap(),
            []
        );
        let month = store.purge(later(31 * 24 * 3600)).await.unwrap();
        assert_eq!(month.mail, 1);
    })
    .await;
}

#[tokio::test]
async fn two_who_send_share_the_mail() {
    both(|store| async move {
        let mails: Vec<NewMail> = (0..20).map(|n| mail(&n.to_string())).collect();
        store.send_mail(&mails, NOW).await.unwrap();
        let (one, two) = tokio::join!(
            store.due_mail(10, NOW, later(60)),
            store.due_mail(20, NOW, later(60)),
        );
        let mut keys: Vec<String> = Vec::new();
        keys.extend(one.unwrap().into_iter().map(|mail| mail.key));
        keys.extend(two.unwrap().into_iter().map(|mail| mail.key));
        keys.sort();
        let taken = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), taken, "none twice");
    })
    .await;
}

#[tokio::test]
async fn what_a_mail_said_is_not_kept_once_it_is_sent_or_given_up() {
    both_behind(|store, mut behind| async move {
        let mails = [mail("sent"), mail("given up"), mail("later")];
        store.send_mail(&mails, NOW).await.unwrap();
        let due = store.due_mail(10, NOW, later(60)).await.unwrap();
        let id = |key: &str| &due.iter().find(|mail| mail.key == key).unwrap().id;
        store.mail_sent(id("sent"), NOW).await.unwrap();
        let failed = store.mail_failed(id("given up"), "no such user", None, NOW);
        failed.await.unwrap();
        let failed = store.mail_failed(id("later"), "no route", Some(later(5)), NOW);
        failed.await.unwrap();
        let kept: Vec<(String, String)> =
            sqlx::query_as("SELECT idempotency_key, message FROM outbox ORDER BY idempotency_key")
                .fetch_all(&mut behind)
                .await
                .unwrap();
        let kept: Vec<(&str, &str)> = kept.iter().map(|(k, m)| (k.as_str(), m.as_str())).collect();
        assert_eq!(
            kept,
            [("given up", ""), ("later", "to later"), ("sent", "")]
        );
    })
    .await;
}
