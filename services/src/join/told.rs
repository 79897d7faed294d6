use std::{collections::BTreeMap, time::Duration};

use parvis::meeting::{
    ChatMessage, ConnectionQuality, DisconnectReason, Done, LeaveReason, Lobby, MediaState,
    MeetingData, MeetingEvent, Participant, ParticipantId, PerSource, Phase, PrivateMessage, Role,
    Source,
};
use serde::Serialize;
use serde_json::{Value, json};

/// Something that happened, for people and for scripts.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What scripts call it.
    pub event: &'static str,
    /// The line for people.
    pub text: String,
    /// What scripts are told.
    pub fields: Value,
}

/// The names of everybody who is or was in.
pub type Names = BTreeMap<ParticipantId, String>;

/// A name without what a terminal would obey.
pub fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// What is said of an event; `None`: nothing.
///
/// me: who is told, if that is known.
pub fn tell(event: &MeetingEvent, names: &Names, me: Option<&ParticipantId>) -> Option<Told> {
    let name = |id: &ParticipantId| {
        names
            .get(id)
            .map_or_else(|| id.to_string(), |name| plain(name))
    };
    let told = |event, text: String, fields: Value| {
        Some(Told {
            event,
            text,
            fields,
        })
    };
    match event {
        MeetingEvent::Phase(phase) => told("phase", describe_phase(phase), phase_fields(phase)),
        MeetingEvent::Joined(who) => told(
            "joined",
            format!("{} is in{}", plain(&who.name), remarks(who)),
            fields(who),
        ),
        MeetingEvent::Left {
            participant,
            reason,
        } => {
            let why = match reason {
                LeaveReason::Left | LeaveReason::Unknown => "has left",
                LeaveReason::Lost => "lost the connection",
                LeaveReason::Removed => "was removed",
            };
            told(
                "left",
                format!("{} {why}", name(participant)),
                json!({ "participant": participant, "name": name(participant), "reason": reason }),
            )
        }
        MeetingEvent::Changed(who) => told(
            "changed",
            format!(
                "{}{}: {}",
                plain(&who.name),
                remarks(who),
                describe_media(who)
            ),
            fields(who),
        ),
        MeetingEvent::Hands(hands) => {
            let raised: Vec<String> = hands.iter().map(name).collect();
            let text = if raised.is_empty() {
                "No hand is up".to_owned()
            } else {
                format!("Hands: {}", numbered(&raised))
            };
            told(
                "hands",
                text,
                json!({ "participants": hands, "names": raised }),
            )
        }
        MeetingEvent::Reaction { participant, emoji } => told(
            "reaction",
            format!("{} {}", name(participant), emoji.sign()),
            json!({ "participant": participant, "name": name(participant), "emoji": emoji }),
        ),
        MeetingEvent::Reactions(counts) => {
            let each = counts
                .iter()
                .map(|(emoji, n)| format!("{} {n}", emoji.sign()));
            let text = each.collect::<Vec<_>>().join("  ");
            told("reactions", text, json!({ "counts": counts }))
        }
        MeetingEvent::Chat(message) => told("chat", chat_line(message), fields(message)),
        MeetingEvent::PrivateMessage(message) => {
            told("private-message", private_line(message), fields(message))
        }
        MeetingEvent::HistoryGap(gap) => told(
            "history-gap",
            format!("Messages {} to {} are gone", gap.from.0, gap.to.0),
            fields(gap),
        ),
        MeetingEvent::ChatFailed { client_id, error } => told(
            "chat-failed",
            format!("Your message failed: {error:?}: {error}"),
            json!({ "client_id": client_id, "error": error }),
        ),
        MeetingEvent::Lobby(waiters) => {
            let waiting: Vec<String> = waiters.iter().map(|w| plain(&w.name)).collect();
            let text = if waiting.is_empty() {
                "Nobody waits in the lobby".to_owned()
            } else {
                format!("In the lobby: {}", numbered(&waiting))
            };
            told("lobby", text, json!({ "waiters": waiters }))
        }
        MeetingEvent::Muted { source, by } if Some(by) == me => told(
            "muted",
            format!("Your {} is off: only hosts may use one", source.name()),
            json!({ "source": source, "forbidden": true }),
        ),
        MeetingEvent::Muted { source, by } => told(
            "muted",
            format!("{} stopped your {}", name(by), source.name()),
            json!({ "source": source, "by": by, "name": name(by) }),
        ),
        MeetingEvent::CaptureRequested { kind, by } => told(
            "capture-requested",
            format!("{} asks for a {kind:?}", name(by)).to_lowercase(),
            json!({ "kind": kind, "by": by, "name": name(by) }),
        ),
        MeetingEvent::Capture(capture) => told(
            "capture",
            format!(
                "{}: {:?}",
                match capture.language {
                    Some(_) => "Transcription",
                    None => "Recording",
                },
                capture.status
            ),
            fields(capture),
        ),
        MeetingEvent::Policy(policy) => told(
            "policy",
            format!(
                "Access {:?}, guests wait for a host: {}, history {:?}; {}",
                policy.access,
                yes(policy.host_gate),
                policy.history,
                describe_retention(policy.chat_is_kept())
            ),
            fields(policy),
        ),
        MeetingEvent::Locked(locked) => told(
            "locked",
            if *locked {
                "The room is locked"
            } else {
                "The room is open"
            }
            .to_owned(),
            json!({ "locked": locked }),
        ),
        MeetingEvent::Forbidden(forbidden) => told(
            "forbidden",
            format!("Only hosts may use: {}", forbidden_sources(*forbidden)),
            fields(forbidden),
        ),
        MeetingEvent::Speakers(speakers) => {
            let speaking: Vec<String> = speakers.iter().map(name).collect();
            let text = if speaking.is_empty() {
                "Nobody speaks".to_owned()
            } else {
                format!("Speaking: {}", speaking.join(", "))
            };
            told(
                "speakers",
                text,
                json!({ "participants": speakers, "names": speaking }),
            )
        }
        MeetingEvent::SuggestLowerHand => told(
            "suggest-lower-hand",
            "You speak with the hand up: lower it?".to_owned(),
            json!({}),
        ),
        MeetingEvent::Quality(quality) => told(
            "quality",
            format!("Your connection is {}", describe_quality(*quality)),
            json!({ "quality": quality }),
        ),
        MeetingEvent::Missed(missed) => told(
            "missed",
            format!("{missed} events were missed"),
            json!({ "missed": missed }),
        ),
        _ => None,
    }
}

