//! The examples of the SDK's page, each at a real service: what stands between `page:` marks is what the
//! page shows.

mod common;

use std::{error::Error, future::Future, time::Duration};

use common::site::Site;
use parvis::{
    AudioOptions, clock,
    codec::{AudioFrame, Channels, SAMPLES_PER_FRAME, TestPattern, VideoFrame},
    meeting::{
        AccessLevel, DataTarget, JoinOptions, Meeting, MeetingState, ParticipantId, Source,
        TicketSource, VideoTarget, View,
    },
};
use tokio::task::JoinHandle;

type Example = Result<(), Box<dyn Error>>;

const PATIENCE: Duration = Duration::from_mins(1);

mod join {
    // page: begin
    use parvis::meeting::{JoinOptions, Meeting, MeetingEvent, Phase};

    // page: pause
    pub async fn example(link: &str) -> super::Example {
        // page: on
        let options = JoinOptions::new("Zoé", "a-random-id-of-this-device");
        let meeting = Meeting::join(link, options).await?; // such as https://meet.example/abc-defg-hij
        let mut events = meeting.events();
        while let Some(event) = events.next().await {
            match event {
                MeetingEvent::Phase(Phase::InLobby(lobby)) => println!("please wait: {lobby:?}"),
                MeetingEvent::Phase(Phase::Connected) => println!("in"),
                MeetingEvent::Phase(Phase::Disconnected(reason)) => println!("over: {reason:?}"),
                _ => {}
            }
        }
        // page: end
        Ok(())
    }
}

mod before {
    use parvis::{
        codec::AudioFrame,
        meeting::{JoinOptions, LevelMeter, Meeting},
    };

    pub async fn example(sound: AudioFrame, link: &str) -> super::Example {
        // page: begin
        let meter = LevelMeter::default();
        meter.push(&sound); // what the device gives
        println!("{:.0} dB", meter.decibels()); // 0: the loudest, -127: silence

        let options = JoinOptions::new("Zoé", "a-random-id-of-this-device");
        let report = Meeting::test_connection(link, options).await?;
        for transport in &report.transports {
            match &transport.found {
                Ok(path) => println!("{:?}: {:?} there and back", transport.transport, path.rtt),
                Err(error) => println!("{:?}: {error}", transport.transport),
            }
        }
        // page: end
        assert!(report.is_reachable());
        Ok(())
    }
}

mod say {
    use parvis::meeting::{Emoji, ErrorKind, Meeting, Target};

    pub async fn example(meeting: Meeting) -> super::Example {
        // page: begin
        let pending = meeting.chat_pending("Bonjour !").await?; // shown at once, by pending.client_id
        meeting.raise_hand().await?;
        meeting.react(Emoji::ClappingHands).await?;
        let page = meeting.history(None, 50).await?; // the newest fifty, and what is gone of them
        for message in &page.messages {
            println!("{}: {}", message.name, message.text);
        }
        if let Err(error) = meeting.admit(Target::All).await {
            assert_eq!(error.kind(), Some(ErrorKind::Forbidden)); // not a host
        }
        // page: end
        drop(pending);
        Ok(())
    }
}

mod see {
    use parvis::{
        AudioOptions,
        codec::{AudioFrame, VideoFrame},
        meeting::{Meeting, ParticipantId, Receive, Source, VideoTarget},
    };

    pub async fn example(
        meeting: Meeting,
        who: ParticipantId,
        sound: AudioFrame,
        picture: VideoFrame,
    ) -> super::Example {
        // page: begin
        let microphone = meeting.microphone(AudioOptions::default()).await?;
        microphone.push(&sound); // as much as the device gives at a time
        microphone.mute().await?; // nothing is captured, the track stays announced
        let camera = meeting.camera(1280, 720).await?;
        camera.push(&picture); // encoded in the layers that somebody watches

        let mut voice = meeting.voice(&who);
        let heard = voice.next().await; // across mutes and reconnections
        let mut shown = meeting.picture(&who, Source::Camera, VideoTarget::new(320, 180));
        let seen = shown.next().await;
        shown.set_target(VideoTarget::HIDDEN); // nothing of it is received
        meeting.set_video_target(
            &who,
            Source::Camera,
            VideoTarget::new(640, 360).with_fps(15),
        ); // all of that source
        meeting.set_receive(Receive::Less); // the smallest layer of each; AudioOnly: none
        meeting.set_pinned(&who, true); // first, and at 360 lines or more
        // page: end
        assert!(heard.is_some() && seen.is_some());
        Ok(())
    }
}

