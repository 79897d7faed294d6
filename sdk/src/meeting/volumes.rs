use std::collections::BTreeMap;

use parvis_codec::AudioFrame;
use parvis_meeting::ParticipantId;

use super::Meeting;

/// How loud others are played here; nobody else hears of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Volumes(BTreeMap<ParticipantId, Volume>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Volume {
    gain: f32,
    muted: bool,
}

impl Default for Volume {
    fn default() -> Self {
        Self {
            gain: 1.0,
            muted: false,
        }
    }
}

/// The loudest that somebody can be made.
const LOUDEST: f32 = 4.0;

impl Meeting {
    /// Plays somebody louder or softer, in the mixer and in [`Meeting::voice`]: 1 as it came, 0 not at
    /// all, 4 at most.
    pub fn set_volume(&self, who: &ParticipantId, volume: f32) {
        let gain = if volume.is_nan() { 1.0 } else { volume };
        self.change_volume(who, |volume| volume.gain = gain.clamp(0.0, LOUDEST));
    }

    /// Mutes somebody for oneself alone, or plays it again. It is received all the same, so that who
    /// speaks is still seen.
    pub fn mute_for_me(&self, who: &ParticipantId, muted: bool) {
        self.change_volume(who, |volume| volume.muted = muted);
    }

    /// How loud somebody is played, mute aside.
    pub fn volume(&self, who: &ParticipantId) -> f32 {
        self.shared.volumes.borrow().of(who).gain
    }

    /// Whether one has muted somebody for oneself.
    pub fn is_muted_for_me(&self, who: &ParticipantId) -> bool {
        self.shared.volumes.borrow().of(who).muted
    }

    fn change_volume(&self, who: &ParticipantId, change: impl FnOnce(&mut Volume)) {
        self.shared.volumes.send_modify(|Volumes(volumes)| {
            let volume = volumes.entry(who.clone()).or_default();
            change(volume);
            if *volume == Volume::default() {
                volumes.remove(who);
            }
        });
    }
}

impl Volumes {
    fn of(&self, who: &ParticipantId) -> Volume {
        self.0.get(who).copied().unwrap_or_default()
    }

    /// By what a sample of somebody's is multiplied.
    pub(super) fn gain(&self, who: &ParticipantId) -> f32 {
        let Volume { gain, muted } = self.of(who);
        if muted { 0.0 } else { gain }
    }

    /// Sound of somebody's, as loud as it is to be played.
    pub(super) fn apply(&self, who: &ParticipantId, sound: AudioFrame) -> AudioFrame {
        let gain = self.gain(who);
        if (gain - 1.0).abs() < f32::EPSILON {
            return sound;
        }
        let louder = sound
            .samples()
            .iter()
            .map(|sample| (sample * gain).clamp(-1.0, 1.0));
        let louder: Vec<f32> = louder.collect();
        AudioFrame::new(sound.time(), sound.channels(), louder).unwrap_or(sound)
    }
}

#[cfg(test)]
mod tests {
    use parvis_codec::Channels;
    use parvis_format::MediaTime;

    use super::*;

    #[test]
    fn sound_is_as_loud_as_it_was_asked_for() {
        let (loud, muted) = (
            ParticipantId::new("pa").unwrap(),
            ParticipantId::new("pb").unwrap(),
        );
        let volume = |gain, muted| Volume { gain, muted };
        let volumes = Volumes(BTreeMap::from([
            (loud.clone(), volume(2.0, false)),
            (muted.clone(), volume(2.0, true)),
        ]));
        let sound = AudioFrame::new(MediaTime::ZERO, Channels::Mono, [0.25, -0.75]).unwrap();
        let samples = |who| volumes.apply(who, sound.clone()).samples().to_vec();
        assert_eq!(samples(&loud), [0.5, -1.0]);
        assert_eq!(samples(&muted), [0.0, -0.0]);
        assert_eq!(samples(&ParticipantId::new("pc").unwrap()), [0.25, -0.75]);
    }
}