/// What is said of data.
///
/// text: its payload, as far as it is one.
pub fn tell_data(data: &MeetingData, text: &str, names: &Names) -> Told {
    let MeetingData {
        from,
        topic,
        is_private,
        ..
    } = data;
    let name = names
        .get(from)
        .map_or_else(|| from.to_string(), |name| plain(name));
    let to_you = if *is_private { " (to you)" } else { "" };
    Told {
        event: "data",
        text: format!("{name}{to_you}, {}: {}", plain(topic), plain(text)),
        fields: json!({
            "participant": from,
            "name": name,
            "topic": topic,
            "text": text,
            "private": is_private,
        }),
    }
}

/// A message as one line.
pub fn chat_line(message: &ChatMessage) -> String {
    format!("{}: {}", plain(&message.name), plain(&message.text))
}

/// A private message as one line.
pub fn private_line(message: &PrivateMessage) -> String {
    format!(
        "{} (to you): {}",
        plain(&message.name),
        plain(&message.text)
    )
}

/// A phase in words.
pub fn describe_phase(phase: &Phase) -> String {
    match phase {
        Phase::Connecting => "Connecting".to_owned(),
        Phase::InLobby(lobby) => match lobby {
            Lobby::WaitingForHost => "In the lobby: the meeting waits for its host".to_owned(),
            Lobby::Waiting { .. } => "In the lobby: a host is asked".to_owned(),
            Lobby::Denied {
                retry_after: Some(pause),
            } => format!("Denied: knock again in {} s", pause.as_secs()),
            Lobby::Denied { retry_after: None } => "Denied, for this meeting".to_owned(),
            Lobby::TimedOut => "In the lobby: nobody answered; knock again".to_owned(),
            Lobby::Full => "The lobby is full; knock again later".to_owned(),
            Lobby::Outside => "Outside; knock to come in".to_owned(),
        },
        Phase::Connected => "Connected".to_owned(),
        Phase::Reconnecting => "Reconnecting".to_owned(),
        Phase::Disconnected(reason) => match reason {
            DisconnectReason::Left => "You have left".to_owned(),
            DisconnectReason::Removed => "A host removed you".to_owned(),
            DisconnectReason::RoomEnded => "The meeting is over".to_owned(),
            DisconnectReason::Lost(reason) => format!("The connection is lost: {reason}"),
        },
    }
}

