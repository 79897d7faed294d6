//! Meetings for tests.

use parvis::meeting::{
    ConnectionQuality, MediaState, MeetingState, Participant, ParticipantId, PerSource, Phase,
    Policy, Role, StepDown, View,
};
use parvis_meeting::{Change, Delta, HandSeq, Revision, SessionId, UnixMillis};

pub fn id(text: &str) -> ParticipantId {
    ParticipantId::new(text).unwrap()
}

pub fn person(id_of: &str, name: &str) -> Participant {
    Participant {
        id: id(id_of),
        name: name.to_owned(),
        verified: true,
        signed_in: true,
        role: Role::Guest,
        service: None,
        joined: UnixMillis(1),
        hand: None,
        media: PerSource::default(),
        quality: ConnectionQuality::Good,
    }
}

pub fn meeting(people: Vec<Participant>) -> MeetingState {
    let mut view = View::empty(SessionId(1), Policy::default());
    for (at, participant) in people.into_iter().enumerate() {
        let delta = Delta {
            revision: Revision(at as u64 + 1),
            change: Change::Joined { participant },
        };
        view.apply(delta.into()).unwrap();
    }
    MeetingState {
        phase: Phase::Connected,
        code: "abc-defg-hij".parse().unwrap(),
        me: id("pzoe"),
        view: Some(view),
        lobby: Vec::new(),
        speakers: Vec::new(),
        quality: ConnectionQuality::Excellent,
        step_down: StepDown::Nothing,
    }
}

pub fn people() -> Vec<Participant> {
    let media = |microphone, screen| PerSource {
        microphone,
        camera: MediaState::Off,
        screen,
    };
    vec![
        Participant {
            role: Role::Owner,
            media: media(MediaState::On, MediaState::Off),
            ..person("pzoe", "Zoé")
        },
        Participant {
            media: media(MediaState::On, MediaState::On),
            ..person("palice", "Alice")
        },
        Participant {
            hand: Some(HandSeq(7)),
            verified: false,
            signed_in: false,
            media: media(MediaState::Muted, MediaState::Off),
            quality: ConnectionQuality::Poor,
            ..person("pgil", "Gil")
        },
    ]
}
