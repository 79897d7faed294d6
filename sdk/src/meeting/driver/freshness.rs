use std::time::{Duration, Instant};

use parvis_meeting::{Revision, SessionId};

/// Says when the state has to be read anew, because something of it was missed.
#[derive(Debug, Default)]
pub(super) struct Freshness {
    /// What there is to know beyond what is known, and until when it may come by itself.
    behind: Option<Behind>,
    /// When the state was read anew last.
    read: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Behind {
    /// `None`: it is not known how far the state is, and it does not come by itself.
    newest: Option<Known>,
    due: Instant,
}

/// The session and the revision of a state.
type Known = (SessionId, Revision);

/// How much later a change may come than the word of it, and how often the state is read anew at most.
const PATIENCE: Duration = Duration::from_secs(1);

impl Freshness {
    /// The authority says how far the state is.
    pub(super) fn told(&mut self, known: Option<Known>, newest: Known, now: Instant) {
        if known < Some(newest) {
            self.fall_behind(Some(newest), now + PATIENCE);
        }
    }

    /// A change came that does not follow what is known.
    pub(super) fn missed(&mut self, now: Instant) {
        let again = self.read.map(|read| read + PATIENCE);
        self.fall_behind(None, again.map_or(now, |again| again.max(now)));
    }

    fn fall_behind(&mut self, newest: Option<Known>, due: Instant) {
        self.behind.get_or_insert(Behind { newest, due });
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.behind.map(|behind| behind.due)
    }

    /// Whether the state is to be read anew now.
    pub(super) fn handle_timeout(&mut self, known: Option<Known>, now: Instant) -> bool {
        let Some(behind) = self.behind.take_if(|behind| behind.due <= now) else {
            return false;
        };
        let is_due = behind.newest.is_none_or(|newest| known < Some(newest));
        if is_due {
            self.read = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(revision: u64) -> Known {
        (SessionId(7), Revision(revision))
    }

    #[test]
    fn whoever_stays_behind_what_the_authority_says_reads_anew() {
        let now = Instant::now();
        let mut freshness = Freshness::default();
        freshness.told(Some(at(3)), at(3), now);
        assert_eq!(freshness.poll_timeout(), None);
        // It may be on its way.
        freshness.told(Some(at(3)), at(4), now);
        assert_eq!(freshness.poll_timeout(), Some(now + PATIENCE));
        assert!(!freshness.handle_timeout(Some(at(3)), now));
        assert!(!freshness.handle_timeout(Some(at(4)), now + PATIENCE));
        assert_eq!(freshness.poll_timeout(), None);
        freshness.told(Some(at(4)), at(5), now);
        assert!(freshness.handle_timeout(Some(at(4)), now + PATIENCE));
        // Another session, or none that is known.
        freshness.told(Some(at(9)), (SessionId(8), Revision(1)), now);
        assert!(freshness.handle_timeout(Some(at(9)), now + PATIENCE));
        freshness.told(None, at(1), now);
        assert!(freshness.handle_timeout(None, now + PATIENCE));
    }

    #[test]
    fn what_was_missed_is_read_at_once_and_not_again_and_again() {
        let now = Instant::now();
        let mut freshness = Freshness::default();
        freshness.missed(now);
        assert!(freshness.handle_timeout(Some(at(3)), now));
        freshness.missed(now);
        assert!(!freshness.handle_timeout(Some(at(3)), now));
        assert_eq!(freshness.poll_timeout(), Some(now + PATIENCE));
        assert!(freshness.handle_timeout(Some(at(3)), now + PATIENCE));
    }
}
