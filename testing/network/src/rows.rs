use std::time::Duration;

use parvis_simnet::{Bursts, LinkOptions};

use crate::{Call, Hop, Score};

/// One kind of bad network.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What it is, for people.
    pub about: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A hop that loses packets both ways, all the time; the least share of sound in time and the
    /// longest gap that are wanted.
    Loss(Hop, LinkOptions, f64, Option<Duration>),
    Bottleneck,
    Rebind,
    Blackout,
}

/// One figure of a row and what is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it is, with its unit.
    pub name: &'static str,
    /// Which way is good.
    pub better: Better,
    /// What is wanted: of the median where more is better, of the worst where less is.
    pub target: Option<f64>,
    /// As many as seeds.
    pub values: Vec<f64>,
}

/// Which way a figure is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// More is better.
    More,
    /// Less is better.
    Less,
}

impl Figure {
    fn new(name: &'static str, better: Better, target: Option<f64>, value: f64) -> Self {
        Self {
            name,
            better,
            target,
            values: vec![value],
        }
    }

    /// The one in the middle.
    pub fn median(&self) -> f64 {
        let mut values = self.values.clone();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// The least good one.
    pub fn worst(&self) -> f64 {
        let values = self.values.iter().copied();
        match self.better {
            Better::Less => values.fold(f64::NEG_INFINITY, f64::max),
            Better::More => values.fold(f64::INFINITY, f64::min),
        }
    }

    /// The figure that is compared, what is wanted of it, and whether it is so; `None`: nothing is
    /// wanted.
    pub fn verdict(&self) -> Option<(f64, f64, bool)> {
        let target = self.target?;
        Some(match self.better {
            Better::More => (self.median(), target, self.median() >= target),
            Better::Less => (self.worst(), target, self.worst() <= target),
        })
    }
}

/// A hop as mobile networks have it.
const HOP: LinkOptions = LinkOptions {
    delay: Duration::from_millis(40),
    jitter: Duration::from_millis(10),
    reorder: false,
    loss: 0.0,
    bursts: None,
    rate: None,
    queue: 0,
};

/// A hop within a town.
const NEAR: LinkOptions = LinkOptions {
    delay: Duration::from_millis(5),
    jitter: Duration::ZERO,
    ..HOP
};

/// The queue of a bottleneck: 300 ms at 400 kbit/s.
const QUEUE: usize = 15_000;

const DOWN_AT: Duration = Duration::from_secs(10);
const NARROW: Duration = Duration::from_secs(30);
const SETTLED: Duration = Duration::from_secs(3);
const CHANGE_AT: Duration = Duration::from_secs(5);
/// In one run.
const REBINDS: u32 = 20;
const BLACKOUT: Duration = Duration::from_secs(10);
/// When nothing came of it within the run.
const NEVER: Duration = Duration::from_secs(99);

/// Every row, in the order of the table.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let subscriber = |loss| Kind::Loss(Hop::Subscriber, LinkOptions { loss, ..HOP }, 0.0, None);
    let wanted = [
        (0.0, 0.999),
        (0.05, 0.995),
        (0.1, 0.99),
        (0.2, 0.98),
        (0.3, 0.95),
    ];
    for (loss, least) in wanted {
        let mut kind = subscriber(loss);
        if let Kind::Loss(_, _, wanted, _) = &mut kind {
            *wanted = least;
        }
        rows.push(Row {
            name: format!("loss-{:.0}", loss * 100.0),
            about: format!("{:.0} % loss", loss * 100.0),
            kind,
        });
    }
    let loss = LinkOptions { loss: 0.1, ..HOP };
    let bursts = LinkOptions {
        bursts: Some(Bursts {
            every: Duration::from_millis(900),
            length: Duration::from_millis(100),
        }),
        ..HOP
    };
    let gap = Some(Duration::from_millis(600));
    let others = [
        (
            "uplink-10",
            "10 % loss at the publisher",
            Kind::Loss(Hop::Publisher, loss, 0.99, None),
        ),
        (
            "bursts",
            "10 % loss in bursts of 100 ms",
            Kind::Loss(Hop::Subscriber, bursts, 0.93, gap),
        ),
        (
            "bottleneck",
            "2 Mbit/s, 400 kbit/s for 30 s, 2 Mbit/s",
            Kind::Bottleneck,
        ),
        ("rebind", "another address of the subscriber", Kind::Rebind),
        ("blackout", "nothing for 10 s", Kind::Blackout),
    ];
    for (name, about, kind) in others {
        let (name, about) = (name.to_owned(), about.to_owned());
        rows.push(Row { name, about, kind });
    }
    rows
}

