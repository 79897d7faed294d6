use std::{collections::BTreeMap, time::Duration};

use parvis_meeting::{ChatMessage, ChatSeq, HistoryGap, View, from_json, tracks};

use super::{HistoryPage, Meeting};
use crate::{CloseReason, FetchError};

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most messages of a page.
const MOST: u64 = 256;

impl Meeting {
    /// Messages of the chat's past, newest first page by page: those before `before`, or the newest.
    /// What is gone is said, and not left out in silence.
    pub async fn history(
        &self,
        before: Option<ChatSeq>,
        count: u64,
    ) -> Result<HistoryPage, FetchError> {
        let closed = || FetchError::Closed(CloseReason::Local);
        let room = self.shared.room().ok_or_else(closed)?;
        let nothing = HistoryPage {
            messages: Vec::new(),
            gaps: Vec::new(),
            before: None,
        };
        let running = self.state().view.as_ref().map(View::session);
        let Some((session, newest)) = self.shared.newest_chat(running) else {
            return Ok(nothing);
        };
        let end = before.map_or(newest.0 + 1, |before| before.0.min(newest.0 + 1));
        if end == 0 {
            return Ok(nothing);
        }
        let from = end.saturating_sub(count.clamp(1, MOST));
        let code = self.state().code;
        let name = tracks::track(tracks::control(&code), tracks::CHAT);
        let (first, last) = (ChatSeq(from), ChatSeq(end - 1));
        let start = tracks::chat_location(session, first);
        let stop = tracks::chat_location(session, last);
        let fetched = match room.data().fetch(name, start, stop, PATIENCE).await {
            Ok(objects) => objects,
            // All of it is gone.
            Err(FetchError::Rejected(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let messages = fetched.iter().filter_map(|object| {
            let message: ChatMessage = from_json(&object.payload).ok()?;
            (message.seq >= first && message.seq <= last).then_some((message.seq, message))
        });
        let messages: BTreeMap<ChatSeq, ChatMessage> = messages.collect();
        Ok(HistoryPage {
            gaps: gaps(from, end, messages.keys().map(|seq| seq.0)),
            messages: messages.into_values().collect(),
            before: (from > 0).then_some(first),
        })
    }
}

/// What is missing of `from..end`.
fn gaps(from: u64, end: u64, have: impl Iterator<Item = u64>) -> Vec<HistoryGap> {
    let mut gaps = Vec::new();
    let mut next = from;
    for seq in have.chain([end]) {
        if seq > next {
            gaps.push(HistoryGap {
                from: ChatSeq(next),
                to: ChatSeq(seq - 1),
            });
        }
        next = seq + 1;
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_of_a_page_is_said() {
        let gap = |from, to| HistoryGap {
            from: ChatSeq(from),
            to: ChatSeq(to),
        };
        assert_eq!(gaps(3, 6, [3, 4, 5].into_iter()), []);
        assert_eq!(gaps(3, 6, std::iter::empty()), [gap(3, 5)]);
        assert_eq!(
            gaps(0, 9, [2, 3, 7].into_iter()),
            [gap(0, 1), gap(4, 6), gap(8, 8)]
        );
    }
}
