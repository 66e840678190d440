//! Watching component files while they are written in every way that programs write files.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod partial;
mod signatures;
mod troubles;
mod ways;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use avenire_delivery::{Changed, Event, Watch, WatchError, WatchOptions, Watched};

/// Longer than any machine takes.
const LIMIT: Duration = Duration::from_mins(1);

const NEVER: Duration = Duration::from_hours(1);

/// Events of the operating system alone, without rescan and without problems.
fn by_events() -> WatchOptions {
    WatchOptions { rescan: NEVER, patience: NEVER, ..WatchOptions::default() }
}

/// The rescan alone.
fn by_rescan() -> WatchOptions {
    let rescan = Duration::from_millis(20);
    WatchOptions { rescan, patience: NEVER, events: false, ..WatchOptions::default() }
}

/// Problems are told soon.
fn impatient() -> WatchOptions {
    WatchOptions { patience: Duration::from_millis(150), ..by_events() }
}

/// Component bytes with a section of `size` bytes, all of them `tag`, then its exports.
fn component(tag: u8, size: usize) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    let size = u32::try_from(size + 2).unwrap();
    bytes.push(0);
    bytes.extend((0..5).map(|index| {
        let part = u8::try_from(size >> (7 * index) & 0x7f).unwrap();
        if index < 4 { part | 0x80 } else { part }
    }));
    bytes.extend([1, b'x']);
    bytes.resize(bytes.len() + usize::try_from(size).unwrap() - 2, tag);
    bytes.extend([11, 7, 1, 0, 1, b'a', 1, 0, 0]);
    bytes
}

/// Waits for the next event.
async fn event(watch: &mut Watch) -> Event {
    let waited = tokio::time::timeout(LIMIT, watch.changed()).await;
    waited.expect("nothing was told").expect("watching has ended")
}

/// Waits for the next event, which has to be a new content.
async fn changed(watch: &mut Watch) -> Changed {
    match event(watch).await {
        Event::Changed(changed) => changed,
        Event::Problem(problem) => panic!("{problem:?}"),
    }
}

/// Waits until the file has been told to hold `bytes`, and nothing else.
async fn holds(watch: &mut Watch, bytes: &[u8]) {
    let changed = changed(watch).await;
    let (found, expected) = (changed.bytes.len(), bytes.len());
    assert!(changed.bytes == bytes, "{found} bytes were told instead of {expected} other ones");
}

/// A folder with a component that serves, and a second file by which time is told: what happened to
/// the first file before the second one was changed twice, one after the other, has been told by
/// then.
struct Ground {
    folder: tempfile::TempDir,
    rounds: u8,
}

impl Ground {
    fn new() -> Self {
        let ground = Self { folder: tempfile::tempdir().unwrap(), rounds: 0 };
        fs::write(ground.file(), component(1, 1000)).unwrap();
        fs::write(ground.clock(), component(0, 10)).unwrap();
        ground
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("chat.wasm")
    }

    fn clock(&self) -> PathBuf {
        self.folder.path().join("clock.wasm")
    }

    fn watch(&self, options: WatchOptions) -> Watch {
        let files = vec![Watched::new("chat", self.file()), Watched::new("clock", self.clock())];
        Watch::start(files, options).unwrap()
    }

    /// Nothing is told of the first file from now until everything before has been looked at.
    async fn nothing_told(&mut self, watch: &mut Watch) {
        for _ in 0..2 {
            self.rounds += 1;
            let bytes = component(self.rounds, 10);
            fs::write(self.clock(), &bytes).unwrap();
            let changed = changed(watch).await;
            assert_eq!(changed.slot, "clock");
            assert_eq!(changed.bytes, bytes);
        }
    }
}

/// Puts a file in the place of another in one step.
fn replace(path: &Path, bytes: &[u8]) {
    let new = path.with_extension("new");
    fs::write(&new, bytes).unwrap();
    fs::rename(new, path).unwrap();
}

#[tokio::test]
async fn a_change_is_told_with_slot_path_bytes_and_digest() {
    let ground = Ground::new();
    let mut watch = ground.watch(by_events());
    let bytes = component(2, 1000);
    fs::write(ground.file(), &bytes).unwrap();
    let changed = changed(&mut watch).await;
    assert_eq!((changed.slot.as_str(), changed.path), ("chat", ground.file()));
    assert_eq!(changed.sha256, <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(&bytes)));
    assert_eq!((changed.bytes, changed.signature), (bytes, None));
}

