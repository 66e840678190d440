//! Each way of writing a file: once heard of by events alone, once found by the rescan alone.

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::symlink;
use std::path::Path;

use avenire_delivery::{Watch, WatchOptions, Watched};

use super::{by_events, by_rescan, component, holds, replace};

/// A folder of the test, and the path in it that is watched.
const FILE: &str = "components/chat.wasm";

fn watch(root: &Path, options: WatchOptions) -> Watch {
    Watch::start(vec![Watched::new("chat", root.join(FILE))], options).unwrap()
}

/// Lays a file out, then writes it anew three times in the same way. What is told has to be exactly
/// that.
async fn written(
    options: WatchOptions,
    lay: impl Fn(&Path, &[u8]),
    write: impl Fn(&Path, usize, &[u8]),
) {
    let folder = tempfile::tempdir().unwrap();
    lay(folder.path(), &component(1, 5_000));
    let mut watch = watch(folder.path(), options);
    for round in 2..5 {
        // The size changes once, and once it stays the same.
        let bytes = component(u8::try_from(round).unwrap(), 5_000 + round / 4);
        write(folder.path(), round, &bytes);
        holds(&mut watch, &bytes).await;
    }
}

async fn both(lay: impl Fn(&Path, &[u8]), write: impl Fn(&Path, usize, &[u8])) {
    written(by_events(), &lay, &write).await;
    written(by_rescan(), &lay, &write).await;
}

fn plain(root: &Path, bytes: &[u8]) {
    fs::create_dir(root.join("components")).unwrap();
    fs::write(root.join(FILE), bytes).unwrap();
}

