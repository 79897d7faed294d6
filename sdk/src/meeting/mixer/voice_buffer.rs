use std::collections::VecDeque;

use parvis_codec::{AudioFrame, Channels};

/// What waits of a voice to be heard. Pure: its clock are the samples that are pulled.
///
/// It begins when so much waits as jitter needs. When it runs dry it waits for that again, and for
/// 20 ms more if the network was the reason; each 10 s without that it tries 10 ms less.
#[derive(Debug)]
pub(super) struct VoiceBuffer {
    channels: Channels,
    samples: VecDeque<f32>,
    /// Samples a channel that wait before it begins.
    target: usize,
    filling: bool,
    /// Samples a channel that were pulled while it was filling.
    silent: usize,
    /// Samples a channel that were heard since it last ran dry.
    calm: usize,
    /// Samples a channel during which more waited than is needed.
    surplus: usize,
    gain: f32,
}

const MS: usize = 48;
const LEAST: usize = 40 * MS;
const MOST: usize = 160 * MS;
const MORE: usize = 20 * MS;
const LESS: usize = 10 * MS;
/// What waits at most; beyond, the oldest is dropped down to the target.
const CAPACITY: usize = 400 * MS;
/// A longer silence is a pause of the speaker's, not of the network's.
const PAUSE: usize = 1000 * MS;
const CALM: usize = 10_000 * MS;
/// So much more than the target may wait for long.
const SPARE: usize = 40 * MS;
/// After so long it is less by [`CUT`].
const LONG: usize = 1000 * MS;
const CUT: usize = 10 * MS;
const FADE: usize = 2 * MS;

impl VoiceBuffer {
    pub(super) const fn new(channels: Channels) -> Self {
        Self {
            channels,
            samples: VecDeque::new(),
            target: LEAST,
            filling: true,
            silent: PAUSE,
            calm: 0,
            surplus: 0,
            gain: 0.0,
        }
    }

    /// Takes sound, in either number of channels; returns how many samples a channel it dropped.
    pub(super) fn push(&mut self, sound: &AudioFrame) -> usize {
        match (sound.channels(), self.channels) {
            (Channels::Mono, Channels::Stereo) => {
                let both = sound.samples().iter().flat_map(|sample| [*sample; 2]);
                self.samples.extend(both);
            }
            (Channels::Stereo, Channels::Mono) => {
                let mean = sound
                    .samples()
                    .chunks_exact(2)
                    .map(|s| f32::midpoint(s[0], s[1]));
                self.samples.extend(mean);
            }
            _ => self.samples.extend(sound.samples()),
        }
        let waiting = self.waiting();
        if waiting <= CAPACITY {
            return 0;
        }
        let dropped = waiting - self.target;
        self.samples.drain(..dropped * self.channels.count());
        dropped
    }

    /// Adds what is heard next, at that volume.
    pub(super) fn mix_into(&mut self, out: &mut [f32], gain: f32) {
        let channels = self.channels.count();
        let wanted = out.len() / channels;
        if self.filling && !self.begin(wanted) {
            return;
        }
        let heard = wanted.min(self.waiting());
        let dry = heard < wanted;
        let step = (gain - self.gain) / wanted.max(1) as f32;
        for (index, frame) in out.chunks_exact_mut(channels).take(heard).enumerate() {
            let mut gain = self.gain + step * index as f32;
            if dry {
                gain *= (heard - index).min(FADE) as f32 / FADE as f32;
            }
            for sample in frame {
                *sample += gain * self.samples.pop_front().unwrap_or_default();
            }
        }
        self.gain = gain;
        if dry {
            (self.filling, self.silent) = (true, wanted - heard);
            (self.calm, self.surplus) = (0, 0);
            return;
        }
        self.calm += wanted;
        if self.calm >= CALM {
            self.calm = 0;
            self.target = self.target.saturating_sub(LESS).max(LEAST);
        }
        self.shorten(wanted);
    }

    /// Samples a channel that wait.
    fn waiting(&self) -> usize {
        self.samples.len() / self.channels.count()
    }

    /// Whether enough waits to be heard.
    fn begin(&mut self, wanted: usize) -> bool {
        let by_network = self.silent < PAUSE;
        let target = if by_network {
            (self.target + MORE).min(MOST)
        } else {
            self.target
        };
        if self.waiting() < target {
            self.silent = self.silent.saturating_add(wanted);
            return false;
        }
        self.target = target;
        self.filling = false;
        // It fades in.
        self.gain = 0.0;
        true
    }

    /// Leaves out 10 ms of what piles up, by fading over it.
    fn shorten(&mut self, heard: usize) {
        if self.waiting() < self.target + SPARE {
            self.surplus = 0;
            return;
        }
        self.surplus += heard;
        if self.surplus < LONG {
            return;
        }
        self.surplus = 0;
        let cut = CUT * self.channels.count();
        for index in 0..cut {
            let share = index as f32 / cut as f32;
            let (before, after) = (self.samples[index], self.samples[index + cut]);
            self.samples[index + cut] = before * (1.0 - share) + after * share;
        }
        self.samples.drain(..cut);
    }
}

#[cfg(test)]
mod tests;
