use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use parvis::{
    DecodedAudio, DecodedVideo, RemoteStats,
    meeting::{Meeting, MeetingData, MeetingEvent, ParticipantId, Source, VideoTarget},
};
use tokio::{sync::mpsc, task::JoinHandle};

/// What of others is received: everybody's voice, and pictures that are asked for.
#[derive(Debug, Default)]
pub struct Hearing {
    voices: BTreeMap<ParticipantId, Task>,
    cameras: BTreeMap<ParticipantId, Task>,
    pictures: BTreeMap<(ParticipantId, Source), Task>,
    screens: BTreeMap<ParticipantId, Task>,
    /// By topic.
    topics: BTreeMap<String, Task>,
    data: Inbox,
    received: Arc<Mutex<Received>>,
    gauge: Option<Gauge>,
}

/// Data that came and was not taken.
#[derive(Debug)]
struct Inbox {
    sender: mpsc::Sender<MeetingData>,
    receiver: mpsc::Receiver<MeetingData>,
}

impl Default for Inbox {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(DATA);
        Self { sender, receiver }
    }
}

/// Takes a name, a track, a picture, and what became of the track's frames.
pub type Saw = dyn Fn(&str, &str, &DecodedVideo, RemoteStats) + Send + Sync;
/// Takes a name and a sound.
pub type Heard = dyn Fn(&str, &DecodedAudio) + Send + Sync;

/// Takes note of all that is received, so that everybody's camera is.
#[derive(Clone)]
pub struct Gauge {
    /// How large somebody's picture is shown, by the name.
    pub target: Arc<dyn Fn(&str) -> VideoTarget + Send + Sync>,
    /// Somebody, by name, was seen in this track.
    pub saw: Arc<Saw>,
    /// Somebody, by name, was heard.
    pub heard: Arc<Heard>,
}

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gauge")
    }
}

#[derive(Debug, Default)]
struct Received {
    /// When the last sound of somebody came, and how loud it was: 0 to 127 dB below the loudest.
    sound: BTreeMap<ParticipantId, (Instant, u8)>,
    /// When the last sound of somebody's screen came.
    screen_sound: BTreeMap<ParticipantId, Instant>,
    /// How many pictures came.
    pictures: BTreeMap<(ParticipantId, Source), u64>,
}

/// So large is a picture that is only looked at.
const LOOKED_AT: VideoTarget = VideoTarget::new(320, 180);
/// Data that waits to be taken; then its sender's next waits.
const DATA: usize = 64;

impl Hearing {
    /// Sees everybody's camera too, and takes note of all.
    pub fn measured(gauge: Gauge) -> Self {
        Self {
            gauge: Some(gauge),
            ..Self::default()
        }
    }

    /// Listens to who comes.
    pub fn take(&mut self, event: &MeetingEvent, meeting: &Meeting) {
        match event {
            MeetingEvent::Joined(who) if who.id != meeting.state().me => {
                let mut voice = meeting.voice(&who.id);
                let (id, received) = (who.id.clone(), Arc::clone(&self.received));
                let (name, gauge) = (who.name.clone(), self.gauge.clone());
                let task = async move {
                    while let Some(sound) = voice.next().await {
                        if let Some(gauge) = &gauge {
                            (gauge.heard)(&name, &sound);
                        }
                        // What the decoder makes up was not said.
                        if sound.arrived.is_none() {
                            continue;
                        }
                        let level = sound.level.map_or(127, |level| level.below_full_scale);
                        let now = (Instant::now(), level);
                        lock(&received).sound.insert(id.clone(), now);
                    }
                };
                self.voices.insert(who.id.clone(), Task::spawn(task));
                if let Some(gauge) = &self.gauge {
                    let camera = see(meeting, &who.id, &who.name, gauge);
                    self.cameras.insert(who.id.clone(), camera);
                }
            }
            MeetingEvent::Left { participant, .. } => {
                self.voices.remove(participant);
                self.cameras.remove(participant);
                self.screens.remove(participant);
                self.pictures.retain(|(who, _), _| who != participant);
                let mut received = lock(&self.received);
                received.sound.remove(participant);
                received.screen_sound.remove(participant);
                received.pictures.retain(|(who, _), _| who != participant);
            }
            _ => {}
        }
    }

