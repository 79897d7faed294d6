//! Connections that are lost and come back.

use parvis::{
    AudioOptions, clock,
    meeting::{MeetingEvent, MeetingEvents, Phase},
};

use crate::{
    house::{House, event, soon, until},
    path::Path,
    together::{me, talk},
};

async fn phase(events: &mut MeetingEvents, wanted: &Phase) {
    event(events, "the phase", |event| match event {
        MeetingEvent::Phase(phase) => (phase == wanted).then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_goes_on_when_its_relay_was_away() {
    let (mut house, code, host) = House::public().await;
    let anna = house.member(&code, "Anna").await;
    anna.raise_hand().await.expect("it goes up");
    anna.chat("before").await.expect("it is sent");
    let microphone = anna
        .microphone(AudioOptions::default())
        .await
        .expect("it is on");
    let talking = talk(microphone);
    let mut voice = host.voice(&me(&anna));
    soon("sound", voice.next()).await.expect("it goes on");

    let mut events = [host.events(), anna.events()];
    house.stop_relay().await;
    for events in &mut events {
        phase(events, &Phase::Reconnecting).await;
    }
    house.start_relay();
    // It is said again until it is answered, and done once.
    let sent = soon("an answer", anna.chat("meanwhile"))
        .await
        .expect("it is sent");
    assert_eq!(sent.seq.map(|seq| seq.0), Some(1));
    for events in &mut events {
        phase(events, &Phase::Connected).await;
    }
    let after = clock::now();
    soon("sound", async {
        while voice.next().await.expect("it goes on").frame.time() < after {}
    })
    .await;
    // The place is kept, the hand too.
    let state = host.state();
    let view = state.view.as_ref().expect("it is in");
    assert_eq!(view.hand_position(&me(&anna)), Some(1));
    let page = host.history(None, 10).await.expect("history");
    let texts: Vec<&str> = page.messages.iter().map(|m| m.text.as_str()).collect();
    assert_eq!(texts, ["before", "meanwhile"]);
    talking.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_whose_relay_is_away_says_so() {
    let mut house = House::new().await;
    let connection = house.authority.as_ref().expect("it runs").connection();
    assert_eq!(connection.problem(), None);
    house.stop_relay().await;
    until("the problem", || connection.problem().is_some()).await;
    let problem = connection.problem().unwrap_or_default();
    assert!(problem.contains("not connected to the relay"), "{problem}");
    house.start_relay();
    until("the way back", || connection.problem().is_none()).await;
    house.stop_authority().await;
    assert!(connection.problem().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_comes_back_to_a_relay_with_another_certificate() {
    let mut house = House::new().await;
    let connection = house.authority.as_ref().expect("it runs").connection();
    let before = house.relay().fingerprint();
    house.stop_relay().await;
    until("the problem", || connection.problem().is_some()).await;
    house.renew_certificate();
    house.start_relay();
    assert_ne!(house.relay().fingerprint(), before);
    until("the way back", || connection.problem().is_none()).await;
    house.stop_authority().await;
}

/// The tickets of these tests are for somebody else each time, as of a source that takes no `resume`.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_comes_back_to_another_certificate_with_the_token_that_is_good() {
    let (mut house, code, host) = House::public().await;
    let anna = house.member(&code, "Anna").await;
    let mut events = [host.events(), anna.events()];
    house.stop_relay().await;
    for events in &mut events {
        phase(events, &Phase::Reconnecting).await;
    }
    house.renew_certificate();
    house.start_relay();
    for events in &mut events {
        phase(events, &Phase::Connected).await;
    }
    let sent = soon("an answer", anna.chat("after")).await;
    sent.expect("it is sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_goes_on_from_another_socket() {
    let (house, code, host) = House::public().await;
    let path = Path::to(house.relay().local_addr()).await;
    let anna = house.member_by(&path, &code, "Anna").await;
    let microphone = anna
        .microphone(AudioOptions::default())
        .await
        .expect("it is on");
    let talking = talk(microphone);
    let mut voice = host.voice(&me(&anna));
    soon("sound", voice.next()).await.expect("it goes on");
    let mut events = anna.events();
    assert_eq!(path.clients().len(), 1);
    let sessions = house.sessions().await.len();

    for round in 0..3_u64 {
        anna.rebind().await.expect("there is a socket");
        let text = format!("from socket {round}");
        let sent = soon("an answer", anna.chat(&text))
            .await
            .expect("it is sent");
        assert_eq!(sent.seq.map(|seq| seq.0), Some(round));
        let after = clock::now();
        soon("sound", async {
            while voice.next().await.expect("it goes on").frame.time() < after {}
        })
        .await;
    }
    // It came from four addresses, in one session.
    assert_eq!(path.clients().len(), 4);
    assert_eq!(house.sessions().await.len(), sessions);
    anna.chat("the end").await.expect("it is sent");
    // All that happened meanwhile, and no word of a lost connection.
    event(&mut events, "the end", |event| match event {
        MeetingEvent::Phase(phase) => panic!("{phase:?}"),
        MeetingEvent::Chat(message) => (message.text == "the end").then_some(()),
        _ => None,
    })
    .await;
    talking.abort();
}
