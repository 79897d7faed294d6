//! What is given up when the network is short. Pure: the time is an argument.

use std::time::{Duration, Instant};

/// What is given up when the network is short: each level gives up what those before it do.
/// Sound stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum StepDown {
    /// Nothing.
    #[default]
    Nothing,
    /// Others' cameras come in their smallest layer.
    OthersSmall,
    /// Others' cameras do not come.
    OthersStopped,
    /// One's own screen is sent at 5 pictures a second.
    ScreenSlow,
    /// One's own camera takes half of its bitrate, at half of its pictures a second.
    OwnCameraSmall,
}

/// What was measured since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Measured {
    /// The share of packets sent that were lost; `None`: too few were sent.
    pub loss: Option<f64>,
    /// The round-trip time beyond the least that was seen.
    pub queueing: Duration,
    /// How much later than at best the frames came that were received, on average; `None`: none
    /// came.
    pub lateness: Option<Duration>,
    /// The share of groups of frames that did not come whole; `None`: none came.
    pub broken: Option<f64>,
    /// How long the oldest frame has been waiting to be sent.
    pub unsent: Duration,
}

/// Goes down when the network is short, in steps, and comes back slowly.
#[derive(Debug)]
pub(super) struct Controller {
    level: StepDown,
    /// Since when it is short.
    short: Option<Instant>,
    /// Since when all is well.
    clear: Option<Instant>,
    /// When the level last changed, and whether it was upwards.
    changed: Option<(Instant, bool)>,
    /// How long all must be well before a step back.
    patience: Duration,
}

/// What a network is short by, or clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Clear,
    /// Not well enough to ask more of it.
    Full,
    Short,
}

/// So long it is short before the first step.
const SHORT: Duration = Duration::from_secs(1);
/// So long a step has to show effect before the next one.
const EFFECT: Duration = Duration::from_secs(2);
/// So long all is well before a step back, at first.
const PATIENCE: Duration = Duration::from_secs(5);
/// At most: each step back that was too much doubles it.
const MOST_PATIENCE: Duration = Duration::from_mins(1);
/// A step back after which it is short so soon was too much.
const TOO_SOON: Duration = Duration::from_secs(15);

impl StepDown {
    const LADDER: [Self; 5] = [
        Self::Nothing,
        Self::OthersSmall,
        Self::OthersStopped,
        Self::ScreenSlow,
        Self::OwnCameraSmall,
    ];

    fn down(self) -> Option<Self> {
        Self::LADDER.into_iter().find(|level| *level > self)
    }

    fn up(self) -> Option<Self> {
        Self::LADDER.into_iter().rev().find(|level| *level < self)
    }
}

impl Default for Controller {
    fn default() -> Self {
        Self {
            level: StepDown::Nothing,
            short: None,
            clear: None,
            changed: None,
            patience: PATIENCE,
        }
    }
}

impl Controller {
    /// Takes what was measured; returns the level if it is another.
    pub(super) fn handle(&mut self, measured: &Measured, now: Instant) -> Option<StepDown> {
        match measured.condition() {
            Condition::Short => {
                self.clear = None;
                let since = *self.short.get_or_insert(now);
                let effect = self.changed.is_some_and(|(at, upwards)| {
                    !upwards && now.saturating_duration_since(at) < EFFECT
                });
                if now.saturating_duration_since(since) < SHORT || effect {
                    return None;
                }
                Some(self.change(self.level.down()?, now))
            }
            Condition::Full => {
                (self.short, self.clear) = (None, None);
                None
            }
            Condition::Clear => {
                self.short = None;
                let since = *self.clear.get_or_insert(now);
                if now.saturating_duration_since(since) < self.patience {
                    return None;
                }
                let Some(up) = self.level.up() else {
                    self.patience = PATIENCE;
                    return None;
                };
                self.clear = Some(now);
                Some(self.change(up, now))
            }
        }
    }

    /// The connection is another one: what was measured of the old one says nothing of it.
    pub(super) fn reset(&mut self) {
        (self.short, self.clear) = (None, None);
    }

    fn change(&mut self, level: StepDown, now: Instant) -> StepDown {
        let upwards = level < self.level;
        if let Some((at, true)) = self.changed
            && !upwards
            && now.saturating_duration_since(at) < TOO_SOON
        {
            self.patience = (self.patience * 2).min(MOST_PATIENCE);
        }
        self.changed = Some((now, upwards));
        self.level = level;
        level
    }
}

impl Measured {
    fn condition(&self) -> Condition {
        let lateness = self.lateness.unwrap_or_default();
        let (loss, broken) = (self.loss.unwrap_or(0.0), self.broken.unwrap_or(0.0));
        let millis = Duration::from_millis;
        if loss > 0.10
            || broken > 0.25
            || self.queueing > millis(400)
            || lateness > millis(400)
            || self.unsent > millis(400)
        {
            Condition::Short
        } else if loss > 0.03
            || broken > 0.05
            || self.queueing > millis(150)
            || lateness > millis(150)
            || self.unsent > millis(150)
        {
            Condition::Full
        } else {
            Condition::Clear
        }
    }
}

#[cfg(test)]
mod tests;
