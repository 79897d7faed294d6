use super::{DataLink, LinkOptions};
use crate::{ConnectError, Room, RoomEvents, RoomName, RoomOptions};

/// A connection to a relay that enters no room; for services.
///
/// Dropping it closes it in the background.
#[derive(Debug)]
pub struct Client(Room);

impl Client {
    /// Connects to a relay.
    pub async fn connect(url: &str, options: LinkOptions) -> Result<Self, ConnectError> {
        let LinkOptions {
            trust,
            token,
            drafts,
            connect_timeout,
            reconnect,
        } = options;
        // Never entered, so nobody hears this name.
        let room = RoomName::new("-").expect("a dash is a name");
        let options = RoomOptions {
            trust,
            token,
            drafts,
            connect_timeout,
            reconnect,
            ..RoomOptions::observer(room)
        };
        Room::open(url, options).await.map(Self)
    }

    /// What data tracks are published and received by.
    pub fn data(&self) -> DataLink {
        self.0.data()
    }

    /// What happens to the connection.
    pub fn events(&self) -> RoomEvents {
        self.0.events()
    }

    /// Says goodbye and waits until nothing of it runs.
    pub async fn close(self) {
        self.0.close().await;
    }
}