    /// Watches somebody's camera or screen until [`Self::look_away`].
    pub fn look(&mut self, meeting: &Meeting, who: &ParticipantId, source: Source) {
        let key = (who.clone(), source);
        if self.pictures.contains_key(&key) {
            return;
        }
        let mut picture = meeting.picture(who, source, LOOKED_AT);
        let (seen, received) = (key.clone(), Arc::clone(&self.received));
        let task = async move {
            while picture.next().await.is_some() {
                *lock(&received).pictures.entry(seen.clone()).or_default() += 1;
            }
        };
        self.pictures.insert(key, Task::spawn(task));
    }

    /// Listens to somebody's screen until [`Self::look_away`].
    pub fn listen_to_screen(&mut self, meeting: &Meeting, who: &ParticipantId) {
        if self.screens.contains_key(who) {
            return;
        }
        let mut voice = meeting.screen_sound(who);
        let (id, received) = (who.clone(), Arc::clone(&self.received));
        let task = async move {
            while let Some(sound) = voice.next().await {
                if sound.arrived.is_some() {
                    let now = Instant::now();
                    lock(&received).screen_sound.insert(id.clone(), now);
                }
            }
        };
        self.screens.insert(who.clone(), Task::spawn(task));
    }

    /// Takes data on that topic from now on.
    pub fn receive(&mut self, meeting: &Meeting, topic: &str) {
        if self.topics.contains_key(topic) {
            return;
        }
        let (mut data, to) = (meeting.data(topic), self.data.sender.clone());
        let task = async move {
            while let Some(message) = data.next().await {
                if to.send(message).await.is_err() {
                    return;
                }
            }
        };
        self.topics.insert(topic.to_owned(), Task::spawn(task));
    }

    /// The next data.
    pub async fn next_data(&mut self) -> Option<MeetingData> {
        self.data.receiver.recv().await
    }

    /// Watches nobody any more, and no screen is heard.
    pub fn look_away(&mut self) {
        self.pictures.clear();
        self.screens.clear();
        lock(&self.received).pictures.clear();
    }

    /// When somebody was heard last.
    pub fn last(&self, who: &ParticipantId) -> Option<Instant> {
        lock(&self.received).sound.get(who).map(|(at, _)| *at)
    }

    /// When somebody's screen was heard last.
    pub fn last_of_screen(&self, who: &ParticipantId) -> Option<Instant> {
        lock(&self.received).screen_sound.get(who).copied()
    }

    /// How loud somebody is: 0 to 127 dB below the loudest; `None`: nothing came.
    pub fn level(&self, who: &ParticipantId) -> Option<u8> {
        lock(&self.received).sound.get(who).map(|(_, level)| *level)
    }

    /// Whether a picture of somebody came since it is looked at.
    pub fn sees(&self, who: &ParticipantId, source: Source) -> bool {
        let received = lock(&self.received);
        received
            .pictures
            .get(&(who.clone(), source))
            .is_some_and(|pictures| *pictures > 0)
    }

    /// As if sound had come.
    #[cfg(test)]
    pub fn heard(&self, who: &ParticipantId, at: Instant, level: u8) {
        lock(&self.received).sound.insert(who.clone(), (at, level));
    }
}

/// Receives somebody's camera for a gauge.
fn see(meeting: &Meeting, who: &ParticipantId, name: &str, gauge: &Gauge) -> Task {
    let target = (gauge.target)(name);
    let mut picture = meeting.picture(who, Source::Camera, target);
    let (name, gauge) = (name.to_owned(), gauge.clone());
    Task::spawn(async move {
        while let Some(seen) = picture.next().await {
            let stats = picture.stats();
            let layer = picture.layer().unwrap_or_default();
            (gauge.saw)(&name, layer, &seen, stats);
        }
    })
}

fn lock(received: &Mutex<Received>) -> std::sync::MutexGuard<'_, Received> {
    received.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A task that ends when it is dropped.
#[derive(Debug)]
struct Task(JoinHandle<()>);

impl Task {
    fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