impl Row {
    /// Runs it once for each seed.
    ///
    /// time: how long a run of a row of loss is.
    pub fn run(&self, seeds: u64, time: Duration) -> anyhow::Result<Vec<Figure>> {
        let mut figures: Vec<Figure> = Vec::new();
        for seed in 1..=seeds {
            let once = self.run_once(seed, time)?;
            if figures.is_empty() {
                figures = once;
                continue;
            }
            for (figure, once) in figures.iter_mut().zip(once) {
                figure.values.extend(once.values);
            }
        }
        Ok(figures)
    }

    fn run_once(&self, seed: u64, time: Duration) -> anyhow::Result<Vec<Figure>> {
        let hops = match self.kind {
            Kind::Loss(Hop::Publisher, ..) => [HOP, NEAR],
            _ => [NEAR, HOP],
        };
        let mut call = Call::connected(seed, hops)?;
        Ok(match self.kind {
            Kind::Loss(hop, link, least, gap) => {
                call.set_links(hop, link, link);
                let before = call.bytes(Hop::Subscriber);
                call.run_for(time + Duration::from_secs(1));
                let mut figures = steady(&call, time, least, gap);
                let bits = (call.bytes(Hop::Subscriber) - before) * 8;
                let rate = bits as f64 / 1000.0 / (time.as_secs_f64() + 1.0);
                figures.push(Figure::new("kbit/s", Better::Less, None, rate));
                figures
            }
            Kind::Bottleneck => bottleneck(&mut call),
            Kind::Rebind => {
                for _ in 0..REBINDS {
                    call.run_for(CHANGE_AT);
                    call.rebind();
                }
                call.run_for(CHANGE_AT);
                let gap = Score::of_sound(&call, Duration::ZERO..CHANGE_AT * REBINDS);
                vec![less("gap ms", gap.gap, Some(500.0))]
            }
            Kind::Blackout => {
                call.run_for(CHANGE_AT);
                let nothing = LinkOptions { loss: 1.0, ..HOP };
                call.set_links(Hop::Subscriber, nothing, nothing);
                call.run_for(BLACKOUT);
                call.set_links(Hop::Subscriber, HOP, HOP);
                call.run_for(CHANGE_AT * 4);
                let back = Score::sound_back(&call, CHANGE_AT + BLACKOUT);
                vec![less("sound back ms", back.unwrap_or(NEVER), Some(1000.0))]
            }
        })
    }
}

fn steady(call: &Call, time: Duration, least: f64, gap: Option<Duration>) -> Vec<Figure> {
    // The first second shows how a call begins, not how it goes on.
    let span = Duration::from_secs(1)..time;
    let sound = Score::of_sound(call, span.clone());
    let pictures = Score::of_pictures(call, span);
    vec![
        more("sound %", sound.in_time, Some(least * 100.0)),
        less("gap ms", sound.gap, gap.map(ms)),
        more("video %", pictures.in_time, None),
    ]
}

fn bottleneck(call: &mut Call) -> Vec<Figure> {
    let up_at = DOWN_AT + NARROW;
    let at = |rate| LinkOptions {
        rate: Some(rate),
        queue: QUEUE,
        ..HOP
    };
    call.set_links(Hop::Subscriber, HOP, at(2_000_000));
    call.run_for(DOWN_AT);
    call.set_links(Hop::Subscriber, HOP, at(400_000));
    call.run_for(NARROW);
    call.set_links(Hop::Subscriber, HOP, at(2_000_000));
    call.run_for(Duration::from_secs(20));
    let sound = Score::of_sound(call, DOWN_AT + SETTLED..up_at);
    let pictures = Score::of_pictures(call, DOWN_AT + SETTLED..up_at);
    let back = Score::pictures_back(call, up_at);
    vec![
        more("sound %", sound.in_time, Some(98.0)),
        less("gap ms", sound.gap, None),
        more("video %", pictures.in_time, None),
        less("video back ms", back.unwrap_or(NEVER), Some(10_000.0)),
    ]
}

/// share: from 0 to 1.
fn more(name: &'static str, share: f64, target: Option<f64>) -> Figure {
    Figure::new(name, Better::More, target, share * 100.0)
}

fn less(name: &'static str, time: Duration, target: Option<f64>) -> Figure {
    Figure::new(name, Better::Less, target, ms(time))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
