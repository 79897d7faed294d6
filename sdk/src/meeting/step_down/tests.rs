use super::*;

const LOOK: Duration = Duration::from_millis(500);

/// A network in virtual time, looked at every 500 ms.
struct Network {
    controller: Controller,
    now: Instant,
    began: Instant,
}

impl Network {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            controller: Controller::default(),
            now,
            began: now,
        }
    }

    /// So it is for so many milliseconds; the changes of the level, and when they were.
    fn lasts(&mut self, ms: u64, measured: Measured) -> Vec<(u64, StepDown)> {
        let end = self.now + Duration::from_millis(ms);
        let mut changes = Vec::new();
        while self.now < end {
            self.now += LOOK;
            if let Some(level) = self.controller.handle(&measured, self.now) {
                let at = self.now.duration_since(self.began).as_millis() as u64;
                changes.push((at, level));
            }
        }
        changes
    }
}

fn clear() -> Measured {
    Measured::default()
}

fn short() -> Measured {
    Measured {
        lateness: Some(Duration::from_millis(600)),
        ..Measured::default()
    }
}

#[test]
fn what_is_given_up_comes_in_the_order_of_its_worth_and_sound_stays() {
    let mut network = Network::new();
    assert_eq!(
        network.lasts(20_000, short()),
        [
            (1500, StepDown::OthersSmall),
            (3500, StepDown::OthersStopped),
            (5500, StepDown::ScreenSlow),
            (7500, StepDown::OwnCameraSmall),
        ]
    );
}

#[test]
fn a_moment_is_no_shortage() {
    let mut network = Network::new();
    for _ in 0..10 {
        assert_eq!(network.lasts(1000, short()), []);
        assert_eq!(network.lasts(500, clear()), []);
    }
}

#[test]
fn it_comes_back_step_by_step_when_all_is_well_for_a_while() {
    let mut network = Network::new();
    network.lasts(6000, short());
    assert_eq!(
        network.lasts(20_000, clear()),
        [
            (11_500, StepDown::OthersStopped),
            (16_500, StepDown::OthersSmall),
            (21_500, StepDown::Nothing),
        ]
    );
}

#[test]
fn a_network_that_is_full_is_left_as_it_is() {
    let full = Measured {
        queueing: Duration::from_millis(200),
        ..Measured::default()
    };
    let mut network = Network::new();
    network.lasts(2000, short());
    assert_eq!(network.lasts(60_000, full), []);
    assert_eq!(network.controller.level, StepDown::OthersSmall);
}

#[test]
fn each_step_back_that_was_too_much_is_tried_again_later_and_later() {
    let mut network = Network::new();
    network.lasts(2000, short());
    let mut waits = Vec::new();
    for _ in 0..6 {
        let from = network.now;
        while network.controller.level != StepDown::Nothing {
            network.lasts(500, clear());
        }
        waits.push(network.now.duration_since(from).as_secs());
        // It is too much again.
        while network.controller.level != StepDown::OthersSmall {
            network.lasts(500, short());
        }
    }
    assert_eq!(waits, [5, 10, 20, 40, 60, 60]);
    // All is well for long: the next time begins anew.
    network.lasts(200_000, clear());
    assert_eq!(network.controller.patience, PATIENCE);
}

#[test]
fn each_measurement_tells_a_shortage_by_itself() {
    let ms = Duration::from_millis;
    let default = Measured::default();
    let all = [
        Measured {
            loss: Some(0.2),
            ..default
        },
        Measured {
            broken: Some(0.5),
            ..default
        },
        Measured {
            queueing: ms(500),
            ..default
        },
        Measured {
            lateness: Some(ms(500)),
            ..default
        },
        Measured {
            unsent: ms(500),
            ..default
        },
    ];
    for measured in all {
        assert_eq!(measured.condition(), Condition::Short, "{measured:?}");
    }
    let well = Measured {
        loss: Some(0.02),
        broken: Some(0.0),
        queueing: ms(100),
        lateness: Some(ms(100)),
        unsent: ms(100),
    };
    assert_eq!(well.condition(), Condition::Clear);
}
