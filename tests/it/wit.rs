//! Released WIT tracks stay as they are: a component that was built against one
//! must go on working. Functions may be added, each with `@since`; then the new
//! digest is written down here. Anything else opens the next track.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// File and SHA-256 of every WIT file of a released track, one a line.
const FROZEN: &str = include_str!("../../wit/frozen.txt");

#[test]
fn released_wit_is_frozen() {
    let wit = avenire_tests::repository().join("wit");
    let mut files = Vec::new();
    collect(&wit, &mut files);
    files.sort();
    let mut found = String::new();
    for file in files {
        let name = file.strip_prefix(&wit).unwrap().display();
        let digest = Sha256::digest(std::fs::read(&file).unwrap());
        let digest = digest.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        let _ = writeln!(found, "{digest}  {name}");
    }
    assert_eq!(
        found, FROZEN,
        "a released WIT file changed. Components in use were built against it: only functions \
         may be added within a track, each with @since; anything else belongs into the next \
         track's folder. If it is such an addition, replace wit/frozen.txt with the left side"
    );
}

fn collect(folder: &std::path::Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension() == Some("wit".as_ref()) {
            files.push(path);
        }
    }
}
