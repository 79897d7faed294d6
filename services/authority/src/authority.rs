use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parvis::{
    RoomEvent, RoomEvents, TokenSource,
    data::{Client, LinkOptions},
};
use parvis_meeting::{RoomCode, tracks};
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        watch,
    },
    task::JoinSet,
};

use crate::{
    AuthorityOptions, Connection, StartError,
    connection::State,
    discovery,
    docket::{Event, RoomKey},
    passes::{OWN, Passes},
    registry::{Court, Registry},
    relay_orders::RelayOrders,
};

/// The authority of a relay's meetings. Dropping it stops it at once; nothing that was acknowledged is lost.
#[derive(Debug)]
pub struct Authority {
    client: Client,
    court: Arc<Court>,
    tasks: JoinSet<()>,
    orders: JoinSet<()>,
    connection: Connection,
}

/// For how long it connects to a relay that is gone: for ever.
const RECONNECT: Duration = Duration::from_hours(24 * 365);
/// How long rooms have to store what they were told before the end.
const CLOSING: Duration = Duration::from_secs(5);

impl Authority {
    /// Connects to the relay and goes on with the meetings that run.
    pub async fn start(options: AuthorityOptions) -> Result<Self, StartError> {
        let passes = Passes::new(&options);
        // Whether it can sign is known now, not when the connection is lost.
        passes
            .own()
            .map_err(|error| StartError::Sign(error.to_string()))?;
        let running = options.store.running_rooms().await?;
        let changes = options.store.changes();
        let link = LinkOptions {
            trust: options.trust,
            token: Some(own_token(passes.clone())),
            reconnect: RECONNECT,
            ..LinkOptions::default()
        };
        let client = Client::connect(&options.relay, link).await?;
        let court = Arc::new(Court {
            link: client.data(),
            store: options.store,
            passes,
            orders: RelayOrders::new(options.control),
            settings: options.meeting,
            limits: options.limits,
            rooms: Registry::default(),
            present: watch::Sender::new(0),
            ending: AtomicBool::new(false),
        });
        court.link.announce(tracks::outboxes());
        for code in running {
            // Rooms that run already are never too many.
            let _ = court.resume(code);
        }
        let mut tasks = JoinSet::new();
        tasks.spawn(discovery::run(Arc::clone(&court)));
        let (state, known) = watch::channel(State::Connected);
        tasks.spawn(watch_relay(Arc::clone(&court), client.events(), state));
        tasks.spawn(watch_store(Arc::clone(&court), changes));
        tasks.spawn(renew_token(Arc::clone(&court)));
        let mut orders = JoinSet::new();
        let given = court.orders.clone();
        orders.spawn(async move { given.run().await });
        Ok(Self {
            client,
            court,
            tasks,
            orders,
            connection: Connection::new(known),
        })
    }

    /// Waits until it is cut off from its relay for good, and says why. Nothing is decided in the
    /// relay's rooms any more then; what to do is to close it and to start another one.
    pub fn closed(&self) -> impl Future<Output = String> + use<> {
        self.connection.clone().cut_off()
    }

    /// How it is connected to its relay, now and later.
    pub fn connection(&self) -> Connection {
        self.connection.clone()
    }

    /// Waits until nobody is there any more. For when the relay is about to stop: from this call on it is no
    /// surprise that the connection is lost.
    pub fn deserted(&self) -> impl Future<Output = ()> + use<> {
        self.court.ending.store(true, Ordering::Relaxed);
        let mut present = self.court.present.subscribe();
        async move {
            // An error: it is closed, and hears nobody.
            let _ = present.wait_for(|present| *present == 0).await;
        }
    }

    /// Hears nobody any more, stores what was heard, and says goodbye to the relay. Meetings go on when
    /// an authority is started with the same store.
    pub async fn close(mut self) {
        let mut rooms = self.court.rooms.close();
        // Those who attend hold their rooms' queues.
        self.tasks.abort_all();
        while self.tasks.join_next().await.is_some() {}
        let all_stored = async { while rooms.join_next().await.is_some() {} };
        if tokio::time::timeout(CLOSING, all_stored).await.is_err() {
            tracing::warn!("a meeting could not be stored in time");
        }
        self.court.orders.finish().await;
        self.orders.abort_all();
        self.client.close().await;
    }
}

fn own_token(passes: Passes) -> TokenSource {
    TokenSource::new(move || {
        let token = passes.own().map_err(Into::into);
        std::future::ready(token)
    })
}

/// A relay that was started anew has forgotten its orders.
async fn watch_relay(court: Arc<Court>, mut events: RoomEvents, state: watch::Sender<State>) {
    while let Some(event) = events.next().await {
        let ends = court.ending.load(Ordering::Relaxed);
        match event {
            RoomEvent::Reconnecting(reason) | RoomEvent::Closed(reason) if ends => {
                tracing::info!(%reason, "the relay has stopped");
                state.send_replace(State::Lost(reason.to_string()));
            }
            RoomEvent::Moved => {
                tracing::info!("connected to the relay again");
                state.send_replace(State::Connected);
                court.orders.repeat_denials();
                court.tell_all(|| Event::RelayStarted);
            }
            RoomEvent::Reconnecting(reason) => {
                tracing::warn!(%reason, "the connection to the relay is lost");
                state.send_replace(State::Lost(reason.to_string()));
            }
            RoomEvent::Closed(reason) => {
                tracing::error!(%reason, "the authority is cut off from its relay");
                state.send_replace(State::CutOff(reason.to_string()));
            }
            _ => {}
        }
    }
}

/// Takes over what others change in the store.
async fn watch_store(court: Arc<Court>, mut changes: broadcast::Receiver<RoomCode>) {
    loop {
        match changes.recv().await {
            Ok(code) => court.tell(RoomKey::Real(code), Event::Changed),
            Err(RecvError::Lagged(_)) => court.tell_all(|| Event::Changed),
            Err(RecvError::Closed) => return,
        }
    }
}

/// The next requests show a token that is valid for longer.
async fn renew_token(court: Arc<Court>) {
    loop {
        tokio::time::sleep(OWN / 4).await;
        match court.passes.own() {
            Ok(token) => court.link.add_token(&token),
            Err(error) => tracing::error!(%error, "the authority's token is not signed"),
        }
    }
}