#[tokio::test]
async fn the_same_content_written_again_is_not_told() {
    for options in [by_events(), by_rescan()] {
        let mut ground = Ground::new();
        let mut watch = ground.watch(options);
        ground.nothing_told(&mut watch).await;
        fs::write(ground.file(), component(1, 1000)).unwrap();
        ground.nothing_told(&mut watch).await;
        replace(&ground.file(), &component(1, 1000));
        ground.nothing_told(&mut watch).await;
        fs::write(ground.file(), component(2, 1000)).unwrap();
        holds(&mut watch, &component(2, 1000)).await;
        replace(&ground.file(), &component(2, 1000));
        ground.nothing_told(&mut watch).await;
    }
}

#[tokio::test]
async fn a_file_that_is_gone_for_a_moment_and_back_with_the_same_content_is_not_told() {
    for options in [by_events(), by_rescan()] {
        let mut ground = Ground::new();
        let mut watch = ground.watch(options);
        fs::remove_file(ground.file()).unwrap();
        ground.nothing_told(&mut watch).await;
        fs::write(ground.file(), component(1, 1000)).unwrap();
        ground.nothing_told(&mut watch).await;
    }
}

#[tokio::test]
async fn two_hundred_rapid_rewrites_end_with_the_last() {
    for options in [by_events(), by_rescan()] {
        let ground = Ground::new();
        let mut watch = ground.watch(options);
        let file = ground.file();
        let writer = std::thread::spawn(move || {
            for tag in 2..=201 {
                let bytes = component(tag, 500 + usize::from(tag));
                if tag % 2 == 0 { fs::write(&file, bytes).unwrap() } else { replace(&file, &bytes) }
            }
        });
        let mut last = 1;
        while last != 201 {
            let changed = changed(&mut watch).await;
            let tag = changed.bytes[20];
            assert!(changed.bytes == component(tag, 500 + usize::from(tag)), "{tag}");
            assert!(tag > last, "{tag} after {last}");
            last = tag;
        }
        writer.join().unwrap();
    }
}

#[tokio::test]
async fn what_differs_from_what_is_serving_is_told_at_once() {
    let ground = Ground::new();
    let serving = avenire_delivery::Serving::of(&component(9, 1000), None);
    let files = vec![Watched::new("chat", ground.file()).serving(serving)];
    let mut watch = Watch::start(files, by_events()).unwrap();
    holds(&mut watch, &component(1, 1000)).await;

    let mut ground = Ground::new();
    let serving = avenire_delivery::Serving::of(&component(1, 1000), None);
    let files = vec![
        Watched::new("chat", ground.file()).serving(serving),
        Watched::new("clock", ground.clock()),
    ];
    let mut watch = Watch::start(files, by_events()).unwrap();
    ground.nothing_told(&mut watch).await;
}

#[tokio::test]
async fn giving_up_waiting_loses_no_change() {
    let ground = Ground::new();
    let mut watch = ground.watch(by_events());
    fs::write(ground.file(), component(2, 1000)).unwrap();
    let fetched = loop {
        let short = tokio::time::timeout(Duration::from_millis(1), watch.changed()).await;
        if let Ok(event) = short {
            break event.unwrap();
        }
    };
    assert!(matches!(fetched, Event::Changed(changed) if changed.bytes == component(2, 1000)));
}

#[test]
fn paths_that_cannot_be_watched_are_refused_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let start = |files| Watch::start(files, by_events()).unwrap_err();
    let missing = start(vec![Watched::new("chat", folder.path().join("missing/chat.wasm"))]);
    assert!(matches!(&missing, WatchError::NoFolder { slot, folder: named }
        if slot == "chat" && *named == folder.path().join("missing")));
    assert!(missing.hint().contains("folder"));
    fs::write(folder.path().join("file"), "").unwrap();
    let no_folder = start(vec![Watched::new("chat", folder.path().join("file/chat.wasm"))]);
    assert!(matches!(no_folder, WatchError::NoFolder { .. }), "{no_folder:?}");
    for path in [Path::new("/"), &folder.path().join("..")] {
        let no_name = start(vec![Watched::new("chat", path)]);
        assert!(matches!(no_name, WatchError::NoName { .. }), "{no_name:?}");
    }
    let path = folder.path().join("chat.wasm");
    let twice = start(vec![Watched::new("chat", &path), Watched::new("chat", &path)]);
    assert!(matches!(twice, WatchError::Twice { .. }), "{twice:?}");
}