#[tokio::test]
async fn truncated_and_written_in_pieces() {
    both(plain, |root, _, bytes| {
        let mut file = fs::File::create(root.join(FILE)).unwrap();
        for piece in bytes.chunks(100) {
            file.write_all(piece).unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn overwritten_in_place_without_being_truncated() {
    both(plain, |root, _, bytes| {
        let mut file = OpenOptions::new().write(true).open(root.join(FILE)).unwrap();
        for piece in bytes.chunks(1000) {
            file.write_all(piece).unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn overwritten_from_its_end_to_its_beginning() {
    both(plain, |root, _, bytes| {
        let mut file = OpenOptions::new().write(true).open(root.join(FILE)).unwrap();
        file.set_len(u64::try_from(bytes.len()).unwrap()).unwrap();
        for (index, piece) in bytes.chunks(1000).enumerate().rev() {
            file.seek(SeekFrom::Start(u64::try_from(index).unwrap() * 1000)).unwrap();
            file.write_all(piece).unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn overwritten_in_place_with_its_time_put_back() {
    both(plain, |root, _, bytes| {
        let mut file = OpenOptions::new().write(true).open(root.join(FILE)).unwrap();
        let before = file.metadata().unwrap().modified().unwrap();
        file.write_all(bytes).unwrap();
        file.set_modified(before).unwrap();
    })
    .await;
}

#[tokio::test]
async fn renamed_over() {
    both(plain, |root, _, bytes| replace(&root.join(FILE), bytes)).await;
}

#[tokio::test]
async fn deleted_and_created() {
    both(plain, |root, _, bytes| {
        fs::remove_file(root.join(FILE)).unwrap();
        fs::write(root.join(FILE), bytes).unwrap();
    })
    .await;
}

#[tokio::test]
async fn moved_away_as_a_backup_and_created() {
    both(plain, |root, _, bytes| {
        fs::rename(root.join(FILE), root.join("components/chat.wasm~")).unwrap();
        fs::write(root.join(FILE), bytes).unwrap();
    })
    .await;
}

#[tokio::test]
async fn hard_linked_into_its_place() {
    both(plain, |root, round, bytes| {
        let built = root.join(format!("built-{round}"));
        fs::write(&built, bytes).unwrap();
        fs::remove_file(root.join(FILE)).unwrap();
        fs::hard_link(built, root.join(FILE)).unwrap();
    })
    .await;
}

#[tokio::test]
async fn written_through_another_hard_link() {
    let lay = |root: &Path, bytes: &[u8]| {
        plain(root, bytes);
        fs::create_dir(root.join("elsewhere")).unwrap();
        fs::hard_link(root.join(FILE), root.join("elsewhere/built")).unwrap();
    };
    // The operating system tells of this in the other folder only.
    written(by_rescan(), lay, |root, _, bytes| {
        fs::write(root.join("elsewhere/built"), bytes).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_link_to_another_file() {
    let lay = |root: &Path, bytes: &[u8]| {
        fs::create_dir(root.join("components")).unwrap();
        fs::write(root.join("built-1"), bytes).unwrap();
        symlink("../built-1", root.join(FILE)).unwrap();
    };
    both(lay, |root, round, bytes| {
        fs::write(root.join(format!("built-{round}")), bytes).unwrap();
        symlink(format!("../built-{round}"), root.join("components/link")).unwrap();
        fs::rename(root.join("components/link"), root.join(FILE)).unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_file_that_a_link_leads_to() {
    let lay = |root: &Path, bytes: &[u8]| {
        fs::create_dir_all(root.join("components")).unwrap();
        fs::create_dir_all(root.join("target/release")).unwrap();
        fs::write(root.join("target/release/built.wasm"), bytes).unwrap();
        symlink(root.join("target/release/built.wasm"), root.join(FILE)).unwrap();
    };
    both(lay, |root, _, bytes| fs::write(root.join("target/release/built.wasm"), bytes).unwrap())
        .await;
}

#[tokio::test]
async fn a_link_to_another_folder_above_it() {
    let lay = |root: &Path, bytes: &[u8]| {
        fs::create_dir_all(root.join("releases/1")).unwrap();
        fs::write(root.join("releases/1/chat.wasm"), bytes).unwrap();
        symlink("releases/1", root.join("components")).unwrap();
    };
    both(lay, |root, round, bytes| {
        fs::create_dir(root.join(format!("releases/{round}"))).unwrap();
        fs::write(root.join(format!("releases/{round}/chat.wasm")), bytes).unwrap();
        symlink(format!("releases/{round}"), root.join("new")).unwrap();
        fs::rename(root.join("new"), root.join("components")).unwrap();
    })
    .await;
}

/// The layout of a Kubernetes ConfigMap: the file is a link through a link to a folder, which is
/// exchanged in one step.
#[tokio::test]
async fn a_mounted_config_map() {
    let lay = |root: &Path, bytes: &[u8]| {
        fs::create_dir_all(root.join("components/..1")).unwrap();
        fs::write(root.join("components/..1/chat.wasm"), bytes).unwrap();
        symlink("..1", root.join("components/..data")).unwrap();
        symlink("..data/chat.wasm", root.join(FILE)).unwrap();
    };
    both(lay, |root, round, bytes| {
        let folder = root.join("components");
        fs::create_dir(folder.join(format!("..{round}"))).unwrap();
        fs::write(folder.join(format!("..{round}/chat.wasm")), bytes).unwrap();
        symlink(format!("..{round}"), folder.join("..data_tmp")).unwrap();
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
        fs::remove_dir_all(folder.join(format!("..{}", round - 1))).unwrap();
    })
    .await;
}

#[tokio::test]
async fn another_folder_in_the_place_of_its_folder() {
    both(plain, |root, round, bytes| {
        let new = root.join("new");
        fs::create_dir(&new).unwrap();
        fs::write(new.join("chat.wasm"), bytes).unwrap();
        fs::rename(root.join("components"), root.join(format!("old-{round}"))).unwrap();
        fs::rename(&new, root.join("components")).unwrap();
    })
    .await;
}

#[tokio::test]
async fn its_folder_deleted_and_created() {
    both(plain, |root, _, bytes| {
        fs::remove_dir_all(root.join("components")).unwrap();
        plain(root, bytes);
    })
    .await;
}

/// What was watched before is gone: the new folder has to be watched in its place.
#[tokio::test]
async fn a_file_in_a_folder_that_was_exchanged_or_created_anew() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    plain(root, &component(1, 1000));
    let mut watch = watch(root, by_events());
    for round in 1..4 {
        if round == 2 {
            fs::rename(root.join("components"), root.join("old")).unwrap();
        } else {
            fs::remove_dir_all(root.join("components")).unwrap();
        }
        plain(root, &component(10 * round, 1000));
        holds(&mut watch, &component(10 * round, 1000)).await;
        for tag in 1..3 {
            fs::write(root.join(FILE), component(10 * round + tag, 1000)).unwrap();
            holds(&mut watch, &component(10 * round + tag, 1000)).await;
        }
    }
}
