use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use parvis_quic::client::Connection;
use parvis_wire::SessionErrorCode;
use tokio::sync::oneshot;

use super::{Engine, lock};
use crate::connect::close_reason;

/// Events that are taken in one go.
const BATCH: usize = 64;

/// Carries the session's events to the core, until the connection is over or the room is left.
pub(super) async fn run(
    mut connection: Connection,
    engine: Engine,
    mut stopped: oneshot::Receiver<()>,
) {
    loop {
        let deadline = lock(&engine.core).poll_timeout();
        let timer = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let mut events = Vec::new();
        tokio::select! {
            event = connection.next_event() => match event {
                Ok(event) => events.push(event),
                Err(reason) => {
                    tracing::debug!(%reason, "the connection is over");
                    lock(&engine.core).handle_closed(close_reason(&reason));
                    return;
                }
            },
            () = timer => {}
            () = engine.flusher.wake.notified() => {}
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
        let work = engine.session.with({
            let core = std::sync::Arc::clone(&engine.core);
            move |session, now| {
                let mut core = lock(&core);
                for event in events {
                    core.handle_event(event, session, now);
                }
                core.handle_media(session, now);
                if core.poll_timeout().is_some_and(|at| at <= now) {
                    core.handle_timeout(session, now);
                }
            }
        });
        // Where the connection is gone, its last event says why.
        let _ = work.await;
    }
    lock(&engine.core).handle_closed(crate::CloseReason::Local);
    connection.close(SessionErrorCode::NoError, "").await;
}

/// What the future gives without waiting.
fn ready<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
