use std::time::Duration;

use anyhow::Context;
use parvis::{
    codec::FrameRate,
    meeting::{JoinOptions, Meeting, TicketSource},
};
use tokio::{
    sync::{
        mpsc::{self, error::TryRecvError},
        oneshot,
    },
    task::JoinHandle,
};

use crate::join::{
    hearing::{Gauge, Hearing},
    media::{Media, MediaArgs},
    script::Step,
    seat::Seat,
};

pub const ALICE: &str = "Alice";
pub const BRUNO: &str = "Bruno";
pub const CHLOE: &str = "Chloé";
pub const DAVID: &str = "David";
pub const EMMA: &str = "Emma";

/// A camera's pictures a second: five are encoded on one machine.
const RATE: FrameRate = FrameRate::whole(15);
/// How long each thing may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody who takes part, in a task of its own.
pub struct Person {
    orders: mpsc::Sender<(Step, oneshot::Sender<anyhow::Result<()>>)>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Person {
    /// Joins.
    pub async fn join(
        name: &str,
        link: &str,
        login: Option<String>,
        media: MediaArgs,
        gauge: Gauge,
    ) -> anyhow::Result<Self> {
        let device: Vec<String> = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        let device = device.concat();
        let mut options = JoinOptions::new(name, device);
        if let Some(token) = login {
            options.tickets = TicketSource::agent(token);
        }
        let media = Media::new(media)?.with_camera_rate(RATE);
        let meeting = Meeting::join(link, options)
            .await
            .with_context(|| format!("{name} cannot join"))?;
        let mut seat = Seat::new(meeting, media, Hearing::measured(gauge), None);
        let (orders, mut ordered) = mpsc::channel::<(Step, oneshot::Sender<_>)>(1);
        let task = tokio::spawn(async move {
            let result = loop {
                match ordered.try_recv() {
                    Ok((step, done)) => {
                        // Whoever ordered it may have given up.
                        let _ = done.send(seat.perform(&step, PATIENCE).await);
                    }
                    // Not broken off by an order: what it began is done.
                    Err(TryRecvError::Empty) => {
                        if let Err(error) = seat.idle().await {
                            break Err(error);
                        }
                    }
                    Err(TryRecvError::Disconnected) => break Ok(()),
                }
            };
            seat.leave().await;
            result
        });
        Ok(Self { orders, task })
    }

    /// Does something, or sees that it is so.
    pub async fn perform(&self, line: &str) -> anyhow::Result<()> {
        let step = Step::parse(line).context("the story")?;
        let (done, result) = oneshot::channel();
        let asked = self.orders.send((step, done)).await;
        asked.ok().context("has left")?;
        result.await.context("has left")?
    }

    /// Leaves.
    pub async fn leave(self) -> anyhow::Result<()> {
        drop(self.orders);
        self.task.await?
    }
}
