use std::collections::BTreeSet;

use parvis_meeting::{ParticipantId, Source};

use super::{Meeting, Receive, StepDown};

/// What this participant wants of all pictures, and what the network allows.
#[derive(Debug, Clone, Default)]
pub(super) struct Wishes {
    pub receive: Receive,
    pub step_down: StepDown,
    pinned: BTreeSet<ParticipantId>,
}

/// The least lines of somebody who is pinned, where there is such a layer.
const FLOOR: u32 = 360;
/// The subscriber priority of pictures; smaller numbers go first.
const USUAL: u8 = 128;
/// Before all other pictures, after sound.
const PINNED: u8 = 64;

impl Meeting {
    /// Pins somebody, such as a sign-language interpreter, or no longer: the relay sends their
    /// pictures before all others, they have at least 360 lines, and are not given up when the network
    /// is short. What is not visible, or [`Receive::AudioOnly`], still stops them.
    pub fn set_pinned(&self, who: &ParticipantId, pinned: bool) {
        self.shared.wishes.send_modify(|wishes| {
            if pinned {
                wishes.pinned.insert(who.clone());
            } else {
                wishes.pinned.remove(who);
            }
        });
    }

    /// Who is pinned.
    pub fn pinned(&self) -> Vec<ParticipantId> {
        self.shared.wishes.borrow().pinned.iter().cloned().collect()
    }
}

impl Wishes {
    /// How much is received of somebody's source, and the least lines that it has.
    pub(super) fn of(&self, who: &ParticipantId, source: Source) -> (Receive, Option<u32>) {
        if self.pinned.contains(who) {
            return (self.receive, Some(FLOOR));
        }
        let allowed = match (source, self.step_down) {
            (Source::Camera, StepDown::Nothing) | (Source::Screen | Source::Microphone, _) => {
                Receive::All
            }
            (Source::Camera, StepDown::OthersSmall) => Receive::Less,
            (Source::Camera, _) => Receive::AudioOnly,
        };
        (self.receive.max(allowed), None)
    }

    /// The subscriber priority of somebody's pictures.
    pub(super) fn priority(&self, who: &ParticipantId) -> u8 {
        if self.pinned.contains(who) {
            PINNED
        } else {
            USUAL
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_and_oneself_both_set_how_much_is_received() {
        let who = ParticipantId::new("pa").unwrap();
        let of = |receive, step_down, source| {
            let wishes = Wishes {
                receive,
                step_down,
                ..Wishes::default()
            };
            wishes.of(&who, source).0
        };
        let camera = |receive, step_down| of(receive, step_down, Source::Camera);
        assert_eq!(camera(Receive::All, StepDown::Nothing), Receive::All);
        assert_eq!(camera(Receive::Less, StepDown::Nothing), Receive::Less);
        assert_eq!(camera(Receive::All, StepDown::OthersSmall), Receive::Less);
        let stopped = [StepDown::OthersStopped, StepDown::OwnCameraSmall];
        for level in stopped {
            assert_eq!(camera(Receive::Less, level), Receive::AudioOnly);
            assert_eq!(of(Receive::All, level, Source::Screen), Receive::All);
        }
        let own = of(Receive::AudioOnly, StepDown::Nothing, Source::Screen);
        assert_eq!(own, Receive::AudioOnly);
    }

    #[test]
    fn who_is_pinned_goes_first_keeps_a_floor_and_is_not_given_up() {
        let (pinned, other) = (
            ParticipantId::new("pa").unwrap(),
            ParticipantId::new("pb").unwrap(),
        );
        let wishes = Wishes {
            step_down: StepDown::OwnCameraSmall,
            pinned: BTreeSet::from([pinned.clone()]),
            ..Wishes::default()
        };
        let of_pinned = wishes.of(&pinned, Source::Camera);
        assert_eq!(of_pinned, (Receive::All, Some(FLOOR)));
        assert!(wishes.priority(&pinned) < wishes.priority(&other));
    }
}
