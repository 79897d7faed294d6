use std::time::Duration;

use parvis::meeting::{AccessLevel, Emoji, ErrorKind, HistoryPolicy, Role, Source};
use parvis_meeting::OrganisationId;

use super::{
    Act, Agents, Condition, Hands, Step, Unknown, Who,
    words::{Words, unknown},
};

/// The first words of commands, for who wrote another one.
const COMMANDS: &str = "a command: access, admit, camera, data, deny, end, forbid, gate, history, knock, \
    leave, lock, lower, mic, mute, raise, react, refused, remove, rename, request-recording, \
    request-transcription, role, say, screen, sleep, wait";

/// What can be waited for.
const CONDITIONS: &str = "something to wait for: absent, camera, chat, connected, data, denied, ended, \
    forbidden, hand, hears, hears-screen, in-lobby, lobby, locked, mic, no-hand, no-lobby, participants, \
    present, private, reaction, removed, role, screen, sees, silence, speaks, waiting, \
    waiting-for-host";

const SOURCES: [(&str, Source); 3] = [
    ("mic", Source::Microphone),
    ("camera", Source::Camera),
    ("screen", Source::Screen),
];

const ROLES: [(&str, Role); 4] = [
    ("owner", Role::Owner),
    ("administrator", Role::Administrator),
    ("member", Role::Member),
    ("guest", Role::Guest),
];

impl Step {
    /// Reads one command.
    pub fn parse(line: &str) -> Result<Self, Unknown> {
        let mut words = Words::new(line);
        let first = words.next().unwrap_or_default();
        let step = match first {
            "wait" => wait(&mut words)?,
            "sleep" => Self::Sleep(time(&mut words)?),
            "refused" => {
                let kind = kind(&mut words)?;
                let first = words.next().unwrap_or_default();
                Self::Refused(kind, act(first, &mut words)?)
            }
            "leave" => Self::Leave,
            _ => Self::Act(act(first, &mut words)?),
        };
        words.end()?;
        Ok(step)
    }
}

fn act(first: &str, words: &mut Words<'_>) -> Result<Act, Unknown> {
    Ok(match first {
        "knock" => Act::Knock,
        "say" => {
            let (to, text) = addressed(words)?;
            Act::Say { to, text }
        }
        "data" => {
            let topic = topic(words)?;
            let (to, text) = addressed(words)?;
            Act::Data { topic, to, text }
        }
        "raise" => Act::Raise,
        "lower" if words.is_empty() => Act::Lower(Hands::Own),
        "lower" => Act::Lower(match who(words)? {
            Who::All => Hands::All,
            Who::One(name) => Hands::One(name),
        }),
        "react" => Act::React(emoji(words)?),
        "mic" => Act::Media(Source::Microphone, words.on_off()?),
        "camera" => Act::Media(Source::Camera, words.on_off()?),
        "screen" => Act::Media(Source::Screen, words.on_off()?),
        "admit" => Act::Admit(who(words)?),
        "deny" => Act::Deny(who(words)?),
        "mute" => Act::Mute(who(words)?),
        "forbid" => Act::Forbid(words.one_of("a source", &SOURCES)?, words.on_off()?),
        "rename" => rename(words)?,
        "role" => {
            let name = words.name()?;
            Act::Role(name, words.one_of("a role", &ROLES)?)
        }
        "access" => access(words)?,
        "gate" => Act::Gate(words.on_off()?),
        "history" => Act::History(words.one_of(
            "a history",
            &[
                ("session", HistoryPolicy::Session),
                ("from-join", HistoryPolicy::FromJoin),
                ("none", HistoryPolicy::None),
            ],
        )?),
        "lock" => Act::Lock(words.on_off()?),
        "remove" => Act::Remove(words.rest("a name")?),
        "end" => Act::End,
        "request-recording" => Act::RequestRecording,
        "request-transcription" => Act::RequestTranscription,
        other => return Err(unknown(COMMANDS, other)),
    })
}

fn access(words: &mut Words<'_>) -> Result<Act, Unknown> {
    let levels = [
        ("public", AccessLevel::Public),
        ("trusted", AccessLevel::Trusted),
        ("restricted", AccessLevel::Restricted),
    ];
    let level = words.one_of("an access level", &levels)?;
    if words.is_empty() {
        return Ok(Act::Access(level, None));
    }
    words.one_of("nothing more, or", &[("--organisation", ())])?;
    let name = words.name()?;
    let agents = match name.as_str() {
        "all" => Agents::All,
        id => Agents::Of(OrganisationId::new(id).map_err(|_| unknown("an organisation", id))?),
    };
    Ok(Act::Access(level, Some(agents)))
}

/// A text, and for whom it is.
fn addressed(words: &mut Words<'_>) -> Result<(Option<String>, String), Unknown> {
    let text = words.rest("a text, or @NAME and a text")?;
    let Some(private) = text.strip_prefix('@') else {
        return Ok((None, text));
    };
    let mut words = Words::new(private);
    let to = Some(words.name()?);
    let text = words.rest("a text for that person")?;
    Ok((to, text))
}

