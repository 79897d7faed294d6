mod voice_buffer;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use parvis_codec::{AudioFrame, Channels, SAMPLE_RATE};
use parvis_meeting::{ParticipantId, Source, View};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinHandle, JoinSet},
};

use self::voice_buffer::VoiceBuffer;
use super::{Meeting, MeetingState, Phase, voice::VoiceReceiver, volumes::Volumes};
use crate::clock;

/// The sound of everybody else, mixed, for what plays it to pull. Dropping it ends that.
///
/// Voices, and the sound of shared screens, are received as people come and go, at the volumes of
/// [`Meeting::set_volume`]; each is buffered for as long as its network needs, 40 to 160 ms, and what piles up beyond is left out.
pub struct Mixer {
    mix: Arc<Mutex<Mix>>,
    channels: Channels,
    task: JoinHandle<()>,
}

struct Mix {
    voices: BTreeMap<Voice, VoiceBuffer>,
    volumes: watch::Receiver<Volumes>,
}

/// Whose sound, and of what.
type Voice = (ParticipantId, Source);

/// Samples a channel in 10 ms.
const PULL: usize = SAMPLE_RATE as usize / 100;

impl Meeting {
    /// Receives and mixes everybody else's voice and the sound of their screens. A meeting has one mixer,
    /// and no [`Meeting::voice`] or [`Meeting::screen_sound`] beside it: each is received once.
    pub fn mixer(&self, channels: Channels) -> Mixer {
        let mix = Arc::new(Mutex::new(Mix {
            voices: BTreeMap::new(),
            volumes: self.shared.volumes.subscribe(),
        }));
        let receive = follow(self.voices(), Arc::clone(&mix), channels);
        Mixer {
            mix,
            channels,
            task: tokio::spawn(receive),
        }
    }
}

impl Mixer {
    /// The next 10 ms of all voices; silence where nobody speaks. Never waits for one.
    pub fn pull(&self) -> AudioFrame {
        let mut samples = vec![0.0; PULL * self.channels.count()];
        self.fill(&mut samples);
        AudioFrame::new(clock::now(), self.channels, samples)
            .expect("whole samples of each channel were made")
    }

    /// Fills a buffer, of interleaved f32 at 48 kHz, with what is heard next; for a device whose
    /// buffers are not of 10 ms.
    pub fn fill(&self, out: &mut [f32]) {
        out.fill(0.0);
        let Mix { voices, volumes } = &mut *lock(&self.mix);
        let volumes = volumes.borrow();
        for ((who, _), voice) in voices {
            voice.mix_into(out, volumes.gain(who));
        }
        for sample in out {
            *sample = limited(*sample);
        }
    }

    /// Mono or stereo.
    pub const fn channels(&self) -> Channels {
        self.channels
    }
}

impl Drop for Mixer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Mixer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mixer")
            .field("channels", &self.channels)
            .finish_non_exhaustive()
    }
}

/// Receives the voices of those who are there, until the meeting is over.
async fn follow(voices: VoiceReceiver, mix: Arc<Mutex<Mix>>, channels: Channels) {
    let mut state = voices.state();
    let mut tasks = JoinSet::new();
    let mut received: BTreeMap<Voice, AbortHandle> = BTreeMap::new();
    loop {
        let known = Arc::clone(&state.borrow_and_update());
        if matches!(known.phase, Phase::Disconnected(_)) {
            return;
        }
        let there = others(&known);
        received.retain(|key, task| {
            let stays = there.contains(&key.0) && !task.is_finished();
            if !stays {
                task.abort();
                lock(&mix).voices.remove(key);
            }
            stays
        });
        for who in there {
            for source in [Source::Microphone, Source::Screen] {
                let key = (who.clone(), source);
                received.entry(key.clone()).or_insert_with(|| {
                    let voice = voices.voice(&who, source);
                    tasks.spawn(receive(voice, key, Arc::clone(&mix), channels))
                });
            }
        }
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            Some(_) = tasks.join_next() => {}
        }
    }
}

async fn receive(
    mut voice: super::RemoteVoice,
    key: Voice,
    mix: Arc<Mutex<Mix>>,
    channels: Channels,
) {
    while let Some(sound) = voice.next_as_sent().await {
        let mut mix = lock(&mix);
        let buffer = mix.voices.entry(key.clone());
        let buffer = buffer.or_insert_with(|| VoiceBuffer::new(channels));
        buffer.push(&sound.frame);
    }
    lock(&mix).voices.remove(&key);
}

fn others(state: &MeetingState) -> Vec<ParticipantId> {
    let all = state.view.iter().flat_map(View::participants);
    let others = all.filter(|participant| participant.id != state.me);
    others.map(|participant| participant.id.clone()).collect()
}

fn lock(mix: &Mutex<Mix>) -> MutexGuard<'_, Mix> {
    mix.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is louder than a device can be is bent instead of cut.
fn limited(sample: f32) -> f32 {
    const KNEE: f32 = 0.9;
    let beyond = sample.abs() - KNEE;
    if beyond <= 0.0 {
        return sample;
    }
    let room = 1.0 - KNEE;
    (KNEE + room * (beyond / room).tanh()).copysign(sample)
}

#[cfg(test)]
mod tests {
    use super::limited;

    #[test]
    fn loud_sound_is_bent_into_range_and_other_sound_stays() {
        for sample in [0.0, 0.5, -0.9] {
            assert!((limited(sample) - sample).abs() < f32::EPSILON);
        }
        assert!(limited(1.0) > 0.9 && limited(1.0) < 1.0);
        assert!(limited(-4.0) < -0.99 && limited(-4.0) >= -1.0);
        assert!(limited(1.2) > limited(1.1));
    }
}
