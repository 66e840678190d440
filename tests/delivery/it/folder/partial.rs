//! Writers that take their time: no part of a file is ever told.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use avenire_delivery::WatchOptions;

use super::{Ground, by_events, by_rescan, changed, component, holds};

/// Writes these bytes over a file in pieces, with a pause after each.
fn trickle(
    path: PathBuf,
    bytes: Vec<u8>,
    piece: usize,
    pause: Duration,
    truncate: bool,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(truncate).open(path).unwrap();
        for piece in bytes.chunks(piece) {
            file.write_all(piece).unwrap();
            std::thread::sleep(pause);
        }
    })
}

#[tokio::test]
async fn a_file_that_trickles_in_for_a_second_is_told_when_it_is_whole() {
    for options in [by_events(), by_rescan()] {
        let ground = Ground::new();
        let mut watch = ground.watch(options);
        for tag in 2..4 {
            let bytes = component(tag, 2000);
            let pause = Duration::from_millis(10);
            let writer = trickle(ground.file(), bytes.clone(), 20, pause, true);
            holds(&mut watch, &bytes).await;
            writer.join().unwrap();
        }
    }
}

#[tokio::test]
async fn a_pause_longer_than_the_quiet_period_does_not_make_a_part_whole() {
    let ground = Ground::new();
    let quiet = Duration::from_millis(20);
    let mut watch = ground.watch(WatchOptions { quiet, ..by_events() });
    let bytes = component(2, 2000);
    let pause = Duration::from_millis(150);
    let writer = trickle(ground.file(), bytes.clone(), 400, pause, true);
    holds(&mut watch, &bytes).await;
    writer.join().unwrap();
}

#[tokio::test]
async fn a_file_that_is_overwritten_slowly_is_never_told_half_old_and_half_new() {
    let ground = Ground::new();
    let quiet = Duration::from_secs(1);
    let mut watch = ground.watch(WatchOptions { quiet, ..by_events() });
    let bytes = component(2, 1000);
    let writer = trickle(ground.file(), bytes.clone(), 40, Duration::from_millis(10), false);
    holds(&mut watch, &bytes).await;
    writer.join().unwrap();
}

#[tokio::test]
async fn a_slow_copy_of_many_megabytes_is_told_once_and_whole() {
    for options in [by_events(), by_rescan()] {
        let ground = Ground::new();
        let mut watch = ground.watch(options);
        let bytes = component(7, 24 << 20);
        let pause = Duration::from_millis(1);
        let writer = trickle(ground.file(), bytes.clone(), 64 << 10, pause, true);
        holds(&mut watch, &bytes).await;
        writer.join().unwrap();
    }
}

#[tokio::test]
async fn an_end_that_is_allocated_and_not_yet_written_is_waited_for() {
    let mut ground = Ground::new();
    let mut watch = ground.watch(by_events());
    let bytes = component(2, 1000);
    let mut file = fs::File::create(ground.file()).unwrap();
    file.set_len(u64::try_from(bytes.len()).unwrap()).unwrap();
    ground.nothing_told(&mut watch).await;
    // All but the exports.
    file.write_all(&bytes[..bytes.len() - 9]).unwrap();
    ground.nothing_told(&mut watch).await;
    file.write_all(&bytes[bytes.len() - 9..]).unwrap();
    let changed = changed(&mut watch).await;
    assert!(changed.bytes == bytes);
}

#[tokio::test]
async fn a_file_cut_between_two_sections_before_its_exports_is_waited_for() {
    let mut ground = Ground::new();
    let mut watch = ground.watch(by_events());
    let bytes = component(2, 1000);
    fs::write(ground.file(), &bytes[..bytes.len() - 9]).unwrap();
    ground.nothing_told(&mut watch).await;
    fs::write(ground.file(), &bytes[..8]).unwrap();
    ground.nothing_told(&mut watch).await;
    fs::write(ground.file(), &bytes).unwrap();
    holds(&mut watch, &bytes).await;
}
