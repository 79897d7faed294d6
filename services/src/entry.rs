use anyhow::Context;
use parvis::{ParticipantName, Room, RoomOptions, TokenSource, Trust};
use serde_json::json;

use crate::{cli::RoomArgs, output::Output};

impl RoomArgs {
    fn trust(&self) -> Trust {
        if self.insecure {
            Trust::Anyone
        } else if let Some(fingerprint) = &self.fingerprint {
            Trust::Fingerprint(fingerprint.clone())
        } else if let Some(ca) = &self.ca {
            Trust::AuthorityFile(ca.clone())
        } else {
            Trust::PublicAuthorities
        }
    }

    /// Enters the room that the arguments name; without a name as an observer.
    pub async fn enter(
        &self,
        participant: Option<ParticipantName>,
        output: &Output,
    ) -> anyhow::Result<Room> {
        let mut options = RoomOptions::observer(self.room.clone()).with_trust(self.trust());
        options.participant = participant;
        options.connect_timeout = self.timeout;
        options.reconnect = self.reconnect;
        options.token = self.token_file.as_ref().map(TokenSource::file);
        if let Some(draft) = self.draft {
            options.drafts = vec![draft.into()];
        }
        let room = Room::connect(&self.url, options)
            .await
            .context("cannot enter the room")?;
        let draft = room.draft().number();
        output.event(
            "connected",
            &format!("In room {} at {}, draft {draft}", self.room, self.url),
            &json!({ "url": self.url, "room": self.room.as_str(), "draft": draft }),
        );
        Ok(room)
    }
}