fn phase_fields(phase: &Phase) -> Value {
    let named = |phase: &str| json!({ "phase": phase });
    match phase {
        Phase::Connecting => named("connecting"),
        Phase::InLobby(lobby) => {
            let (lobby, retry_after) = match lobby {
                Lobby::WaitingForHost => ("waiting-for-host", None),
                Lobby::Waiting { .. } => ("waiting", None),
                Lobby::Denied { retry_after } => ("denied", retry_after.as_ref()),
                Lobby::TimedOut => ("timed-out", None),
                Lobby::Full => ("full", None),
                Lobby::Outside => ("outside", None),
            };
            let retry_after_ms = retry_after.map(Duration::as_millis);
            json!({ "phase": "in-lobby", "lobby": lobby, "retry_after_ms": retry_after_ms })
        }
        Phase::Connected => named("connected"),
        Phase::Reconnecting => named("reconnecting"),
        Phase::Disconnected(reason) => {
            let reason = match reason {
                DisconnectReason::Left => "left",
                DisconnectReason::Removed => "removed",
                DisconnectReason::RoomEnded => "ended",
                DisconnectReason::Lost(_) => "lost",
            };
            json!({ "phase": "disconnected", "reason": reason })
        }
    }
}

/// Role and badge, as in ` (guest, unverified)`.
fn remarks(who: &Participant) -> String {
    let role = match who.role {
        Role::Owner => "owner",
        Role::Administrator => "administrator",
        Role::Member => "member",
        Role::Guest if who.signed_in => "agent",
        Role::Guest => "guest",
    };
    let badge = if who.verified { "" } else { ", unverified" };
    format!(" ({role}{badge})")
}

fn describe_media(who: &Participant) -> String {
    let each = Source::ALL.map(|source| {
        let state = match who.media.of(source) {
            MediaState::On => "on",
            MediaState::Muted => "muted",
            MediaState::Off => "off",
        };
        format!("{} {state}", source.name())
    });
    format!(
        "{}; connection {}",
        each.join(", "),
        describe_quality(who.quality)
    )
}

/// A quality in a word.
pub fn describe_quality(quality: ConnectionQuality) -> &'static str {
    match quality {
        ConnectionQuality::Excellent => "excellent",
        ConnectionQuality::Good => "good",
        ConnectionQuality::Poor => "poor",
        ConnectionQuality::Lost => "lost",
    }
}

/// What is said of those who were let in; `None`: nobody waits any more.
pub fn tell_admitted(done: &Done) -> Option<Told> {
    let (admitted, waiting) = (done.admitted?, done.waiting?);
    (waiting > 0).then(|| Told {
        event: "admitted",
        text: format!("{admitted} let in, {waiting} still wait"),
        fields: json!({ "admitted": admitted, "waiting": waiting }),
    })
}

/// Where one is on the way.
pub fn tell_phase(phase: Phase) -> Option<Told> {
    tell(&MeetingEvent::Phase(phase), &Names::new(), None)
}

/// How long chat is kept, once one is in.
pub fn tell_retention(kept: Duration) -> Told {
    Told {
        event: "retention",
        text: describe_retention(kept),
        fields: json!({ "retention_ms": kept.as_millis() as u64 }),
    }
}

fn describe_retention(kept: Duration) -> String {
    if kept.is_zero() {
        return "The service keeps no chat".to_owned();
    }
    let kept = humantime::format_duration(kept);
    format!("The service keeps the chat for {kept} after the meeting")
}

fn forbidden_sources(forbidden: PerSource<bool>) -> String {
    let named = Source::ALL
        .into_iter()
        .filter(|source| *forbidden.of(*source));
    let names: Vec<&str> = named.map(Source::name).collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

fn numbered(names: &[String]) -> String {
    let each = names
        .iter()
        .enumerate()
        .map(|(at, name)| format!("{}. {name}", at + 1));
    each.collect::<Vec<_>>().join(", ")
}

fn yes(it_is: bool) -> &'static str {
    if it_is { "yes" } else { "no" }
}

fn fields(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
