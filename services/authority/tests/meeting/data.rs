//! Data of apps, to all and to some.

use std::time::Duration;

use parvis::meeting::{DataTarget, ErrorKind, MAX_DATA};

use crate::{
    house::{House, soon},
    together::{kind, me},
};

#[tokio::test(flavor = "multi_thread")]
async fn data_reaches_all_or_those_it_is_for_on_its_topic() {
    let (house, code, host) = House::public().await;
    let (anna, ben) = (
        house.member(&code, "Anna").await,
        house.member(&code, "Ben").await,
    );
    let mut heard = [host.data("cursor"), ben.data("cursor")];
    let mut notes = ben.data("notes");

    // Data is not kept: it reaches who listens, as soon as the relay knows that.
    let mut again = tokio::time::interval(Duration::from_millis(20));
    for data in &mut heard {
        let first = soon("data", async {
            loop {
                tokio::select! {
                    message = data.next() => return message.expect("it goes on"),
                    _ = again.tick() => {
                        let sent = anna.send_data("cursor", &[0, 255], DataTarget::All);
                        sent.await.expect("it is in");
                    }
                }
            }
        })
        .await;
        assert_eq!((&first.from, first.is_private), (&me(&anna), false));
        assert_eq!(first.payload, [0, 255][..]);
    }

    let to_host = DataTarget::Some(vec![me(&host)]);
    let sent = anna.send_data("cursor", b"psst", to_host.clone()).await;
    sent.expect("it is stored");
    let largest = vec![7; MAX_DATA];
    let sent = anna.send_data("notes", &largest, DataTarget::All);
    sent.await.expect("it is in");
    let sent = anna.send_data("cursor", b"end", DataTarget::All);
    sent.await.expect("it is in");
    let [at_host, at_ben] = &mut heard;
    soon("the private one", async {
        loop {
            let message = at_host.next().await.expect("it goes on");
            if message.is_private {
                assert_eq!((message.from, message.payload), (me(&anna), "psst".into()));
                return;
            }
        }
    })
    .await;
    soon("the last one", async {
        loop {
            let message = at_ben.next().await.expect("it goes on");
            assert!(!message.is_private, "{message:?}");
            if message.payload == "end" {
                return;
            }
        }
    })
    .await;
    let note = soon("a note", notes.next()).await.expect("it goes on");
    assert_eq!(note.payload, largest);

    let refused = anna.send_data("two words", b"x", DataTarget::All).await;
    assert_eq!(kind(refused), ErrorKind::Malformed);
    let refused = anna.send_data("x", &[0; MAX_DATA + 1], to_host).await;
    assert_eq!(kind(refused), ErrorKind::TooLong);
    let gone = DataTarget::Some(vec![me(&ben)]);
    soon("leaving", ben.leave()).await;
    let refused = soon("an answer", anna.send_data("x", b"x", gone)).await;
    assert_eq!(kind(refused), ErrorKind::NotPresent);
    assert_eq!(soon("the end", notes.next()).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_data_reaches_as_many_as_may_get_it() {
    let (house, code, host) = House::public().await;
    let anna = house.member(&code, "Anna").await;
    let mut heard = host.data(&"t".repeat(64));
    // As long as a command can be: ids of 13 letters, of which all but one are the same.
    let to = DataTarget::Some(vec![me(&host); 32]);
    let payload = vec![1; MAX_DATA];
    let sent = anna.send_data(&"t".repeat(64), &payload, to).await;
    sent.expect("it has room in a command");
    let message = soon("data", heard.next()).await.expect("it goes on");
    assert_eq!(message.payload, payload);
}
