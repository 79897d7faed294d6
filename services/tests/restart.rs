//! `parvis serve` goes away, and comes back: who is in a meeting notices little of it.

mod common;

use std::{
    fs,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use common::site::Site;
use parvis::{
    AudioOptions, clock,
    codec::{AudioFrame, Channels, SAMPLES_PER_FRAME},
    meeting::{
        JoinOptions, Lobby, Meeting, MeetingEvent, MeetingEvents, MeetingState, Microphone, Phase,
        RemoteVoice, Role, Target, TicketSource,
    },
};

/// Longer than a connection takes to be given up, on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(2);

/// Well below the time after which a relay that says nothing is given up, on a busy machine too.
const SILENCE: Duration = Duration::from_secs(8);

async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let output = tokio::time::timeout(PATIENCE, future).await;
    output.unwrap_or_else(|_| panic!("{what} did not happen"))
}

async fn is_in(meeting: &Meeting) -> Arc<MeetingState> {
    let state = soon("being in", meeting.wait_for(MeetingState::is_connected)).await;
    assert!(state.is_connected(), "{:?}", state.phase);
    state
}

async fn phase(events: &mut MeetingEvents, wanted: Phase) {
    soon("the phase", async {
        loop {
            match events.next().await.expect("the meeting goes on") {
                MeetingEvent::Phase(phase) if phase == wanted => return,
                MeetingEvent::Phase(Phase::Disconnected(reason)) => panic!("{reason:?}"),
                _ => {}
            }
        }
    })
    .await;
}

/// An agent and a guest whom the agent let in.
async fn two(site: &Site) -> (Meeting, Meeting) {
    site.account("zoe", "zoe@example.org");
    let link = site.room("zoe");
    let options = JoinOptions::new("Zoe", "device-of-zoe");
    let options = options.with_tickets(TicketSource::agent(site.token("zoe")));
    let zoe = Meeting::join(&link, options).await.expect("it joins");
    is_in(&zoe).await;
    let ben = JoinOptions::new("Ben", "device-of-ben");
    let ben = Meeting::join(&link, ben).await.expect("it joins");
    let waits = |state: &MeetingState| matches!(state.phase, Phase::InLobby(Lobby::Waiting { .. }));
    soon("the lobby", ben.wait_for(waits)).await;
    soon("the knock", zoe.wait_for(|state| !state.lobby.is_empty())).await;
    zoe.admit(Target::All).await.expect("it is a host");
    is_in(&ben).await;
    (zoe, ben)
}

/// Speaks until it is aborted.
fn talk(microphone: Microphone) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let samples = vec![0.25; SAMPLES_PER_FRAME];
            let sound = AudioFrame::new(clock::now(), Channels::Mono, samples);
            microphone.push(&sound.expect("a frame"));
        }
    })
}

/// Waits for sound that is made from now on.
async fn hears(voice: &mut RemoteVoice) {
    let now = clock::now();
    soon("sound", async {
        while voice.next().await.expect("it goes on").frame.time() < now {}
    })
    .await;
}

/// Waits until the chat's past has these messages: others see one when its writer has its answer, or a little
/// later.
async fn has_read(meeting: &Meeting, wanted: &[&str]) {
    soon("history", async {
        let mut again = tokio::time::interval(Duration::from_millis(20));
        loop {
            again.tick().await;
            let page = meeting.history(None, 10).await.expect("history");
            if page
                .messages
                .iter()
                .map(|m| m.text.as_str())
                .eq(wanted.iter().copied())
            {
                return;
            }
        }
    })
    .await;
}

