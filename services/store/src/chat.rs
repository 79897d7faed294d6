use parvis_meeting::{ChatSeq, ParticipantId};

use crate::{
    SessionKey, Store, StoreError, join,
    store::{signed, unsigned},
};

/// A message of a session's chat that everybody reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatLine {
    /// Its number; the session's messages are numbered without a gap.
    pub seq: ChatSeq,
    /// Who sent it.
    pub participant: ParticipantId,
    /// What its sender calls it: sent again, it is the same message.
    pub client_id: String,
    /// The message as it is published.
    pub body: String,
}

impl Store {
    /// The messages `from..to` of a session that are kept, in order, 1000 at most.
    pub async fn chat(
        &self,
        session: &SessionKey,
        from: ChatSeq,
        to: ChatSeq,
    ) -> Result<Vec<ChatLine>, StoreError> {
        let rows: Vec<(i64, String, String, String)> = sqlx::query_as(
            "SELECT seq, participant, client_id, body FROM chat \
             WHERE session = $1 AND seq >= $2 AND seq < $3 ORDER BY seq LIMIT 1000",
        )
        .bind(session.as_str())
        .bind(signed(from.0))
        .bind(signed(to.0))
        .fetch_all(self.reads())
        .await?;
        let line = |(seq, participant, client_id, body): (_, String, _, _)| {
            Ok(ChatLine {
                seq: ChatSeq(unsigned(seq)),
                participant: join::participant_id(&participant)?,
                client_id,
                body,
            })
        };
        rows.into_iter().map(line).collect()
    }
}
