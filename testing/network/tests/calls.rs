//! What a call must keep on a bad network, in virtual time.

use std::time::Duration;

use parvis_network::{Figure, rows};

/// A figure of a row, over a few seeds.
fn figure(row: &str, figure: &str) -> Figure {
    let row = rows().into_iter().find(|known| known.name == row);
    let figures = row
        .expect("there is such a row")
        .run(3, Duration::from_secs(20))
        .expect("calls");
    let figure = figures.into_iter().find(|known| known.name == figure);
    figure.expect("there is such a figure")
}

#[test]
fn sound_stays_where_the_network_loses_a_tenth() {
    let sound = figure("loss-10", "sound %");
    assert!(sound.worst() >= 98.0, "{sound:?}");
}

#[test]
fn sound_stays_where_the_network_is_narrower_than_the_picture() {
    let sound = figure("bottleneck", "sound %");
    assert!(sound.worst() >= 95.0, "{sound:?}");
}

#[test]
fn sound_is_back_soon_after_a_silence() {
    let back = figure("blackout", "sound back ms");
    assert!(back.worst() <= 1000.0, "{back:?}");
}
