//! What goes wrong is an error of its own kind: what `bindings/SCENARIO.md` lists, but a denial, which `hosts` has, and codecs
//! that fail, which the SDK's own tests have.

mod common;

use std::{
    future::Future,
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Waker},
};

use common::{PATIENCE, Person, Site, options};
use parvis_ffi::{
    AudioCapture, AudioOptions, ErrorKind, MediaState, Meeting, MeetingState, Microphone,
    ParvisError, Phase, RelayAddress, Ticket, TicketRequest, TicketSource, Tickets, VideoOptions,
    av1_params,
};
use tokio::time::timeout;

fn failed(kind: ErrorKind, reason: &str) -> ParvisError {
    ParvisError::Failed {
        kind,
        reason: reason.to_owned(),
        retry_after_ms: None,
        is_retryable: false,
        is_auth: false,
    }
}

/// What an app's exception is turned into, that it does not declare.
fn bug() -> ParvisError {
    uniffi::UnexpectedUniFFICallbackError::new("a bug").into()
}

/// Tickets as they are told.
struct Given(Box<dyn Fn(TicketRequest) -> Result<Ticket, ParvisError> + Send + Sync>);

#[async_trait::async_trait]
impl TicketSource for Given {
    async fn ticket(&self, request: TicketRequest) -> Result<Ticket, ParvisError> {
        (self.0)(request)
    }
}

async fn refusal(
    link: &str,
    ticket: impl Fn(TicketRequest) -> Result<Ticket, ParvisError> + Send + Sync + 'static,
) -> ParvisError {
    let tickets = Tickets::of(Arc::new(Given(Box::new(ticket))));
    let joined = Meeting::join(link.to_owned(), options("Zoé"), Arc::new(tickets), None).await;
    joined.err().expect("it is refused")
}

#[tokio::test(flavor = "multi_thread")]
async fn links_tickets_and_tokens_that_are_none() {
    let site = Site::start();
    let link = site.room();
    for none in ["", "hello", "https://meet.example/", "abc-defg-hi"] {
        let refused = Person::tries(none, "Zoé", Tickets::guest()).await;
        assert_eq!(refused.err().unwrap().kind(), ErrorKind::BadCode, "{none}");
    }
    let bare = Person::tries("abc-defg-hij", "Zoé", Tickets::guest()).await;
    assert_eq!(bare.err().unwrap().kind(), ErrorKind::NoSite);
    // A port that was free a moment ago.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let nobody = format!("http://{}/abc-defg-hij", nobody.unwrap());
    let away = Person::tries(&nobody, "Zoé", Tickets::guest()).await;
    assert_eq!(away.err().unwrap().kind(), ErrorKind::ServiceUnavailable);
    let thrown = refusal(&link, |_| Err(bug())).await;
    assert_eq!(thrown.kind(), ErrorKind::Callback);
    let said = refusal(&link, |_| Err(failed(ErrorKind::RoomFull, "full"))).await;
    assert_eq!(said.kind(), ErrorKind::RoomFull);

    let given = site.ticket(&link, "Zoé");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let ticket = Ticket {
        participant: text(&given["participant"]),
        code: link.rsplit('/').next().unwrap().to_owned(),
        relay: RelayAddress {
            url: text(&given["relay"]["url"]),
            fingerprint: None,
        },
        token: text(&given["token"]),
        resume: None,
        expires_ms: None,
    };
    for token in [site.expiring(&ticket.token, -3600), "nonsense".to_owned()] {
        let bad = Ticket {
            token,
            ..ticket.clone()
        };
        let ParvisError::Failed {
            kind,
            is_auth,
            is_retryable,
            ..
        } = refusal(&link, move |_| Ok(bad.clone())).await;
        assert_eq!(
            (kind, is_auth, is_retryable),
            (ErrorKind::NotLetIn, true, false)
        );
    }

    // The same that has not expired is good.
    let good = Ticket {
        token: site.expiring(&ticket.token, 3600),
        ..ticket
    };
    let given = Arc::new(Given(Box::new(move |_| Ok(good.clone()))));
    let zoe = Person::joins(&link, "Zoé", Tickets::of(given)).await;
    zoe.meeting.leave().await.unwrap();
}

/// A capture that does as it is told when it is opened.
struct Told {
    opening: Mutex<Option<ParvisError>>,
    stopped: AtomicU32,
}

#[async_trait::async_trait]
impl AudioCapture for Told {
    async fn open(&self) -> Result<(), ParvisError> {
        self.opening.lock().unwrap().take().map_or(Ok(()), Err)
    }

    fn start(&self, _microphone: Arc<Microphone>) -> Result<(), ParvisError> {
        Ok(())
    }