fn topic(words: &mut Words<'_>) -> Result<String, Unknown> {
    let topic = words.next().map(str::to_owned);
    topic.ok_or_else(|| unknown("a topic, such as cursor", ""))
}

fn rename(words: &mut Words<'_>) -> Result<Act, Unknown> {
    let name = words.rest("a name, or @NAME and a name")?;
    let Some(other) = name.strip_prefix('@') else {
        return Ok(Act::Rename { whose: None, name });
    };
    let mut words = Words::new(other);
    let whose = Some(words.name()?);
    let name = words.rest("another name for that person")?;
    Ok(Act::Rename { whose, name })
}

fn who(words: &mut Words<'_>) -> Result<Who, Unknown> {
    let name = words.rest("a name, or all")?;
    Ok(match name.as_str() {
        "all" => Who::All,
        _ => Who::One(name),
    })
}

fn emoji(words: &mut Words<'_>) -> Result<Emoji, Unknown> {
    let names: Vec<(&str, Emoji)> = Emoji::ALL
        .iter()
        .flat_map(|emoji| [(emoji.name(), *emoji), (emoji.sign(), *emoji)])
        .collect();
    words.one_of("a reaction", &names)
}

fn kind(words: &mut Words<'_>) -> Result<ErrorKind, Unknown> {
    let word = words.next().unwrap_or_default();
    let kind: ErrorKind = serde_json::from_value(word.into()).unwrap_or(ErrorKind::Unknown);
    if kind == ErrorKind::Unknown {
        let expected = "the reason of a refusal, such as Forbidden, NotPresent or RateLimited";
        return Err(unknown(expected, word));
    }
    Ok(kind)
}

fn time(words: &mut Words<'_>) -> Result<Duration, Unknown> {
    let word = words.next().unwrap_or_default();
    humantime::parse_duration(word).map_err(|_| unknown("a time, as in 500ms or 10s", word))
}

fn wait(words: &mut Words<'_>) -> Result<Step, Unknown> {
    let mut first = words.next().unwrap_or_default();
    let mut within = None;
    if first == "within" {
        within = Some(time(words)?);
        first = words.next().unwrap_or_default();
    }
    let until = condition(first, words)?;
    Ok(Step::Wait { until, within })
}

fn condition(first: &str, words: &mut Words<'_>) -> Result<Condition, Unknown> {
    let media = |source, words: &mut Words<'_>| {
        let on = words.on_off()?;
        Ok(Condition::Media(source, on, words.rest("a name")?))
    };
    Ok(match first {
        "in-lobby" => Condition::InLobby,
        "waiting-for-host" => Condition::WaitingForHost,
        "waiting" => Condition::Waiting,
        "denied" => Condition::Denied,
        "connected" => Condition::Connected,
        "removed" => Condition::Removed,
        "ended" => Condition::Ended,
        "participants" => participants(words)?,
        "present" => Condition::Present(words.rest("a name")?),
        "absent" => Condition::Absent(words.rest("a name")?),
        "lobby" => Condition::Lobby(words.rest("a name")?),
        "no-lobby" => Condition::NoLobby(words.rest("a name")?),
        "chat" => Condition::Chat(words.rest("a text")?),
        "data" => {
            let topic = topic(words)?;
            Condition::Data(topic, words.rest("a text")?)
        }
        "private" => Condition::Private(words.rest("a text")?),
        "hand" => {
            let name = words.name()?;
            let place = match words.next() {
                None => None,
                Some(word) => Some(number(word, "a place, the first is 1")?),
            };
            Condition::Hand(name, place)
        }
        "no-hand" => Condition::NoHand(words.rest("a name")?),
        "reaction" => Condition::Reaction(emoji(words)?),
        "mic" => media(Source::Microphone, words)?,
        "camera" => media(Source::Camera, words)?,
        "screen" => media(Source::Screen, words)?,
        "forbidden" => Condition::Forbidden(words.one_of("a source", &SOURCES)?, words.on_off()?),
        "role" => {
            let name = words.name()?;
            Condition::HasRole(name, words.one_of("a role", &ROLES)?)
        }
        "locked" => Condition::Locked(words.on_off()?),
        "hears" => Condition::Hears(words.rest("a name")?),
        "hears-screen" => Condition::HearsScreen(words.rest("a name")?),
        "silence" => Condition::Silence(words.rest("a name")?),
        "sees" => {
            let name = words.name()?;
            let sources = [("camera", Source::Camera), ("screen", Source::Screen)];
            Condition::Sees(name, words.one_of("a source", &sources)?)
        }
        "speaks" => Condition::Speaks(words.rest("a name")?),
        other => return Err(unknown(CONDITIONS, other)),
    })
}

fn participants(words: &mut Words<'_>) -> Result<Condition, Unknown> {
    let word = words.next().unwrap_or_default();
    let (digits, or_more) = match word.strip_suffix('+') {
        Some(digits) => (digits, true),
        None => (word, false),
    };
    let count = number(digits, "how many, as in 3, or 3+ for at least three")?;
    Ok(Condition::Participants { count, or_more })
}

fn number(word: &str, expected: &str) -> Result<usize, Unknown> {
    let number = word.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| unknown(expected, word))
}