mod play {
    use parvis::{
        codec::Channels,
        meeting::{Meeting, ParticipantId},
    };

    pub fn example(meeting: &Meeting, who: &ParticipantId, buffer: &mut [f32]) {
        let who = who.clone();
        // page: begin
        let mixer = meeting.mixer(Channels::Stereo);
        let sound = mixer.pull(); // 10 ms of everybody; or mixer.fill(buffer), for whatever a device wants
        // page: pause
        assert_eq!(sound.samples_per_channel(), 480);
        // page: on
        mixer.fill(buffer);
        meeting.set_volume(&who, 0.5);
        meeting.mute_for_me(&who, true); // nobody else hears of it, and who speaks is still seen
        // page: end
    }
}

mod codecs {
    use std::sync::Arc;

    use parvis::{
        Codecs,
        codec::{
            CodecOutput, EncodeError, OpenError, VideoEncoder, VideoEncoderConfig,
            VideoEncoderFactory,
        },
        format::EncodedFrame,
        meeting::{JoinOptions, Meeting, MeetingEvent},
    };

    // page: begin
    struct Hardware;

    impl VideoEncoderFactory for Hardware {
        fn create(
            &self,
            config: &VideoEncoderConfig,
            output: CodecOutput<EncodedFrame, EncodeError>,
        ) -> Result<Option<Box<dyn VideoEncoder>>, OpenError> {
            if config.width > 1920 {
                return Ok(None); // the built-in one takes its place
            }
            // An encoder whose `encode` returns nothing puts its packets in `output`, from any thread.
            // page: pause
            drop(output);
            Ok(None)
            // page: on
        }
    }

    // page: pause
    pub async fn example(link: &str) -> super::Example {
        // page: on
        let codecs = Codecs {
            video_encoders: Some(Arc::new(Hardware)),
            ..Codecs::default()
        };
        let options = JoinOptions::new("Zoé", "a-random-id-of-this-device").with_codecs(codecs);
        let meeting = Meeting::join(link, options).await?;
        let mut events = meeting.events();
        while let Some(event) = events.next().await {
            if let MeetingEvent::Codec { track, state, .. } = event {
                println!("{track}: {state:?}"); // which codec, and why it is not the platform's
            }
        }
        // page: end
        Ok(())
    }
}

#[rustfmt::skip]
mod encoded {
    use parvis::{
        EncodedDemand,
        format::{EncodedFrame, VideoParams},
        meeting::{Meeting, ParticipantId, Source, VideoTarget},
    };

    pub async fn gives(meeting: &Meeting, frame: EncodedFrame) -> super::Example {
        // page: begin
        let layers = vec![VideoParams::av1(640, 360), VideoParams::av1(320, 180)];
        let camera = meeting.camera_encoded(layers).await?;
        camera.push(0, frame); // thrown away while nobody watches layer 0
        while let Some(demand) = camera.next_demand().await {
            match demand {
                EncodedDemand::Watched { layer, watched } => println!("encode layer {layer}: {watched}"),
                EncodedDemand::KeyFrame { layer } => println!("a key frame of layer {layer}"),
                EncodedDemand::Bitrate { layer, bitrate } => println!("layer {layer} at {bitrate}"),
                EncodedDemand::Paused(paused) => println!("muted: {paused}"),
                _ => {}
            }
        }
        // page: end
        Ok(())
    }