/// The service is killed and started again; with another certificate, or with the one that it kept.
async fn comes_back(keeps_certificate: bool) {
    let mut site = Site::start();
    let (zoe, ben) = two(&site).await;
    let (me, host) = (ben.state().me.clone(), zoe.state().me.clone());
    zoe.chat("before").await.expect("it is sent");
    ben.raise_hand().await.expect("it goes up");
    let microphone = zoe.microphone(AudioOptions::default()).await;
    let talking = talk(microphone.expect("it is on"));
    let mut voice = ben.voice(&host);
    hears(&mut voice).await;

    let mut events = [zoe.events(), ben.events()];
    let fingerprint = site.fingerprint.clone();
    site.kill();
    if !keeps_certificate {
        fs::remove_file(site.data("relay.pem")).expect("it was kept");
    }
    site.start_again();
    assert_eq!(site.fingerprint == fingerprint, keeps_certificate);
    let served = Instant::now();
    for events in &mut events {
        phase(events, Phase::Reconnecting).await;
    }
    // They are told; by silence alone they notice after fifteen seconds.
    let noticed = served.elapsed();
    assert!(noticed < SILENCE, "they notice after {noticed:?}");
    for events in &mut events {
        phase(events, Phase::Connected).await;
    }

    hears(&mut voice).await;
    soon("an answer", ben.chat("after"))
        .await
        .expect("it is sent");
    for meeting in [&zoe, &ben] {
        has_read(meeting, &["before", "after"]).await;
        let state = is_in(meeting).await;
        let view = state.view.as_ref().expect("it is in");
        assert_eq!(view.hand_position(&me), Some(1));
        let role = |id| view.participant(id).map(|who| who.role);
        assert_eq!(role(&host), Some(Role::Owner));
        assert_eq!(role(&me), Some(Role::Guest));
    }
    talking.abort();
    ben.leave().await;
    zoe.leave().await;
    site.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_comes_back_after_the_service_was_killed() {
    comes_back(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_comes_back_to_a_service_with_another_certificate() {
    comes_back(false).await;
}

/// A certificate and its key, as an operator may put them in the place of those that are kept.
fn another() -> String {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
    let made = made.expect("a certificate");
    format!("{}{}", made.cert.pem(), made.signing_key.serialize_pem())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_replaced_while_a_meeting_runs() {
    let site = Site::start();
    let (zoe, ben) = two(&site).await;
    let link = site.room("zoe");
    fs::write(site.data("relay.pem"), another()).expect("it is kept there");
    site.reload();
    // Tickets lead to the relay with the one certificate or the other, and at last with the other.
    soon("another certificate", async {
        let mut again = tokio::time::interval(Duration::from_millis(20));
        while site.fingerprint_for(&link, "Eve") == site.fingerprint {
            again.tick().await;
        }
    })
    .await;
    let guest = JoinOptions::new("Eve", "device-of-eve");
    let eve = Meeting::join(&link, guest).await.expect("it joins");
    soon("an answer", ben.chat("still here"))
        .await
        .expect("it is sent");
    has_read(&zoe, &["still here"]).await;
    for meeting in [eve, ben, zoe] {
        meeting.leave().await;
    }
    site.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_stopped_ends_when_the_last_one_has_left() {
    let site = Site::start_with(&["--drain", "5m"]);
    let (zoe, ben) = two(&site).await;
    site.drain();
    soon("an answer", ben.chat("still here"))
        .await
        .expect("it is sent");
    ben.leave().await;
    zoe.leave().await;
    let ended = tokio::task::spawn_blocking(move || site.ends());
    soon("the end", ended).await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_has_chat_and_state_until_the_relay_has_stopped() {
    let site = Site::start_with(&["--drain", "4s"]);
    let (zoe, ben) = two(&site).await;
    site.drain();
    let mut events = zoe.events();
    soon("an answer", ben.chat("still here"))
        .await
        .expect("it is sent");
    soon("an answer", ben.raise_hand())
        .await
        .expect("it goes up");
    let mut seen = (false, false);
    soon("chat and state", async {
        while seen != (true, true) {
            match events.next().await.expect("the meeting goes on") {
                MeetingEvent::Chat(message) => seen.0 |= message.text == "still here",
                MeetingEvent::Hands(hands) => seen.1 |= hands == [ben.state().me.clone()],
                MeetingEvent::Phase(phase) => panic!("{phase:?}"),
                _ => {}
            }
        }
    })
    .await;
    // Nobody is left: it need not wait for the end of its time.
    ben.leave().await;
    zoe.leave().await;
    site.ends();
}