    fn stop(&self) -> Result<(), ParvisError> {
        self.stopped.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl Told {
    fn new(opening: Option<ParvisError>) -> Arc<Self> {
        Arc::new(Self {
            opening: Mutex::new(opening),
            stopped: AtomicU32::new(0),
        })
    }

    fn stopped(&self) -> u32 {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// The owner of a room of her own.
async fn alice(site: &Site) -> Person {
    let administrator = Tickets::agent(site.administrator.clone());
    let alice = Person::joins(&site.room(), "Alice", administrator).await;
    alice.is_in().await;
    alice
}

fn sound() -> AudioOptions {
    AudioOptions {
        channels: 1,
        bitrate: 32_000,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_is_stopped_when_the_meeting_is_over_whoever_ends_it() {
    let site = Site::start();
    for leaves in [true, false] {
        let alice = alice(&site).await;
        let capture = Told::new(None);
        let on = alice
            .meeting
            .microphone_from(sound(), Arc::clone(&capture) as _);
        let microphone = on.await.unwrap();
        microphone.push_f32(&[0; 480 * 4], 0).unwrap();
        assert_eq!(capture.stopped(), 0);
        if !leaves {
            alice.meeting.end_for_all().await.unwrap();
            let ended = |state: &MeetingState| matches!(state.phase, Phase::Disconnected { .. });
            alice.knows("the end", ended).await;
        }
        // It waits for the capture.
        alice.meeting.leave().await.unwrap();
        assert_eq!(capture.stopped(), 1);
        let pushed = microphone.push_f32(&[0; 480 * 4], 0);
        assert_eq!(pushed.unwrap_err().kind(), ErrorKind::Left);
        microphone.turn_off().unwrap();
        assert_eq!(capture.stopped(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_sounds_and_messages_of_no_shape() {
    let site = Site::start();
    let alice = alice(&site).await;
    let kind = |failed: ParvisError| failed.kind();
    for (text, wanted) in [
        (" ".to_owned(), ErrorKind::Empty),
        ("x".repeat(1 << 14), ErrorKind::TooLong),
    ] {
        assert_eq!(
            alice.meeting.chat(text).await.map_err(kind).err(),
            Some(wanted)
        );
    }
    let microphone = alice.meeting.microphone(sound()).await.unwrap();
    let second = alice.meeting.microphone(sound()).await;
    assert_eq!(second.map_err(kind).err(), Some(ErrorKind::TrackExists));
    let torn = microphone.push_f32(&[0; 7], 0);
    assert_eq!(torn.map_err(kind), Err(ErrorKind::BadFrame));
    let small = VideoOptions {
        width: 320,
        height: 180,
        frame_rate: 0,
        max_height: 0,
        layers: Vec::new(),
        encoder: None,
        key_interval_ms: 4000,
    };
    for huge in [
        VideoOptions {
            width: 100_000,
            ..small.clone()
        },
        VideoOptions {
            frame_rate: 1_000_000,
            ..small.clone()
        },
        VideoOptions {
            height: 0,
            ..small.clone()
        },
    ] {
        let refused = alice.meeting.camera(huge).await.map_err(kind);
        assert_eq!(refused.err(), Some(ErrorKind::BadArgument));
    }
    let camera = alice.meeting.camera(small).await.unwrap();
    let short = camera.push_i420(&[0; 16], &[0; 4], &[0; 4], 320, 180, 320, 160, 1, 0, 0);
    assert_eq!(short.map_err(kind), Err(ErrorKind::BadFrame));
    let none = alice.meeting.screen_encoded(Vec::new()).await;
    assert_eq!(none.map_err(kind).err(), Some(ErrorKind::BadArgument));
    let layer = av1_params(320, 180);
    let screen = alice.meeting.screen_encoded(vec![layer]).await.unwrap();
    for none in [-1, 1] {
        let pushed = screen.push(none, &[0; 8], 0, true, 0);
        assert_eq!(pushed.map_err(kind), Err(ErrorKind::BadArgument), "{none}");
    }
    alice.meeting.leave().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_waits_for_nobody_whose_answer_is_not_looked_at() {
    let site = Site::start();
    let alice = alice(&site).await;
    let states = alice.meeting.states();
    let mut next = loop {
        let mut next = Box::pin(states.next());
        let polled = next.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if polled.is_pending() {
            break next;
        }
    };
    // As an app whose main thread is busy.
    let left = timeout(PATIENCE, alice.meeting.leave()).await;
    left.expect("it waits for nobody").expect("it is left");
    while let Some(state) = next.await {
        if matches!(state.phase, Phase::Disconnected { .. }) {
            return;
        }
        next = Box::pin(states.next());
    }
    panic!("nobody says that it is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_permission_for_the_microphone_and_a_capture_that_throws() {
    let site = Site::start();
    let alice = alice(&site).await;
    for error in [failed(ErrorKind::PermissionDenied, "no"), bug()] {
        let capture = Told::new(Some(error.clone()));
        let refused = alice
            .meeting
            .microphone_from(sound(), Arc::clone(&capture) as _);
        assert_eq!(refused.await.err(), Some(error));
        assert_eq!(capture.stopped(), 1);
    }
    let known = alice.meeting.state().unwrap().view.unwrap();
    assert_eq!(known.participants[0].media.microphone, MediaState::Off);

    let capture = Told::new(None);
    let on = alice
        .meeting
        .microphone_from(sound(), Arc::clone(&capture) as _);
    let microphone = on.await.unwrap();
    microphone.turn_off().unwrap();
    assert_eq!(capture.stopped(), 1);
    assert_eq!(microphone.turn_off().unwrap_err().kind(), ErrorKind::Left);
    alice.meeting.leave().await.unwrap();
    assert_eq!(
        alice.meeting.leave().await.unwrap_err().kind(),
        ErrorKind::Left
    );
    assert_eq!(
        alice.meeting.chat("?".to_owned()).await.unwrap_err().kind(),
        ErrorKind::Left
    );
}
