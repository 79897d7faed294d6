use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::{CommitError, Unit, commit, store::Pools};

/// Requests that wait for the transaction before them. Whoever comes then waits to hand over.
const QUEUE: usize = 1024;
/// Requests that share a transaction.
const BATCH: usize = 256;

type Answer = oneshot::Sender<Result<(), CommitError>>;

enum Order {
    Commit(Vec<Unit>, Answer),
    Stop(oneshot::Sender<()>),
}

/// The one writer of units: what comes while the disk is busy is written together afterwards.
#[derive(Debug, Clone)]
pub struct Committer {
    orders: mpsc::Sender<Order>,
}

impl Committer {
    pub(crate) fn start(pools: Arc<Pools>) -> Self {
        let (orders, queue) = mpsc::channel(QUEUE);
        tokio::spawn(run(pools, queue));
        Self { orders }
    }

    pub(crate) async fn commit(&self, units: Vec<Unit>) -> Result<(), CommitError> {
        let (answer, result) = oneshot::channel();
        let order = Order::Commit(units, answer);
        self.orders
            .send(order)
            .await
            .map_err(|_| CommitError::Closed)?;
        result.await.map_err(|_| CommitError::Closed)?
    }

    pub(crate) async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.orders.send(Order::Stop(done)).await.is_ok() {
            // It has stopped as well when it is gone.
            let _ = stopped.await;
        }
    }
}

async fn run(pools: Arc<Pools>, mut queue: mpsc::Receiver<Order>) {
    let mut orders = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut orders, BATCH).await > 0 {
        let mut batch = Vec::new();
        let mut stop = None;
        for order in orders.drain(..) {
            match order {
                Order::Commit(units, answer) => batch.push((units, answer)),
                Order::Stop(done) => stop = Some(done),
            }
        }
        write_batch(&pools, batch).await;
        if let Some(done) = stop {
            // Whoever asked may not wait for it.
            let _ = done.send(());
            return;
        }
    }
}

/// All in one transaction; if one of them cannot be written, each in its own.
async fn write_batch(pools: &Pools, batch: Vec<(Vec<Unit>, Answer)>) {
    if batch.len() > 1 {
        let units: Vec<&Unit> = batch.iter().flat_map(|(units, _)| units).collect();
        match write_together(pools, &units).await {
            Ok(()) => {
                for (_, answer) in batch {
                    // Who asked may be gone; it is written nevertheless.
                    let _ = answer.send(Ok(()));
                }
                return;
            }
            Err(error) => tracing::debug!(%error, requests = batch.len(), "written one by one"),
        }
    }
    for (units, answer) in batch {
        let units: Vec<&Unit> = units.iter().collect();
        // As above.
        let _ = answer.send(write_together(pools, &units).await);
    }
}

async fn write_together(pools: &Pools, units: &[&Unit]) -> Result<(), CommitError> {
    let mut transaction = pools.begin().await?;
    for unit in units {
        commit::write(&mut transaction, unit).await?;
    }
    Ok(transaction.commit().await?)
}
