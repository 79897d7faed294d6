use parvis_meeting::{
    CaptureFailure, CaptureId, CaptureKind, CaptureOrder, CaptureStatus, Command, ErrorKind, Input,
    Language, Notice, Output, Policy, Progress, Settings,
};

use crate::support::{Meeting, agent, id, recorder, seconds};

fn orders(meeting: &Meeting) -> Vec<CaptureOrder> {
    let orders = meeting.outputs.iter().filter_map(|output| match output {
        Output::Capture(order) => Some(order.clone()),
        _ => None,
    });
    orders.collect()
}

fn progress(id: CaptureId, status: CaptureStatus) -> Progress {
    Progress {
        kind: CaptureKind::Recording,
        id,
        status,
        failure: None,
    }
}

fn status(meeting: &Meeting) -> Option<CaptureStatus> {
    meeting.view().recording().map(|capture| capture.status)
}

#[test]
fn a_recording_goes_through_its_states_for_everybody_to_see() {
    let mut meeting = Meeting::running();
    meeting.enter("rec", recorder());
    let id = meeting
        .done("zoe", Command::StartRecording)
        .capture
        .unwrap();
    assert_eq!(status(&meeting), Some(CaptureStatus::Starting));
    let [
        CaptureOrder::Start {
            kind, id: ordered, ..
        },
    ] = orders(&meeting)[..]
    else {
        panic!("one order");
    };
    assert_eq!((kind, ordered), (CaptureKind::Recording, id));
    let says = |status| Command::Progress {
        progress: progress(id, status),
    };
    assert_eq!(
        meeting.refused("zoe", says(CaptureStatus::Active)),
        ErrorKind::Forbidden
    );
    assert_eq!(
        meeting.refused("rec", says(CaptureStatus::Saved)),
        ErrorKind::NotRecording
    );
    meeting.done("rec", says(CaptureStatus::Active));
    assert_eq!(
        meeting.refused("zoe", Command::StartRecording),
        ErrorKind::AlreadyRecording
    );
    meeting.done("zoe", Command::StopRecording);
    assert_eq!(status(&meeting), Some(CaptureStatus::Stopping));
    let kind = CaptureKind::Recording;
    assert_eq!(orders(&meeting)[1..], [CaptureOrder::Stop { kind, id }]);
    assert_eq!(
        meeting.refused("zoe", Command::StartRecording),
        ErrorKind::AlreadyRecording
    );
    meeting.done("rec", says(CaptureStatus::Saved));
    assert_eq!(
        meeting.refused("zoe", Command::StopRecording),
        ErrorKind::NotRecording
    );
    let other = meeting
        .done("zoe", Command::StartRecording)
        .capture
        .unwrap();
    assert!(other > id);
    assert_eq!(
        meeting.refused("rec", says(CaptureStatus::Notified)),
        ErrorKind::NotRecording
    );
    assert_eq!(status(&meeting), Some(CaptureStatus::Starting));
}

#[test]
fn a_recording_that_cannot_start_says_why() {
    let mut meeting = Meeting::running();
    let id = meeting
        .done("zoe", Command::StartRecording)
        .capture
        .unwrap();
    let failure = Some(CaptureFailure::ServiceUnavailable);
    meeting.input(Input::Progress {
        progress: Progress {
            failure,
            ..progress(id, CaptureStatus::FailedToStart)
        },
    });
    let recording = meeting.view().recording().unwrap();
    assert_eq!(
        (recording.status, recording.failure),
        (CaptureStatus::FailedToStart, failure)
    );
    meeting.done("zoe", Command::StartRecording);
}

#[test]
fn others_ask_the_hosts_once_in_five_seconds() {
    let mut meeting = Meeting::running();
    meeting.enter("ann", agent("ann"));
    meeting.enter("adam", agent("adam"));
    assert_eq!(
        meeting.refused("ann", Command::StartRecording),
        ErrorKind::Forbidden
    );
    meeting.forget();
    meeting.done("ann", Command::RequestRecording);
    let (kind, by) = (CaptureKind::Recording, id("ann"));
    for host in ["zoe", "adam"] {
        let by = by.clone();
        assert_eq!(
            meeting.notices(host),
            [Notice::CaptureRequested { kind, by }]
        );
    }
    let refusal = meeting.ask("ann", Command::RequestRecording).unwrap_err();
    assert_eq!(
        (refusal.error, refusal.retry_after_ms),
        (ErrorKind::RateLimited, Some(5000))
    );
    meeting.done("ann", Command::RequestTranscription);
    meeting.pass(seconds(5));
    meeting.done("ann", Command::RequestRecording);
    meeting.done("zoe", Command::StartRecording);
    meeting.pass(seconds(5));
    assert_eq!(
        meeting.refused("ann", Command::RequestRecording),
        ErrorKind::AlreadyRecording
    );
}

#[test]
fn a_transcription_is_french_and_records_if_asked() {
    let mut meeting = Meeting::running();
    meeting.done(
        "zoe",
        Command::StartTranscription {
            language: Language::default(),
            record: true,
        },
    );
    let transcription = meeting.view().transcription().unwrap();
    assert_eq!(transcription.language, Some(Language::Fr));
    assert_eq!(status(&meeting), Some(CaptureStatus::Starting));
    assert_eq!(orders(&meeting).len(), 2);
    let again = Command::StartTranscription {
        language: Language::En,
        record: false,
    };
    assert_eq!(meeting.refused("zoe", again), ErrorKind::AlreadyRecording);
    meeting.done("zoe", Command::StopTranscription);
    assert_eq!(status(&meeting), Some(CaptureStatus::Starting));
}

#[test]
fn an_encrypted_room_is_not_recorded_without_a_key() {
    let policy = Policy {
        encrypted: true,
        ..Policy::default()
    };
    let mut meeting = Meeting::with(policy, Settings::default());
    meeting.enter("zoe", agent("zoe"));
    assert_eq!(
        meeting.refused("zoe", Command::StartRecording),
        ErrorKind::NeedsKey
    );
}

#[test]
fn the_end_of_a_session_stops_its_recording() {
    let mut meeting = Meeting::running();
    let id = meeting
        .done("zoe", Command::StartRecording)
        .capture
        .unwrap();
    meeting.done("zoe", Command::Leave);
    let kind = CaptureKind::Recording;
    assert_eq!(orders(&meeting)[1..], [CaptureOrder::Stop { kind, id }]);
}
