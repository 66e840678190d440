//! Files that cannot be taken: the user hears of them once, and what serves stays.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use avenire_delivery::{Event, Trouble, Watch, WatchOptions, Watched};

use super::{Ground, component, event, holds, impatient};

/// Waits for the next event, which has to be a problem of the file.
async fn trouble(watch: &mut Watch) -> Trouble {
    match event(watch).await {
        Event::Problem(problem) => {
            assert_eq!(problem.slot, "chat");
            assert!(!problem.what.hint().is_empty());
            problem.what
        }
        Event::Changed(changed) => panic!("{} changed", changed.slot),
    }
}

#[tokio::test]
async fn a_file_missing_at_the_start_is_a_problem_until_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.wasm");
    let mut watch = Watch::start(vec![Watched::new("chat", &path)], impatient()).unwrap();
    assert_eq!(trouble(&mut watch).await, Trouble::Missing);
    fs::write(&path, component(1, 100)).unwrap();
    holds(&mut watch, &component(1, 100)).await;
}

#[tokio::test]
async fn each_kind_of_useless_file_is_told_by_its_kind() {
    let ground = Ground::new();
    let options = WatchOptions { largest: 2000, ..impatient() };
    let mut watch = ground.watch(options);
    let whole = component(1, 1000);
    let cases = [
        (component(2, 5000), Trouble::TooLarge { size: 5025, limit: 2000 }),
        (whole[..500].to_vec(), Trouble::Cut { size: 500 }),
        (Vec::new(), Trouble::Cut { size: 0 }),
        (b"\0asm\x01\0\0\0\0\0".to_vec(), Trouble::Module),
        (b"<!doctype html>".to_vec(), Trouble::NotAComponent),
        ([&whole[..8], &[200, 1, 0]].concat(), Trouble::Damaged),
    ];
    let mut serving = 1;
    for (bytes, expected) in cases {
        fs::write(ground.file(), bytes).unwrap();
        assert_eq!(trouble(&mut watch).await, expected);
        serving += 1;
        fs::write(ground.file(), component(serving, 1000)).unwrap();
        holds(&mut watch, &component(serving, 1000)).await;
    }
}

#[tokio::test]
async fn a_problem_is_told_once_until_the_file_is_in_order_again() {
    let mut ground = Ground::new();
    let mut watch = ground.watch(impatient());
    fs::remove_file(ground.file()).unwrap();
    assert_eq!(trouble(&mut watch).await, Trouble::Missing);
    ground.nothing_told(&mut watch).await;
    // Another one.
    fs::write(ground.file(), "text").unwrap();
    assert_eq!(trouble(&mut watch).await, Trouble::NotAComponent);
    fs::write(ground.file(), "other text").unwrap();
    ground.nothing_told(&mut watch).await;
    ground.nothing_told(&mut watch).await;
    // Back as it was, which is nothing new, and away again, which is.
    fs::write(ground.file(), component(1, 1000)).unwrap();
    ground.nothing_told(&mut watch).await;
    fs::write(ground.file(), "text").unwrap();
    assert_eq!(trouble(&mut watch).await, Trouble::NotAComponent);
}

#[tokio::test]
async fn pipes_devices_and_folders_are_never_opened() {
    let ground = Ground::new();
    let mut watch = ground.watch(impatient());
    let file = ground.file();

    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    assert_eq!(trouble(&mut watch).await, Trouble::NotAFile);
    // Its writer would be let in if somebody read.
    let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK;
    let opened = rustix::fs::open(&file, flags, rustix::fs::Mode::empty());
    assert_eq!(opened.unwrap_err(), rustix::io::Errno::NXIO);

    fs::remove_file(&file).unwrap();
    fs::write(&file, component(2, 1000)).unwrap();
    holds(&mut watch, &component(2, 1000)).await;
    fs::remove_file(&file).unwrap();
    symlink("/dev/zero", &file).unwrap();
    assert_eq!(trouble(&mut watch).await, Trouble::NotAFile);

    fs::remove_file(&file).unwrap();
    fs::write(&file, component(3, 1000)).unwrap();
    holds(&mut watch, &component(3, 1000)).await;
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(trouble(&mut watch).await, Trouble::NotAFile);
}

#[tokio::test]
async fn a_link_that_leads_in_a_circle_or_nowhere_is_a_problem() {
    let ground = Ground::new();
    let mut watch = ground.watch(impatient());
    let file = ground.file();
    fs::remove_file(&file).unwrap();
    symlink("chat.wasm", &file).unwrap();
    let circle = trouble(&mut watch).await;
    assert!(matches!(circle, Trouble::Unreadable { .. }), "{circle:?}");
    fs::remove_file(&file).unwrap();
    symlink("nowhere", &file).unwrap();
    assert_eq!(trouble(&mut watch).await, Trouble::Missing);
    fs::write(file.with_file_name("nowhere"), component(2, 1000)).unwrap();
    holds(&mut watch, &component(2, 1000)).await;
}

#[tokio::test]
async fn a_file_that_may_not_be_read_is_a_problem_until_it_may() {
    let ground = Ground::new();
    let mut watch = ground.watch(impatient());
    let new = ground.folder.path().join("new");
    fs::write(&new, component(2, 1000)).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser may read it nevertheless.
    let readable = fs::read(&new).is_ok();
    fs::rename(&new, ground.file()).unwrap();
    if !readable {
        let refused = trouble(&mut watch).await;
        assert!(matches!(refused, Trouble::Unreadable { .. }), "{refused:?}");
        fs::set_permissions(ground.file(), fs::Permissions::from_mode(0o600)).unwrap();
    }
    holds(&mut watch, &component(2, 1000)).await;
}
