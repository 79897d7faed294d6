//! A call that others must not disturb.

use bytes::Bytes;
use parvis_relay::Running;
use parvis_session::RequestKey;
use parvis_wire::{Draft, Parameters};

use super::Client;

const OBJECTS: u64 = 10;

/// A publisher of "camera" and one who watches it.
pub struct Call {
    publisher: Client,
    subscriber: Client,
    served: RequestKey,
    wanted: RequestKey,
    group: u64,
}

impl Call {
    pub async fn start(relay: &Running) -> Self {
        let publisher = Client::connect(relay, Draft::D22).await;
        let subscriber = Client::connect(relay, Draft::D18).await;
        Self::between(publisher, subscriber).await
    }

    pub async fn between(mut publisher: Client, mut subscriber: Client) -> Self {
        publisher.publish_namespace().await;
        let wanted = subscriber.ask_for("camera", Parameters::default()).await;
        let served = publisher.serve().await;
        subscriber.accepted(wanted).await;
        Self {
            publisher,
            subscriber,
            served,
            wanted,
            group: 0,
        }
    }

    /// Sends a group, one object after the other has arrived; each has to, and in its place.
    pub async fn goes_on(&mut self) {
        let stream = self
            .publisher
            .send(self.served, self.group, &[b"key"])
            .await;
        let mut reader = self.subscriber.stream(self.wanted).await;
        let first = self.subscriber.object(&mut reader).await;
        assert_eq!(first.location.group.0, self.group);
        for id in 1..OBJECTS {
            let payload = Bytes::from(vec![id as u8; 200]);
            self.publisher.send_more(stream, id, payload.clone()).await;
            let object = self.subscriber.object(&mut reader).await;
            assert_eq!((object.location.object.0, object.payload), (id, payload));
        }
        self.publisher.finish(stream).await;
        self.group += 1;
    }
}
