//! The signature beside a component is told with it, and its changes are changes.

use std::fs;
use std::time::Duration;

use avenire_delivery::{Event, Serving, Trouble, Watch, WatchOptions, Watched, signature_file};

use super::{Ground, by_events, by_rescan, changed, component, event, impatient};

#[tokio::test]
async fn a_signature_that_follows_within_the_quiet_period_is_told_with_the_component() {
    for options in [by_events(), by_rescan()] {
        let ground = Ground::new();
        let quiet = Duration::from_secs(1);
        let mut watch = ground.watch(WatchOptions { quiet, ..options });
        fs::write(ground.file(), component(2, 1000)).unwrap();
        // Signing takes a moment.
        tokio::time::sleep(Duration::from_millis(100)).await;
        fs::write(signature_file(&ground.file()), "signature of 2").unwrap();
        let changed = changed(&mut watch).await;
        assert!(changed.bytes == component(2, 1000));
        assert_eq!(changed.signature.as_deref(), Some("signature of 2"));
    }
}

#[tokio::test]
async fn a_signature_that_comes_changes_or_goes_alone_is_a_change() {
    for options in [by_events(), by_rescan()] {
        let mut ground = Ground::new();
        let mut watch = ground.watch(options);
        let file = signature_file(&ground.file());
        for text in [Some("first"), Some("other"), None] {
            match text {
                Some(text) => fs::write(&file, text).unwrap(),
                None => fs::remove_file(&file).unwrap(),
            }
            let changed = changed(&mut watch).await;
            assert_eq!((changed.slot.as_str(), changed.signature.as_deref()), ("chat", text));
            assert!(changed.bytes == component(1, 1000));
        }
        ground.nothing_told(&mut watch).await;
    }
}

#[tokio::test]
async fn the_same_signature_written_again_is_not_told() {
    let mut ground = Ground::new();
    let file = signature_file(&ground.file());
    fs::write(&file, "signature").unwrap();
    let mut watch = ground.watch(by_events());
    fs::write(&file, "signature").unwrap();
    ground.nothing_told(&mut watch).await;
}

#[tokio::test]
async fn a_signature_other_than_the_one_that_is_serving_is_told_at_once() {
    let ground = Ground::new();
    fs::write(signature_file(&ground.file()), "new").unwrap();
    let serving = Serving::of(&component(1, 1000), Some("old"));
    let files = vec![Watched::new("chat", ground.file()).serving(serving)];
    let mut watch = Watch::start(files, by_events()).unwrap();
    assert_eq!(changed(&mut watch).await.signature.as_deref(), Some("new"));
}

#[tokio::test]
async fn a_signature_that_cannot_be_read_is_a_problem_and_nothing_is_taken() {
    let ground = Ground::new();
    let mut watch = ground.watch(impatient());
    let file = signature_file(&ground.file());
    fs::write(&file, vec![b'a'; 5000]).unwrap();
    fs::write(ground.file(), component(2, 1000)).unwrap();
    let Event::Problem(problem) = event(&mut watch).await else {
        panic!("the component was told");
    };
    assert!(matches!(problem.what, Trouble::Signature(_)), "{problem:?}");
    fs::write(&file, "signature").unwrap();
    let changed = changed(&mut watch).await;
    assert_eq!(changed.signature.as_deref(), Some("signature"));
    assert!(changed.bytes == component(2, 1000));
}
