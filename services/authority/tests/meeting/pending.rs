//! Messages that are shown before they are there.

use std::time::Duration;

use crate::{
    house::{House, event, soon},
    path::Path,
};
use parvis::meeting::{CommandError, Done, ErrorKind, MeetingEvent, Pending, PendingState};

/// Less than the tests wait for.
const SHORT: Duration = Duration::from_millis(300);

/// Sends it until somebody answers.
async fn sent_again(pending: &Pending) -> Done {
    soon("the answer", async {
        loop {
            if let Ok(done) = pending.retry().await {
                return done;
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_nobody_answered_is_sent_again_and_appears_once() {
    let (mut house, code, host) = House::public().await;
    let path = Path::to(house.relay().local_addr()).await;
    let anna = house.impatient(&path, &code, "Anna", SHORT).await;
    let mut events = anna.events();

    // The answer is lost, the message is not.
    let mut heard = host.events();
    path.set_width(Some(1));
    let pending = anna.chat_pending("once").await.expect("it is on its way");
    assert_eq!(pending.state(), PendingState::Sending);
    let failed = soon("the failure", pending.outcome()).await;
    assert_eq!(failed, Err(CommandError::TimedOut));
    let failure = event(&mut events, "the failure", |event| match event {
        MeetingEvent::ChatFailed { client_id, error } => Some((client_id.clone(), *error)),
        _ => None,
    })
    .await;
    assert_eq!(failure, (pending.client_id.clone(), ErrorKind::TimedOut));
    event(&mut heard, "the message", |event| match event {
        MeetingEvent::Chat(message) => (message.text == "once").then_some(()),
        _ => None,
    })
    .await;
    path.set_width(None);
    let sent = sent_again(&pending).await;
    assert_eq!(sent.seq.map(|seq| seq.0), Some(0));
    assert_eq!(pending.state(), PendingState::Sent(sent));

    // The message is lost, with the connection.
    house.stop_relay().await;
    let pending = anna.chat_pending("twice").await.expect("it is on its way");
    let failed = soon("the failure", pending.outcome()).await;
    assert_eq!(failed, Err(CommandError::TimedOut));
    house.start_relay();
    let again = sent_again(&pending).await;
    assert_eq!(again.seq.map(|seq| seq.0), Some(1));
    event(&mut heard, "the second message", |event| match event {
        MeetingEvent::Chat(message) => (message.text == "twice").then_some(()),
        _ => None,
    })
    .await;
    let page = host.history(None, 10).await.expect("history");
    let texts: Vec<&str> = page.messages.iter().map(|m| m.text.as_str()).collect();
    assert_eq!(texts, ["once", "twice"]);

    // What is refused says why, and a meeting that is over sends nothing.
    let empty = anna.chat_pending("  ").await.expect("it is on its way");
    soon("the refusal", async {
        while empty.retry().await.map_err(|error| error.kind()) != Err(Some(ErrorKind::Empty)) {}
    })
    .await;
    anna.leave().await;
    assert_eq!(empty.retry().await, Err(CommandError::Disconnected));
    assert!(pending.retry().await.is_ok(), "what is sent stays so");
}
