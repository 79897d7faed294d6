use parvis_meeting::{
    AuditEntry, ChatMessage, HistoryPolicy, Input, Order, Output, UnixMillis, to_json,
};
use parvis_store::{ChatLine, RoleChange, Unit};
use serde::{Deserialize, Serialize};

/// Something that happened to a room, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// When.
    pub(crate) now: UnixMillis,
    /// What; nothing but time that passed.
    pub(crate) input: Option<Input>,
}

/// A message as it is stored. Only what lies on the chat track is given to whoever fetches that.
#[derive(Debug, Serialize, Deserialize)]
struct StoredChat {
    #[serde(flatten)]
    message: ChatMessage,
    #[serde(default)]
    history: HistoryPolicy,
}

/// Adds to a unit what the outputs of a room want stored.
pub(crate) fn add_outputs(unit: &mut Unit, outputs: &[Output]) {
    for output in outputs {
        match output {
            Output::Chat {
                message, history, ..
            } => unit.chat.push(chat_line(message, *history)),
            Output::Audit(entry) => unit.audit.push(audit(entry)),
            Output::RoleChanged { account, role } => unit.roles.push(RoleChange {
                account: account.clone(),
                role: *role,
            }),
            Output::PolicyChanged(policy) => unit.policy = Some(policy.clone()),
            Output::Order(Order::Remove { participant }) => unit.revoked.push(participant.clone()),
            Output::Began { .. }
            | Output::State { .. }
            | Output::Reactions(_)
            | Output::Message { .. }
            | Output::Admit { .. }
            | Output::Order(Order::Stop { .. } | Order::Allow { .. })
            | Output::Capture(_)
            | Output::Ended { .. } => {}
        }
    }
}

/// The room says which messages are the same; the store, which forgets none, would refuse an id that its
/// client uses again after a long time.
fn chat_line(message: &ChatMessage, history: HistoryPolicy) -> ChatLine {
    let body = match history {
        // Its number is taken.
        HistoryPolicy::None => Vec::new(),
        HistoryPolicy::Session | HistoryPolicy::FromJoin => to_json(&StoredChat {
            message: message.clone(),
            history,
        }),
    };
    ChatLine {
        seq: message.seq,
        participant: message.from.clone(),
        client_id: format!("{}:{}", message.seq, message.client_id),
        body: String::from_utf8(body).expect("JSON is text"),
    }
}

/// The message of a line, if it lies on the chat track.
pub(crate) fn on_track(line: &ChatLine) -> Option<ChatMessage> {
    let stored: StoredChat = serde_json::from_str(&line.body).ok()?;
    (stored.history == HistoryPolicy::Session).then_some(stored.message)
}

fn audit(entry: &AuditEntry) -> parvis_store::AuditEntry {
    let details = serde_json::to_value(entry).unwrap_or_default();
    let action = details["act"]["act"].as_str().unwrap_or("unknown");
    parvis_store::AuditEntry {
        at: entry.at,
        actor: entry.account.as_ref().map_or_else(
            || entry.actor.as_str().to_owned(),
            |account| account.as_str().to_owned(),
        ),
        action: action.to_owned(),
        details: details.to_string(),
    }
}
