use std::time::Duration;

/// How long it takes until a track that does not come is asked for again: less and less often, so that a
/// relay with no place for more is not asked all the time.
#[derive(Debug, Default)]
pub(super) struct AskingAgain {
    refusals: u32,
}

const FIRST: Duration = Duration::from_millis(250);

impl AskingAgain {
    /// After a refusal. longest: sound is asked for more often than pictures, and gets the place that is free.
    pub(super) fn pause(&mut self, longest: Duration) -> Duration {
        let pause = FIRST * (1 << self.refusals.min(16));
        self.refusals += 1;
        pause.min(longest)
    }

    /// It has come.
    pub(super) const fn done(&mut self) {
        self.refusals = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_refused_asks_less_and_less_often() {
        let mut asking = AskingAgain::default();
        let longest = Duration::from_secs(1);
        let pauses = [0; 4].map(|_| asking.pause(longest).as_millis());
        assert_eq!(pauses, [250, 500, 1000, 1000]);
        asking.done();
        assert_eq!(asking.pause(longest), FIRST);
    }
}