    pub async fn takes(meeting: &Meeting, who: ParticipantId) -> usize {
        let mut pictures = 0;
        // page: begin
        let mut shown = meeting.picture_encoded(&who, Source::Camera, VideoTarget::new(640, 360));
        while let Some(picture) = shown.next().await {
            if picture.begins {
                println!("open a decoder for {:?}", shown.params());
            }
            println!("{} bytes of {}", picture.received.frame.payload.len(), picture.received.frame.time);
            // page: pause
            pictures += 1;
            // page: on
        }
        // page: end
        pictures
    }
}

mod data {
    use parvis::meeting::{DataTarget, Meeting, ParticipantId};

    pub async fn example(
        meeting: Meeting,
        who: ParticipantId,
    ) -> Result<usize, Box<dyn super::Error>> {
        let mut came = 0;
        // page: begin
        meeting
            .send_data("cursor", &[3, 7], DataTarget::All)
            .await?;
        meeting
            .send_data("note", b"for you", DataTarget::Some(vec![who]))
            .await?;
        let mut cursors = meeting.data("cursor");
        while let Some(data) = cursors.next().await {
            println!("{}: {:?}", data.from, data.payload);
            // page: pause
            came += 1;
            // page: on
        }
        // page: end
        Ok(came)
    }
}

/// A service, a room that everybody enters, and its host, who speaks and is seen.
struct Scene {
    site: Site,
    link: String,
    host: Meeting,
    showing: JoinHandle<()>,
}

impl Scene {
    async fn new() -> Self {
        let site = Site::start();
        let link = site.room("administrator");
        let token = site.token("administrator");
        let options = JoinOptions::new("Alice", "device-of-alice");
        let options = options.with_tickets(TicketSource::agent(token));
        let host = Meeting::join(&link, options).await.expect("it joins");
        is_in(&host).await;
        let public = host.set_access(AccessLevel::Public, None).await;
        public.expect("it is a host");
        let microphone = host.microphone(AudioOptions::default()).await;
        let microphone = microphone.expect("it is on");
        let camera = host.camera(640, 360).await.expect("it is on");
        let showing = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            let pattern = TestPattern::new(640, 360);
            for number in 0.. {
                ticks.tick().await;
                microphone.push(&sound());
                if number % 5 == 0 {
                    camera.push(&pattern.frame(number / 5, clock::now()));
                }
            }
        });
        Self {
            site,
            link,
            host,
            showing,
        }
    }

    async fn guest(&self) -> Meeting {
        let options = JoinOptions::new("Zoé", "device-of-zoe");
        let guest = Meeting::join(&self.link, options).await.expect("it joins");
        is_in(&guest).await;
        guest
    }

    fn who(&self) -> ParticipantId {
        self.host.state().me.clone()
    }

    /// Waits until the host sees somebody who is so.
    async fn sees(&self, holds: impl Fn(&parvis::meeting::Participant) -> bool) {
        let me = self.who();
        let seen = self.host.wait_for(|state| {
            let mut others = state.view.iter().flat_map(View::participants);
            others.any(|who| who.id != me && holds(who))
        });
        soon("somebody", seen).await;
    }

    /// Ends the meeting for everybody.
    async fn ends(self) {
        self.host.end_for_all().await.expect("it is a host");
        self.showing.abort();
        self.site.stop();
    }
}

async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let output = tokio::time::timeout(PATIENCE, future).await;
    output.unwrap_or_else(|_| panic!("{what} did not happen"))
}

async fn is_in(meeting: &Meeting) {
    let state = soon("being in", meeting.wait_for(MeetingState::is_connected)).await;
    assert!(state.is_connected(), "{:?}", state.phase);
}

fn sound() -> AudioFrame {
    let samples = vec![0.25; SAMPLES_PER_FRAME];
    AudioFrame::new(clock::now(), Channels::Mono, samples).expect("a frame")
}

fn picture() -> VideoFrame {
    TestPattern::new(1280, 720).frame(0, clock::now())
}

/// An example that goes on until the meeting is over.
async fn until_the_end(scene: Scene, example: impl Future<Output = Example>) {
    let ending = async {
        scene.sees(|_| true).await;
        scene.ends().await;
    };
    let (done, ()) = soon("the end", async { tokio::join!(example, ending) }).await;
    done.expect("it goes well");
}

