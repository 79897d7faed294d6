use std::collections::BTreeSet;

use parvis_meeting::{ParticipantId, Source};

use super::{Meeting, Receive};

/// What this participant wants of all pictures.
#[derive(Debug, Clone, Default)]
pub(super) struct Wishes {
    pub receive: Receive,
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
    /// pictures before all others, and they have at least 360 lines. What is not visible, or [`Receive::AudioOnly`], still stops them.
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
    pub(super) fn of(&self, who: &ParticipantId, _source: Source) -> (Receive, Option<u32>) {
        if self.pinned.contains(who) {
            return (self.receive, Some(FLOOR));
        }
        (self.receive, None)
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
    fn who_is_pinned_goes_first_keeps_a_floor_and_is_not_given_up() {
        let (pinned, other) = (
            ParticipantId::new("pa").unwrap(),
            ParticipantId::new("pb").unwrap(),
        );
        let wishes = Wishes {
            receive: Receive::Less,
            pinned: BTreeSet::from([pinned.clone()]),
            ..Wishes::default()
        };
        let of_pinned = wishes.of(&pinned, Source::Camera);
        assert_eq!(of_pinned, (Receive::Less, Some(FLOOR)));
        assert!(wishes.priority(&pinned) < wishes.priority(&other));
    }
}
