use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use parvis_format::AudioLevel;
use parvis_meeting::ParticipantId;

/// Who speaks, from the levels beside frames of sound.
#[derive(Debug, Default)]
pub(super) struct Speakers {
    levels: BTreeMap<ParticipantId, Voice>,
    told: Vec<ParticipantId>,
}

#[derive(Debug)]
struct Voice {
    /// A mean that follows the level within some frames, in dB below the loudest.
    quiet: f32,
    /// Since when it is on the other side than what was told.
    turned: Option<Instant>,
    heard: Instant,
    speaks: bool,
}

/// So loud is speech at least: dB below the loudest.
const SPEECH: f32 = 50.0;
/// How long somebody speaks before it is told, and is silent before that is.
const HYSTERESIS: Duration = Duration::from_millis(300);
/// How much a new level counts.
const WEIGHT: f32 = 0.3;
/// Of whom nothing comes for so long is silent.
const SILENT: Duration = Duration::from_millis(600);

impl Speakers {
    /// Takes the level of a frame.
    pub(super) fn heard(&mut self, who: &ParticipantId, level: AudioLevel, now: Instant) {
        let quiet = f32::from(level.below_full_scale);
        let voice = self.levels.entry(who.clone()).or_insert(Voice {
            quiet,
            turned: None,
            heard: now,
            speaks: false,
        });
        voice.quiet += WEIGHT * (quiet - voice.quiet);
        voice.heard = now;
        voice.turn(now);
    }

    pub(super) fn left(&mut self, who: &ParticipantId) {
        self.levels.remove(who);
    }

    /// Who speaks now, the loudest first, if they are others than were told.
    pub(super) fn changed(&mut self, now: Instant) -> Option<Vec<ParticipantId>> {
        for voice in self.levels.values_mut() {
            if now.saturating_duration_since(voice.heard) > SILENT {
                voice.quiet = 127.0;
            }
            voice.turn(now);
        }
        let mut speaking: Vec<(&ParticipantId, f32)> = self
            .levels
            .iter()
            .filter(|(_, voice)| voice.speaks)
            .map(|(who, voice)| (who, voice.quiet))
            .collect();
        speaking.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut set: Vec<&ParticipantId> = speaking.iter().map(|(who, _)| *who).collect();
        let mut before: Vec<&ParticipantId> = self.told.iter().collect();
        set.sort_unstable();
        before.sort_unstable();
        if set == before {
            return None;
        }
        let list: Vec<ParticipantId> = speaking.iter().map(|(who, _)| (*who).clone()).collect();
        self.told.clone_from(&list);
        Some(list)
    }
}

impl Voice {
    fn turn(&mut self, now: Instant) {
        let loud = self.quiet < SPEECH;
        if loud == self.speaks {
            self.turned = None;
            return;
        }
        let since = *self.turned.get_or_insert(now);
        if now.saturating_duration_since(since) >= HYSTERESIS {
            self.speaks = loud;
            self.turned = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(20);

    fn who(id: &str) -> ParticipantId {
        ParticipantId::new(id).unwrap()
    }

    fn talk(
        speakers: &mut Speakers,
        id: &str,
        level: u8,
        frames: u32,
        now: &mut Instant,
    ) -> Vec<Vec<ParticipantId>> {
        let mut told = Vec::new();
        for _ in 0..frames {
            *now += FRAME;
            speakers.heard(
                &who(id),
                AudioLevel {
                    voice: level < 50,
                    below_full_scale: level,
                },
                *now,
            );
            told.extend(speakers.changed(*now));
        }
        told
    }

    #[test]
    fn somebody_speaks_after_300_ms_of_speech_and_not_after_a_click() {
        let mut speakers = Speakers::default();
        let mut now = Instant::now();
        assert!(talk(&mut speakers, "pa", 100, 10, &mut now).is_empty());
        assert!(talk(&mut speakers, "pa", 20, 10, &mut now).is_empty());
        assert!(talk(&mut speakers, "pa", 100, 20, &mut now).is_empty());
        assert_eq!(
            talk(&mut speakers, "pa", 20, 25, &mut now),
            [vec![who("pa")]]
        );
        // A breath is no silence.
        assert!(talk(&mut speakers, "pa", 100, 8, &mut now).is_empty());
        assert!(talk(&mut speakers, "pa", 20, 8, &mut now).is_empty());
        assert_eq!(talk(&mut speakers, "pa", 100, 40, &mut now), [vec![]]);
    }

    #[test]
    fn who_is_heard_no_more_is_silent() {
        let mut speakers = Speakers::default();
        let mut now = Instant::now();
        talk(&mut speakers, "pa", 20, 30, &mut now);
        assert_eq!(speakers.changed(now + SILENT), None);
        let later = now + SILENT + FRAME;
        assert_eq!(speakers.changed(later), None);
        assert_eq!(speakers.changed(later + HYSTERESIS), Some(vec![]));
    }
}