#[tokio::test(flavor = "multi_thread")]
async fn joining() {
    let scene = Scene::new().await;
    let link = scene.link.clone();
    until_the_end(scene, Box::pin(join::example(&link))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_one_joins() {
    let scene = Scene::new().await;
    let done = soon("the test", before::example(sound(), &scene.link)).await;
    done.expect("it goes well");
    scene.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn saying_something() {
    let scene = Scene::new().await;
    let done = soon("saying", say::example(scene.guest().await)).await;
    done.expect("it goes well");
    scene.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seeing_and_hearing() {
    let scene = Scene::new().await;
    let seeing = see::example(scene.guest().await, scene.who(), sound(), picture());
    soon("seeing", seeing).await.expect("it goes well");
    scene.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn playing() {
    let scene = Scene::new().await;
    let guest = scene.guest().await;
    play::example(&guest, &scene.who(), &mut [0.0; 256]);
    guest.leave().await;
    scene.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codecs_of_the_platform() {
    let scene = Scene::new().await;
    let link = scene.link.clone();
    until_the_end(scene, Box::pin(codecs::example(&link))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn encoded_frames() {
    let scene = Scene::new().await;
    let (giver, taker) = (scene.guest().await, scene.guest().await);
    let mut shown = taker.picture_encoded(&scene.who(), Source::Camera, VideoTarget::new(640, 360));
    let picture = soon("a picture", shown.next()).await.expect("it goes on");
    drop(shown);
    let (who, given) = (scene.who(), picture.received.frame);
    let ending = async {
        let on = |who: &parvis::meeting::Participant| {
            who.media.camera == parvis::meeting::MediaState::On
        };
        scene.sees(on).await;
        let mut again =
            taker.picture_encoded(&scene.who(), Source::Camera, VideoTarget::new(320, 180));
        soon("a picture", again.next()).await.expect("it goes on");
        scene.ends().await;
    };
    let all = async {
        tokio::join!(
            encoded::gives(&giver, given),
            encoded::takes(&taker, who),
            ending
        )
    };
    let (done, pictures, ()) = soon("the end", Box::pin(all)).await;
    done.expect("it goes well");
    assert!(pictures > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_an_app() {
    let scene = Scene::new().await;
    let mut notes = scene.host.data("note");
    let example = data::example(scene.guest().await, scene.who());
    let ending = async {
        let note = soon("the note", notes.next()).await.expect("it goes on");
        assert_eq!(&note.payload[..], b"for you");
        // What nobody listens to so far is lost.
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        for _ in 0..20 {
            ticks.tick().await;
            let sent = scene.host.send_data("cursor", &[1], DataTarget::All).await;
            sent.expect("it is small");
        }
        scene.ends().await;
    };
    let (came, ()) = soon("the end", async { tokio::join!(example, ending) }).await;
    assert!(came.expect("it goes well") > 0);
}

#[test]
fn the_page_shows_what_runs_here() {
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    // The formatter sets these where it breaks a line.
    let dense = |text: &str| dense(text).replace(",}", "}").replace(",)", ")");
    let mut runs = Vec::new();
    let mut on = false;
    for line in include_str!("page.rs").lines() {
        match line.trim() {
            "// page: begin" => {
                runs.push(String::new());
                on = true;
            }
            "// page: on" => on = true,
            "// page: pause" | "// page: end" => on = false,
            _ if on => {
                let run = runs.last_mut().expect("it has begun");
                run.push_str(line);
                run.push('\n');
            }
            _ => {}
        }
    }
    let page = include_str!("../../docs/sdk.md");
    let shown: Vec<String> = page
        .split("```rust")
        .skip(1)
        .map(|block| {
            let code = block.split("```").next().unwrap_or_default();
            let lines = code
                .lines()
                .skip(1)
                .filter(|line| !line.trim_start().starts_with("# "));
            lines.collect::<Vec<_>>().join("\n")
        })
        .collect();
    assert_eq!(shown.len(), runs.len());
    for (shown, run) in shown.iter().zip(&runs) {
        assert_eq!(dense(shown), dense(run), "{shown}");
    }
}
