use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use parvis_quic::client::Connection;
use parvis_wire::SessionErrorCode;
use tokio::sync::oneshot;

use super::{Engine, flusher::LinkFlusher, link::LinkId, lock};
use crate::connect::{close_reason, may_fare_better};

/// Events that are taken in one go.
const BATCH: usize = 64;

/// How often a connection that is moved away from looks whether it is left.
const LOOK: Duration = Duration::from_millis(50);

/// Carries a session's events to the core, until the connection is over or no longer wanted.
pub(super) async fn run(
    mut connection: Connection,
    id: LinkId,
    way: Arc<LinkFlusher>,
    engine: Engine,
    mut stopped: oneshot::Receiver<()>,
) {
    loop {
        let (deadline, leaving) = {
            let core = lock(&engine.core);
            (core.poll_timeout(id), core.current != Some(id))
        };
        let timer = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let look = async {
            if leaving {
                tokio::time::sleep(LOOK).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        let mut events = Vec::new();
        tokio::select! {
            event = connection.next_event() => match event {
                Ok(event) => events.push(event),
                Err(reason) => {
                    tracing::debug!(%reason, "the connection is over");
                    engine.flusher.remove(id);
                    let retry = may_fare_better(&reason);
                    lock(&engine.core).link_lost(id, close_reason(&reason), retry);
                    return;
                }
            },
            () = timer => {}
            () = look => {}
            () = way.wake.notified() => {}
            _ = &mut stopped => break,
        }
        while events.len() < BATCH
            && let Some(event) = ready(connection.next_event())
        {
            match event {
                Ok(event) => events.push(event),
                // It is told again.
                Err(_) => break,
            }
        }
        let work = way.session.with({
            let core = Arc::clone(&engine.core);
            move |session, now| lock(&core).turn(id, events, session, now)
        });
        // Where the connection is gone, its last event says why.
        let _ = work.await;
    }
    engine.flusher.remove(id);
    lock(&engine.core).link_gone(id);
    connection.close(SessionErrorCode::NoError, "").await;
}

/// What the future gives without waiting.
fn ready<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
