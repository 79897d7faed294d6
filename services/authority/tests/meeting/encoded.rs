//! Pictures that are encoded and decoded outside of the SDK.

use std::time::Duration;

use parvis::{
    CodecState, EncodedDemand, clock,
    codec::{
        KeyFrame, TestPattern, VideoDecoder, VideoDecoderConfig, VideoEncoder, VideoEncoderConfig,
        open_video_decoder, open_video_encoder,
    },
    format::VideoParams,
    meeting::{EncodedSource, MeetingEvent, RemoteEncodedPicture, Source, VideoTarget},
};
use tokio::sync::mpsc;

use crate::{
    house::{House, event, soon},
    together::me,
};

/// An encoder as a phone has it: it does what it is told to, and nothing else.
struct Outside {
    layers: Vec<Layer>,
    paused: bool,
}

struct Layer {
    encoder: Box<dyn VideoEncoder>,
    pattern: TestPattern,
    watched: bool,
    key: bool,
}

impl Outside {
    fn new(sizes: &[(u32, u32)]) -> Self {
        let layer = |&(width, height): &(u32, u32)| Layer {
            encoder: open_video_encoder(&VideoEncoderConfig::new(width, height)).expect("libaom"),
            pattern: TestPattern::new(width, height),
            watched: false,
            key: false,
        };
        Self {
            layers: sizes.iter().map(layer).collect(),
            paused: false,
        }
    }

    fn obey(&mut self, demand: EncodedDemand) {
        match demand {
            EncodedDemand::Watched { layer, watched } => self.layers[layer].watched = watched,
            EncodedDemand::KeyFrame { layer } => self.layers[layer].key = true,
            EncodedDemand::Bitrate { layer, bitrate } => {
                let changed = self.layers[layer].encoder.set_bitrate(&[bitrate]);
                changed.expect("libaom can");
            }
            EncodedDemand::Paused(paused) => self.paused = paused,
            other => panic!("{other:?}"),
        }
    }

    fn capture(&mut self, number: u32, source: &EncodedSource) {
        if self.paused {
            return;
        }
        for (index, layer) in self
            .layers
            .iter_mut()
            .enumerate()
            .filter(|(_, l)| l.watched)
        {
            let picture = layer.pattern.frame(number, clock::now());
            let key = if std::mem::take(&mut layer.key) {
                KeyFrame::Forced
            } else {
                KeyFrame::AsNeeded
            };
            for packet in layer.encoder.encode(&picture, key).expect("it encodes") {
                source.push(index, packet);
            }
        }
    }
}

/// What the test has the camera's owner do.
enum Act {
    Mute,
    Unmute,
}

/// Runs an outside encoder; tells what is demanded of it.
fn run(
    source: EncodedSource,
    sizes: &[(u32, u32)],
) -> (mpsc::Sender<Act>, mpsc::UnboundedReceiver<EncodedDemand>) {
    let mut outside = Outside::new(sizes);
    let (act, mut acts) = mpsc::channel(1);
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(50));
        for number in 0.. {
            tokio::select! {
                demand = source.next_demand() => {
                    let Some(demand) = demand else { break };
                    outside.obey(demand);
                    let _ = tell.send(demand);
                }
                act = acts.recv() => match act {
                    Some(Act::Mute) => source.mute().await.expect("it is muted"),
                    Some(Act::Unmute) => source.unmute().await.expect("it is on"),
                    None => break,
                },
                _ = pace.tick() => outside.capture(number, &source),
            }
        }
    });
    (act, told)
}

async fn demanded(told: &mut mpsc::UnboundedReceiver<EncodedDemand>, wanted: EncodedDemand) {
    soon("the demand", async {
        while told.recv().await.expect("it goes on") != wanted {}
    })
    .await;
}

/// Decodes until pictures are that high; opens a decoder where it must.
async fn decodes(
    picture: &mut RemoteEncodedPicture,
    decoder: &mut Option<Box<dyn VideoDecoder>>,
    height: u32,
) {
    soon("a picture", async {
        loop {
            let encoded = picture.next().await.expect("it goes on");
            if encoded.begins {
                let params = picture.params().expect("it is received");
                assert!(params.codec.starts_with("av01"), "{params:?}");
                let opened = open_video_decoder(&VideoDecoderConfig::default());
                *decoder = Some(opened.expect("dav1d"));
            }
            let Some(decoder) = decoder else {
                continue;
            };
            let pictures = decoder.decode(&encoded.received.frame).expect("it decodes");
            if pictures.iter().any(|picture| picture.height() == height) {
                return;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_is_encoded_outside_does_what_its_viewers_want() {
    let (house, code, host) = House::public().await;
    let anna = house.member(&code, "Anna").await;
    let sizes = [(640, 360), (320, 180)];
    let layers = sizes.map(|(width, height)| VideoParams::av1(width, height));
    let source = host
        .camera_encoded(layers.to_vec())
        .await
        .expect("it is on");
    let (act, mut told) = run(source, &sizes);

    let who = me(&host);
    let mut events = anna.events();
    let small = VideoTarget::new(160, 90);
    let mut picture = anna.picture(&who, Source::Camera, small);
    let seen = soon("a picture", picture.next()).await.expect("it goes on");
    assert_eq!(seen.frame.height(), 180);
    let (layer, watched) = (1, true);
    demanded(&mut told, EncodedDemand::Watched { layer, watched }).await;
    demanded(&mut told, EncodedDemand::KeyFrame { layer }).await;
    let state = event(&mut events, "the codec", |event| match event {
        MeetingEvent::Codec {
            participant, state, ..
        } if *participant == who => Some(state.clone()),
        _ => None,
    })
    .await;
    match state {
        CodecState::InUse(codec) => assert_eq!(codec.backend, "dav1d"),
        other => panic!("{other:?}"),
    }
    drop(picture);
    let watched = false;
    demanded(&mut told, EncodedDemand::Watched { layer, watched }).await;

    // Decoded outside too.
    let mut decoder = None;
    let mut picture = anna.picture_encoded(&who, Source::Camera, small);
    decodes(&mut picture, &mut decoder, 180).await;
    picture.set_target(VideoTarget::new(640, 360));
    decodes(&mut picture, &mut decoder, 360).await;
    let (layer, watched) = (0, true);
    demanded(&mut told, EncodedDemand::Watched { layer, watched }).await;

    // Muted: nothing is captured. On again it begins with a key frame.
    act.send(Act::Mute).await.expect("it runs");
    demanded(&mut told, EncodedDemand::Paused(true)).await;
    act.send(Act::Unmute).await.expect("it runs");
    demanded(&mut told, EncodedDemand::Paused(false)).await;
    demanded(&mut told, EncodedDemand::KeyFrame { layer }).await;
    decodes(&mut picture, &mut decoder, 360).await;
}
